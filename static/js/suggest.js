// Names that the words being typed may become, in a list under the search box: a combobox as ARIA 1.2 has it.
// Without this script the box is a box. Whatever goes wrong, the list stays away and typing goes on.
import { counted } from "./words.js";

const PAUSE = 150; // milliseconds without a key before the server is asked

const box = document.getElementById("q");
const list = document.getElementById("suggestions");
const said = document.getElementById("suggestions-said");
let timer, request, active;

box.setAttribute("role", "combobox");
box.setAttribute("aria-autocomplete", "list");
box.setAttribute("aria-controls", list.id);
box.setAttribute("aria-expanded", "false");

const options = () => [...list.querySelectorAll('[role="option"]')];

function choose(option) {
  active?.setAttribute("aria-selected", "false");
  active = option;
  if (!option) {
    box.removeAttribute("aria-activedescendant");
    return;
  }
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  box.setAttribute("aria-activedescendant", option.id);
}

function show() {
  choose(null);
  list.hidden = false;
  list.scrollTop = 0;
  box.setAttribute("aria-expanded", "true");
}

function close() {
  clearTimeout(timer);
  request?.abort();
  choose(null);
  list.hidden = true;
  list.replaceChildren();
  box.setAttribute("aria-expanded", "false");
  said.textContent = "";
}

async function ask() {
  request?.abort();
  const mine = (request = new AbortController());
  const text = box.value;
  if (!text.trim() || box.selectionEnd < text.length) return close(); // what stands at the end is completed
  try {
    const address = `${list.dataset.from}?${new URLSearchParams({ q: text })}`;
    const answer = await fetch(address, { signal: mine.signal, headers: { "HX-Request": "true" } });
    const html = answer.ok && !answer.redirected ? await answer.text() : "";
    if (mine !== request || text !== box.value || document.activeElement !== box) return;
    fill(html);
  } catch (error) {
    if (error.name !== "AbortError") close(); // the old list would be wrong; nobody is told
  }
}

// The server has escaped every name in it.
function fill(html) {
  const count = html.split('role="option"').length - 1;
  if (!count) return close();
  list.innerHTML = html;
  show();
  said.textContent = counted(count, "{n} suggestion", "{n} suggestions");
}

function accept(option) {
  box.value = `${option.dataset.text} `;
  close();
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}

function move(step) {
  clearTimeout(timer);
  request?.abort(); // an answer that came now would take away what is being chosen
  const every = options();
  const at = every.indexOf(active);
  const next = at < 0 ? (step > 0 ? 0 : every.length - 1) : at + step;
  choose(every[next] ?? null); // beyond the ends, the box itself
}

box.addEventListener("input", (event) => {
  clearTimeout(timer);
  request?.abort();
  if (event.isComposing) return;
  choose(null);
  if (!box.value.trim()) close();
  else timer = setTimeout(ask, PAUSE);
});
box.addEventListener("compositionend", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
});

box.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey) return;
  const open = !list.hidden;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (event.altKey && event.key === "ArrowUp") return close();
    if (event.shiftKey || (!open && !box.value.trim())) return;
    event.preventDefault();
    if (!open) ask();
    else if (!event.altKey) move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && open && active) {
    event.preventDefault();
    accept(active);
  } else if (event.key === "Enter") {
    close();
  } else if (event.key === "Escape" && open) {
    event.preventDefault(); // else the browser empties the box
    event.stopPropagation();
    close();
  }
});

// The box keeps the keyboard while a name is pressed.
list.addEventListener("mousedown", (event) => event.preventDefault());
list.addEventListener("click", (event) => {
  const option = event.target.closest('[role="option"]');
  if (option) accept(option);
});
box.addEventListener("blur", close);
