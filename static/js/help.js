// The list of keys: `?` opens it, Escape closes it, as every dialog.
const dialog = document.getElementById("keys");

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (event.key !== "?" || writing || event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
  event.preventDefault();
  dialog.showModal();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys]")) dialog.showModal();
  if (event.target === dialog) dialog.close(); // beside it
});
