// On a suggested tag that has the focus, A accepts and R refuses.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat) return;
  const chip = event.target.closest(".suggested-chip");
  const button = chip?.querySelector({ a: ".take", r: ".refuse" }[event.key.toLowerCase()] ?? "none");
  if (!button) return;
  button.click();
  event.preventDefault();
});
