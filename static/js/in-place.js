// Values that are edited where they stand: Enter saves (with Control in a text of several lines), Escape leaves.
const BOXES = "[data-in-place] :is(input:not([type=hidden]), textarea, select)";

document.addEventListener("keydown", (event) => {
  const form = event.target.closest("[data-in-place]");
  if (!form) return;
  if (event.key === "Escape") {
    event.preventDefault();
    form.querySelector("[data-leave]").click();
  } else if (event.key === "Enter" && event.target.matches("select, textarea") && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});

document.addEventListener("htmx:load", (event) => {
  const box = event.detail.elt.querySelector?.(BOXES);
  if (!box || !event.detail.elt.matches("[data-in-place]")) return;
  box.focus();
  box.select?.();
});
