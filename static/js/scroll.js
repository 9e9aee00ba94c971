// Endless scroll with real addresses: more comes before the end is reached, the address names the pages in sight, and
// whoever comes back finds the picture where it was. Without this script there are links from page to page.
const AHEAD = "800px"; // how far before the end the next page is fetched
const PAUSE = 150; // milliseconds without scrolling until the address follows

const list = () => document.getElementById("cards");
const cards = () => [...(list()?.querySelectorAll(".card") ?? [])];
let timer;

const inSight = (card) => {
  const { top, bottom } = card.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
};

// The place among all results stands in each link.
const page = (card) => {
  const at = Number(new URL(card.querySelector(".card-label a").href).searchParams.get("at"));
  return Math.floor(at / Number(list().dataset.perPage)) + 1;
};

function address(first, last) {
  const found = new URL(location.href);
  found.searchParams.delete("page");
  found.searchParams.delete("first");
  if (last > 1) found.searchParams.set("page", last);
  if (first < last) found.searchParams.set("first", first);
  return found;
}

// `back`: the picture by which the page is put in its place again, and where its upper edge was.
function follow(opened) {
  clearTimeout(timer);
  const seen = cards().filter(inSight);
  const anchor = opened ?? (scrollY > 0 ? seen[0] : null);
  const back = anchor && { id: anchor.id, top: anchor.getBoundingClientRect().top };
  const [first, last] = seen.length ? [page(seen[0]), page(seen.at(-1))] : [0, 0];
  history.replaceState({ ...history.state, back }, "", seen.length ? address(first, last) : location.href);
}

// A page that is still too short is put in its place when more has come.
let wanted = history.state?.back;
function restore() {
  const card = wanted && document.getElementById(wanted.id);
  if (!card) return;
  scrollBy(0, card.getBoundingClientRect().top - wanted.top);
  if (Math.abs(card.getBoundingClientRect().top - wanted.top) < 1) wanted = null;
}
for (const input of ["wheel", "pointerdown", "keydown"]) addEventListener(input, () => (wanted = null), { passive: true });

const ahead = new IntersectionObserver(
  (entries) => entries.some((entry) => entry.isIntersecting) && document.getElementById("more")?.click(),
  { rootMargin: AHEAD },
);

function watch() {
  ahead.disconnect();
  const more = document.getElementById("more");
  if (more) ahead.observe(more);
}

// Each page of a timeline begins with the name of its time, which the page above may have said already.
function join() {
  let said;
  for (const one of document.querySelectorAll("#cards > .time, #cards > .divider")) {
    const time = one.dataset.time;
    if (time && time === said) {
      one.previousElementSibling.remove(); // the end of the row above
      one.remove();
    }
    said = time;
  }
}

// What comes in above must not move what is being looked at.
let held = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const above = event.detail.requestConfig.elt?.id === "earlier";
  const first = above && cards()[0];
  held = first ? { first, top: first.getBoundingClientRect().top } : null;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (!["cards", "answer"].includes(event.detail.target?.id)) return;
  join();
  if (held?.first.isConnected) scrollBy(0, held.first.getBoundingClientRect().top - held.top);
  held = null;
  restore();
  watch();
  timer = setTimeout(follow, PAUSE);
});

addEventListener("scroll", () => {
  clearTimeout(timer);
  timer = setTimeout(follow, PAUSE);
}, { passive: true });
document.addEventListener("click", (event) => {
  const card = event.target.closest("#cards .card-label a")?.closest(".card");
  if (card) follow(card);
});

history.scrollRestoration = "manual";
restore();
watch();
