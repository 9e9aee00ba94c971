// The pictures by keys alone: arrows move by rows and columns, Enter opens, Space selects. The links stay links, and
// the Tab key goes through all of them as without this script.
import { mark } from "./selection.js";

const LINKS = ".card-label a";
const PAGE = 0.8; // of the window
const SIDEWAYS = { ArrowRight: 1, ArrowLeft: -1 };
const ACTS = { "+": "like", "=": "like", "-": "unlike", w: "why" };

const list = () => document.getElementById("cards");
const cards = () => [...(list()?.querySelectorAll(".card") ?? [])];
const shown = (card) => card.getBoundingClientRect().bottom > 0;

export function focus(card) {
  const link = card?.querySelector(LINKS);
  if (!link) return;
  link.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

// The cards that stand beside each other, from top to bottom.
function rows() {
  const found = new Map();
  for (const card of cards()) {
    const row = found.get(card.offsetTop);
    if (row) row.push(card);
    else found.set(card.offsetTop, [card]);
  }
  return [...found.values()];
}

function nearest(row, card) {
  const middle = (one) => one.offsetLeft + one.offsetWidth / 2;
  const distance = (one) => Math.abs(middle(one) - middle(card));
  return row.reduce((best, one) => (distance(one) < distance(best) ? one : best));
}

function upright(card, key) {
  const every = rows();
  const at = every.findIndex((row) => row.includes(card));
  const whole = Math.max(1, Math.floor((PAGE * innerHeight) / card.offsetHeight));
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: whole, PageUp: -whole }[key];
  return nearest(every[Math.min(Math.max(at + step, 0), every.length - 1)], card);
}

function ends(card, key, all) {
  const among = all ? cards() : rows().find((row) => row.includes(card));
  return key === "Home" ? among[0] : among.at(-1);
}

function target(card, event) {
  const every = cards();
  if (SIDEWAYS[event.key]) return every[every.indexOf(card) + SIDEWAYS[event.key]];
  if (event.key === "Home" || event.key === "End") return ends(card, event.key, event.ctrlKey || event.metaKey);
  return upright(card, event.key);
}

function act(card, name) {
  const tool = card.querySelector(`[data-act="${name}"]`);
  tool?.click();
  return Boolean(tool);
}

// Where nothing has the focus: the page itself, or until the next frame what has just been hidden (a closed dialog).
const nowhere = (element) => element === document.body || !element.getClientRects().length;

// From anywhere on the page the arrows to the sides, which scroll nothing, lead to the first picture in sight.
function enter(event) {
  if (!SIDEWAYS[event.key] || !nowhere(event.target)) return;
  focus(cards().find(shown));
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  const browsers = event.altKey || (event.metaKey && SIDEWAYS[event.key]); // back and forward, of a Mac as well
  if (browsers || event.defaultPrevented || !list()) return;
  const card = event.target.closest?.("#cards .card");
  if (!card) return enter(event);
  const free = !event.ctrlKey && !event.metaKey;
  if (/^(Arrow(Left|Right|Up|Down)|Home|End|Page(Up|Down))$/.test(event.key)) {
    const next = target(card, event);
    if (event.shiftKey) mark([card, next ?? card], true);
    focus(next);
  } else if (event.key === " " && free && event.target.matches(LINKS)) {
    mark([card], undefined, event.shiftKey);
  } else if (event.key.toLowerCase() === "a" && !free) {
    mark(cards(), true);
  } else if (!ACTS[event.key] || !free || !act(card, ACTS[event.key])) {
    return;
  }
  event.preventDefault();
});

// After more or less like this, the keys go on at the first of the new results.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id === "answer") cards()[0]?.querySelector(LINKS).focus({ preventScroll: true });
});
