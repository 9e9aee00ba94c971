// Buttons that copy a text, such as a permanent address; shown only where the browser can.
function reveal(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
    button.setAttribute("role", "status");
  } catch {
    window.getSelection().selectAllChildren(button.parentElement.querySelector("[data-copied]"));
  }
});

document.addEventListener("htmx:load", (event) => reveal(event.detail.elt));
reveal(document);
