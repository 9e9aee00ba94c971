// From picture to picture through the results: keys, and the next picture is fetched while this one is looked at.
const KEYS = { "[": "prev", ArrowLeft: "prev", "]": "next", ArrowRight: "next" };
const place = document.getElementById("along");

document.addEventListener("keydown", (event) => {
  const rel = KEYS[event.key];
  if (!rel || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, [contenteditable], [role=application], .strip")) return;
  place.querySelector(`a[rel=${rel}]`)?.click();
});

function fetchNext() {
  const address = place.querySelector("[data-ahead]")?.dataset.ahead;
  if (address) new Image().src = address;
}

place.addEventListener("htmx:afterSwap", fetchNext);
fetchNext();
