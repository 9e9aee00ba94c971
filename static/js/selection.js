// Which pictures are selected: kept for this tab and person, whatever pages and searches are gone through meanwhile. The
// bar at the bottom is a form; what is selected on other pages is added to it when it is sent.
const bar = document.getElementById("selection");
const KEY = `selection-${bar.dataset.owner}`; // another person may sign in here
let anchor = null; // the uid that Shift selects from

const boxes = () => [...document.querySelectorAll('#cards [name="asset"]')];
const uid = (card) => card.id.slice("card-".length);

export function selected() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function keep(uids) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(uids));
  } catch {
    // Without a place to keep it, the selection ends with the page: the boxes still show it.
  }
  show(uids);
}

export function clear() {
  anchor = null;
  keep([]);
}

// Selects these cards, or takes them away; without `on`, whichever they are not. `through`: all from the anchor on.
export function mark(cards, on, through = false) {
  const every = boxes().map((box) => box.value);
  let uids = cards.map(uid);
  const chosen = new Set(selected());
  const to = uids.at(-1);
  const wanted = through ? true : (on ?? !chosen.has(to));
  if (through && every.includes(anchor)) {
    const [low, high] = [every.indexOf(anchor), every.indexOf(to)].sort((a, b) => a - b);
    uids = every.slice(low, high + 1);
  }
  for (const one of uids) wanted ? chosen.add(one) : chosen.delete(one);
  if (!through) anchor = to;
  keep([...chosen]);
}

function show(uids = selected()) {
  const chosen = new Set(uids);
  let here = 0;
  for (const box of boxes()) {
    box.checked = chosen.has(box.value);
    here += box.checked;
  }
  bar.toggleAttribute("data-some", uids.length > 0);
  const words = uids.length === 1 ? bar.dataset.one : bar.dataset.many.replace("#", uids.length.toLocaleString());
  const beside = here < uids.length ? ` ${bar.dataset.elsewhere.replace("#", (uids.length - here).toLocaleString())}` : "";
  bar.querySelector("output").textContent = uids.length ? words + beside : "";
  document.dispatchEvent(new CustomEvent("selection", { detail: uids }));
}

document.addEventListener("click", (event) => {
  const box = event.target.closest('#cards [name="asset"]');
  if (box) mark([box.closest(".card")], box.checked, event.shiftKey);
  if (event.target.closest("[data-clear-selection]")) clear();
  if (event.target.closest("[data-select-shown]")) mark(boxes().map((one) => one.closest(".card")), true);
});

bar.addEventListener("submit", () => {
  for (const added of bar.querySelectorAll("[data-added]")) added.remove();
  const here = new Set(boxes().map((box) => box.value));
  for (const one of selected().filter((value) => !here.has(value))) {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "asset", value: one });
    field.dataset.added = "";
    bar.append(field);
  }
});

document.addEventListener("htmx:load", () => show()); // more pictures, or others
window.addEventListener("pageshow", () => show()); // back from another page, which may have cleared it
const early = boxes().filter((box) => box.checked); // before this script was there
early.length ? mark(early.map((box) => box.closest(".card")), true) : show();
