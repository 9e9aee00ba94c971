// Keys for the answers: they go to the picture that has the focus, else to the first that waits.
const answered = [];

const questions = () => [...document.querySelectorAll("[data-question]")];
const waits = (card) => !("answered" in card.dataset || "busy" in card.dataset);

function current() {
  const focused = document.activeElement?.closest("[data-question]");
  return focused || questions().find(waits);
}

function mark() {
  const now = current();
  for (const card of questions()) card.classList.toggle("current", card === now);
}

function beside(card, step) {
  const all = questions().filter((one) => one === card || waits(one));
  return all[all.indexOf(card) + step];
}

function go(card) {
  const button = card?.querySelector("button");
  button?.focus();
  card?.scrollIntoView({ block: "nearest" });
  mark();
}

function takeBack() {
  const button = answered.length
    ? document.getElementById(answered.at(-1))?.querySelector("[value=undo]")
    : document.querySelector("#last-answer button");
  button?.click();
  return Boolean(button);
}

function press(key) {
  const card = current();
  const steps = { arrowright: 1, arrowdown: 1, arrowleft: -1, arrowup: -1 };
  const button = { a: "accept", r: "refuse" }[key];
  if (key === "u") return takeBack();
  if (!card) return false;
  if (button) card.querySelector(`[value=${button}]`)?.click();
  else if (key in steps) go(document.activeElement.closest("[data-question]") ? beside(card, steps[key]) : card);
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat) return;
  if (event.target.closest("input, textarea, select, dialog")) return;
  if (press(event.key.toLowerCase())) event.preventDefault();
});

document.addEventListener("focusin", mark);

// Whoever answers goes on at once; the answer is noted meanwhile.
document.addEventListener("htmx:beforeRequest", (event) => {
  const card = event.target.closest("[data-question]");
  if (!card) return;
  if ("answered" in card.dataset) {
    answered.splice(answered.lastIndexOf(card.id), 1);
    return;
  }
  const next = beside(card, 1) || questions().find((one) => one !== card && waits(one));
  card.dataset.busy = "";
  answered.push(card.id);
  go(next);
});

document.addEventListener("htmx:afterRequest", (event) => {
  const card = event.target.closest("[data-question]");
  if (!event.detail.successful && card) {
    delete card.dataset.busy;
    answered.splice(answered.lastIndexOf(card.id), 1);
  }
});

document.addEventListener("htmx:afterSettle", (event) => {
  const card = event.target.closest("[data-question]");
  if (card && waits(card)) go(card);
  else mark();
});

mark();
