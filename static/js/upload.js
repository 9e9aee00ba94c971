// Sends the chosen files in pieces, some at once, and goes on after anything: docs/decisions/0018. Without this
// script the form sends them all at once, and the answer lists what became of them.
import { say } from "./messages.js";
import { chosen, dropped, withSidecars } from "./upload-files.js";
import { addRow, showOverall, showRow } from "./upload-rows.js";
import { Transfer } from "./upload-transfer.js";
import { words } from "./words.js";

const AT_ONCE = 2;
const form = document.getElementById("upload");
const choosers = document.querySelectorAll('#drop input[type="file"]');
const drop = document.getElementById("drop");
const refused = JSON.parse(form.dataset.refused);
const SAID = ["collection", "tags", "accession"];
const transfers = [];
const settings = {
  address: form.dataset.uploads,
  chunkBytes: Number(form.dataset.chunkBytes),
  outcome: (uid) => form.dataset.outcome.replace(/[0-]{36}/, uid),
  fields: new Set(SAID),
  said: () => Object.fromEntries([...SAID, "batch"].map((name) => [name, form.elements[name].value])),
};

const inState = (...states) => transfers.filter(({ state }) => states.includes(state));

let isDrawing = false;
function draw() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    showOverall(transfers);
    document.getElementById("pause-all").hidden = !inState("waiting", "sending").length;
    document.getElementById("continue-all").hidden = !inState("paused", "broken").length;
    document.getElementById("cancel-all").hidden = !inState("waiting", "sending", "paused", "broken").length;
  });
}

function changed(transfer) {
  if (transfer.element && !transfer.isShown) showRow(transfer);
  if (transfer.state === "broken" && transfer.fields) showWrongFields(transfer);
  draw();
}

function next() {
  const free = AT_ONCE - inState("sending").length;
  for (const transfer of inState("waiting").slice(0, Math.max(0, free))) transfer.run().finally(next);
  draw();
}

// --- the fields -------------------------------------------------------------------------------------------

// What is said about the pictures is wrong: nothing has been sent yet, and nothing more is.
function showWrongFields(transfer) {
  const { fields } = transfer;
  transfer.fields = null;
  for (const other of inState("waiting")) other.stop("paused", words("Waits until the fields above are right"));
  for (const [name, message] of Object.entries(fields)) {
    const input = form.elements[name];
    if (!input) continue;
    input.setCustomValidity(message);
    input.closest(".field")?.classList.add("wrong");
  }
  say(words("Nothing was sent: please look at the fields, then continue."));
  form.reportValidity();
}

form.addEventListener("input", ({ target }) => {
  target.setCustomValidity("");
  target.closest(".field")?.classList.remove("wrong");
});

// --- pause, continue, cancel --------------------------------------------------------------------------------

function goOn(transfer) {
  transfer.become("waiting", words("Waiting"));
  next();
}

const actions = {
  hold: (transfer) => {
    if (["paused", "broken"].includes(transfer.state)) goOn(transfer);
    else transfer.stop("paused", words("Paused"));
    next();
  },
  cancel: (transfer) => {
    transfer.cancel();
    next();
  },
};

document.getElementById("pause-all").addEventListener("click", () => {
  for (const transfer of inState("waiting", "sending")) transfer.stop("paused", words("Paused"));
  document.getElementById("continue-all").hidden = false;
  document.getElementById("continue-all").focus();
});
document.getElementById("continue-all").addEventListener("click", () => {
  for (const transfer of inState("paused", "broken")) transfer.become("waiting", words("Waiting"));
  document.getElementById("pause-all").hidden = false;
  document.getElementById("pause-all").focus();
  next();
});
document.getElementById("cancel-all").addEventListener("click", () => {
  const open = inState("waiting", "sending", "paused", "broken");
  const question = "Cancel the {n} that have not arrived? What is here of them is thrown away.";
  if (!window.confirm(words(question, { n: open.length }))) return;
  for (const transfer of open) transfer.cancel();
  draw();
});

// --- choosing and dropping ------------------------------------------------------------------------------------

function whyNot({ file, path, alone }) {
  if (alone) return words("This XMP file describes a picture that was not chosen with it, and was not sent.");
  const { maxBytes, maxText } = form.dataset;
  if (file.size > Number(maxBytes)) return words("This file is larger than {size} and was not sent.", { size: maxText });
  const kind = refused[path.toLowerCase().match(/\.([^./]+)$/)?.[1]];
  const { accepted } = form.dataset;
  return kind ? words("This is {kind}, not a picture, and was not sent. Accepted: {accepted}.", { kind, accepted }) : "";
}

// What was broken off before, if this is the same file: the server has kept its beginning.
function resume(transfer) {
  const rows = [...document.querySelectorAll("#unfinished li")];
  const row = rows.find(({ dataset }) => dataset.fingerprint === transfer.fingerprint);
  if (!row) return;
  transfer.address = row.dataset.address;
  transfer.sent = Number(row.dataset.arrived);
  row.remove();
  if (rows.length === 1) document.getElementById("unfinished").hidden = true;
}

function takeOne(one) {
  const transfer = new Transfer(one, settings, changed);
  const before = transfers.find((other) => other.isActive && other.fingerprint === transfer.fingerprint);
  if (before) {
    before.file = one.file; // the old one may no longer be readable
    if (["paused", "broken"].includes(before.state)) goOn(before);
    return;
  }
  const reason = whyNot(one);
  if (!reason) resume(transfer);
  transfers.push(transfer);
  addRow(transfer, actions);
  if (reason) transfer.become("rejected", reason);
}

function take(files) {
  if (!files.length) return;
  document.getElementById("transfers").hidden = false;
  for (const one of withSidecars(files)) takeOne(one);
  next();
}

// The chosen files are kept at once, so that the chooser is free for more.
function takeChosen(chooser) {
  take(chosen(chooser.files));
  chooser.value = "";
}

for (const chooser of choosers) {
  chooser.addEventListener("change", () => takeChosen(chooser));
  chooser.required = false;
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const filled = [...choosers].filter(({ files }) => files.length);
  if (filled.length) filled.forEach(takeChosen);
  else if (inState("broken").length) inState("broken").forEach(goOn);
  else say(words("Choose some pictures first."), "info");
});

for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.add("dropping");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("dropping");
  dropped(event.dataTransfer).then(take, () => say(words("What was dropped could not be read.")));
});

window.addEventListener("beforeunload", (event) => {
  if (inState("waiting", "sending").length) event.preventDefault();
});

document.getElementById("send").hidden = true;
if (choosers[0].files.length) takeChosen(choosers[0]); // chosen before this script was here
