// A light table: pictures are dragged into order, or moved with Shift and the arrow keys. Prints the contact sheet.
const KEYS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
let dragged = null;

const items = () => [...document.querySelectorAll(".light-table > .item")];

function move(item, values) {
  const link = `link-${item.dataset.uid}`;
  const sent = { ...values, seen: item.dataset.seen };
  window.htmx
    .ajax("POST", item.dataset.move, { target: "#items", swap: "outerHTML", values: sent })
    .then(() => document.getElementById(link)?.focus());
}

function ready() {
  for (const item of items()) item.draggable = true;
}

function unmark() {
  for (const item of items()) item.classList.remove("drop-before", "drop-after");
}

function place(event) {
  const target = event.target.closest?.(".light-table > .item");
  if (!dragged || !target || target === dragged) return null;
  const { left, width } = target.getBoundingClientRect();
  return { target, after: event.clientX > left + width / 2 };
}

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".light-table > .item");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.uid);
  dragged.classList.add("dragged");
});

document.addEventListener("dragover", (event) => {
  const there = place(event);
  unmark();
  if (!there) return;
  event.preventDefault();
  there.target.classList.add(there.after ? "drop-after" : "drop-before");
});

document.addEventListener("drop", (event) => {
  const there = place(event);
  if (!there) return;
  event.preventDefault();
  const next = there.after ? there.target.nextElementSibling : there.target;
  if (next !== dragged) move(dragged, { before: next ? next.dataset.uid : "" });
});

document.addEventListener("dragend", () => {
  dragged?.classList.remove("dragged");
  dragged = null;
  unmark();
});

document.addEventListener("keydown", (event) => {
  const item = event.target.closest(".light-table > .item");
  const by = KEYS[event.key];
  const writing = event.target.closest("input, textarea");
  if (!item || !by || writing || !event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  move(item, { by });
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

document.addEventListener("htmx:afterSettle", ready);
ready();
