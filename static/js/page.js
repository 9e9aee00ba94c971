// What every page needs: messages that can be closed, the menu, keys, and failures that are said aloud.
import { say } from "./messages.js";

document.documentElement.classList.add("scripted"); // keys and clicks are listened to: this is the last script of a page

function reveal(root) {
  for (const element of root.querySelectorAll("[data-dismiss]")) {
    element.hidden = false;
  }
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest("[data-message]")?.remove();
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("[data-menu][open]");
  if (event.key === "Escape" && menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  const writing = event.target.closest("input, textarea, select, [contenteditable]");
  const box = document.getElementById("q");
  if (event.key === "/" && box && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// Empty fields would only make addresses longer.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "get") return;
  const empty = [...event.target.elements].filter((field) => field.name && !field.value && !field.disabled);
  for (const field of empty) field.disabled = true;
  setTimeout(() => empty.forEach((field) => (field.disabled = false)));
});

// A session that has ended answers a partial request with the sign-in page: show it as a page.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { responseURL } = event.detail.xhr;
  if (responseURL && new URL(responseURL).pathname === document.body.dataset.login) {
    event.preventDefault();
    window.location.reload();
  }
});

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.elt.closest("[data-quiet]")) return;
  say(`${document.body.dataset.failed} (${event.detail.xhr.status})`);
});

document.addEventListener("htmx:sendError", (event) => {
  if (event.detail.elt.closest("[data-quiet]")) return;
  say(document.body.dataset.away);
});

document.addEventListener("htmx:load", (event) => reveal(event.detail.elt));
document.addEventListener("htmx:oobAfterSwap", (event) => reveal(event.detail.target));
reveal(document);
