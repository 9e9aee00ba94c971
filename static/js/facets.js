// What narrows a search down stands open beside the pictures, and closed above them where there is no room.
const wide = window.matchMedia("(min-width: 64rem)");

function fit(root) {
  const panel = root.querySelector("[data-narrow]");
  if (panel) panel.open = wide.matches;
}

document.addEventListener("htmx:load", (event) => fit(event.detail.elt.parentElement ?? event.detail.elt));
wide.addEventListener("change", () => fit(document));
