// Why one picture is among the results, where it is asked for: under the picture, and away again.
import { say } from "./messages.js";
import { words } from "./words.js";

async function reasons(card) {
  const link = card.querySelector(".card-label a");
  const answer = await fetch(`${link.pathname}why/${link.search}`, { headers: { "HX-Request": "true" } });
  if (!answer.ok || answer.redirected) throw new Error();
  return answer.text();
}

async function toggle(button) {
  const card = button.closest(".card");
  const shown = card.querySelector(":scope > .why");
  button.setAttribute("aria-expanded", String(!shown));
  if (shown) return shown.remove();
  try {
    const html = await reasons(card);
    if (!card.querySelector(":scope > .why")) card.querySelector(".card-tools").insertAdjacentHTML("beforebegin", html);
  } catch {
    button.setAttribute("aria-expanded", "false");
    say(words("The reasons cannot be shown just now. Please try again in a moment."));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest('#cards [data-act="why"]');
  if (button) toggle(button);
});
