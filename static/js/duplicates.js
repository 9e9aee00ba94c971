// Keys for the answers, ways of laying one picture over the other.
const section = document.querySelector(".comparison");
const views = [...section.querySelectorAll("input[name=view]")];
const slide = document.getElementById("slide");

function show() {
  section.style.setProperty("--shown", `${slide.value}%`);
}

slide.addEventListener("input", show);
show();

function nextView() {
  const at = views.findIndex((view) => view.checked);
  const next = views[(at + 1) % views.length];
  next.checked = true;
  next.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input:not([type=radio], [type=range]), textarea, select")) return;
  const key = event.key.toLowerCase();
  const chosen = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const undo = document.querySelector("#messages form[action*='undo'] button");
  if (chosen) chosen.click();
  else if (key === "d") nextView();
  else if (key === "u" && undo) undo.click();
  else return;
  event.preventDefault();
});
