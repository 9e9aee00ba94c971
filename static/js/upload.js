// Sends the chosen files one by one, two at a time, each with its progress. Without this script the form
// sends them all at once and the answer lists what became of them.
import { say } from "./messages.js";

const AT_ONCE = 2;
const form = document.getElementById("upload");
const chooser = form.querySelector('input[type="file"]');
const drop = document.getElementById("drop");
const list = document.getElementById("files");
const template = document.getElementById("transfer");
const overall = document.getElementById("overall");
const overallBar = document.getElementById("overall-bar");

const transfers = [];
let running = 0;

const plural = (count, word) => `${count.toLocaleString()} ${word}${count === 1 ? "" : "s"}`;
const inState = (state) => transfers.filter((transfer) => transfer.state === state);

function showOverall() {
  const size = transfers.reduce((sum, { file }) => sum + file.size + 1, 0);
  const sent = transfers.reduce((sum, { file, part }) => sum + (file.size + 1) * part, 0);
  overallBar.value = size ? sent / size : 0;
  const counts = {
    accepted: "received",
    duplicate: "already here",
    rejected: "refused",
    broken: "not sent",
  };
  const said = Object.entries(counts).flatMap(([state, word]) => {
    const count = inState(state).length;
    return count ? [`${count.toLocaleString()} ${word}`] : [];
  });
  const open = inState("waiting").length + inState("sending").length;
  overall.textContent = [`${plural(transfers.length, "picture")}`, ...said, ...(open ? [`${open} to go`] : [])].join(", ");
}

function row(file) {
  const element = template.content.firstElementChild.cloneNode(true);
  element.querySelector(".name").textContent = file.name;
  element.querySelector("progress").setAttribute("aria-label", `Sending ${file.name}`);
  list.append(element);
  return element;
}

function note(transfer, text, isProblem = false) {
  const said = transfer.element.querySelector(".said");
  said.textContent = text;
  said.classList.toggle("reason", isProblem);
}

function finish(transfer, html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const answer = parsed.querySelector("li[data-outcome]");
  if (!answer) return broken(transfer, "The server's answer could not be read.");
  transfer.state = answer.dataset.outcome;
  transfer.element.replaceWith(answer);
  transfer.element = answer;
  window.htmx?.process(answer);
}

function broken(transfer, reason) {
  transfer.state = "broken";
  transfer.part = 0;
  transfer.element.querySelector("progress").hidden = true;
  transfer.element.classList.add("rejected");
  note(transfer, reason, true);
  const again = transfer.element.querySelector("button");
  again.hidden = false;
  again.onclick = () => {
    again.hidden = true;
    transfer.element.classList.remove("rejected");
    transfer.element.querySelector("progress").hidden = false;
    transfer.state = "waiting";
    note(transfer, "Waiting");
    next();
  };
}

function send(transfer) {
  const data = new FormData(form);
  data.delete("pictures");
  data.append("pictures", transfer.file, transfer.file.name);
  if (transfer.sidecar) data.append("pictures", transfer.sidecar, transfer.sidecar.name);
  const request = new XMLHttpRequest();
  const bar = transfer.element.querySelector("progress");
  transfer.state = "sending";
  running += 1;
  note(transfer, "Sending");
  request.upload.onprogress = (event) => {
    transfer.part = event.lengthComputable ? event.loaded / event.total : 0;
    bar.value = transfer.part;
    if (transfer.part === 1) note(transfer, "Sent; the server looks at it");
    showOverall();
  };
  request.onload = () => {
    if (new URL(request.responseURL).pathname === document.body.dataset.login) {
      broken(transfer, "You have been signed out. Sign in again in another tab, then try again.");
    } else if (request.status === 200) {
      transfer.part = 1;
      finish(transfer, request.responseText);
    } else {
      const reason = request.status === 413 ? "The file is too large." : `The server answered ${request.status}.`;
      broken(transfer, `It was not taken. ${reason}`);
    }
  };
  request.onerror = () => broken(transfer, "The connection broke off.");
  request.onloadend = () => {
    running -= 1;
    next();
  };
  request.open("POST", form.action);
  request.setRequestHeader("HX-Request", "true");
  request.send(data);
}

function next() {
  for (const transfer of inState("waiting").slice(0, AT_ONCE - running)) send(transfer);
  showOverall();
}

// An XMP file goes with each picture of its name: boat.xmp with boat.*, boat.jpg.xmp with boat.jpg.
function withSidecars(files) {
  const bare = (name) => name.toLowerCase().replace(/\.[^.]*$/, "");
  const isSidecar = (file) => file.name.toLowerCase().endsWith(".xmp");
  const sidecars = new Map(files.filter(isSidecar).map((file) => [bare(file.name), file]));
  const pictures = files.filter((file) => !isSidecar(file));
  const found = pictures.map((file) => ({
    file,
    sidecar: sidecars.get(file.name.toLowerCase()) ?? sidecars.get(bare(file.name)),
  }));
  const taken = new Set(found.map(({ sidecar }) => sidecar));
  return [...found, ...[...sidecars.values()].filter((file) => !taken.has(file)).map((file) => ({ file }))];
}

function take(files) {
  if (!files.length) return;
  document.getElementById("transfers").hidden = false;
  for (const { file, sidecar } of withSidecars([...files])) {
    const transfer = { file, sidecar, element: row(file), state: "waiting", part: 0 };
    transfers.push(transfer);
    if (file.size > Number(form.dataset.maxBytes)) {
      transfer.state = "rejected";
      transfer.part = 1;
      transfer.element.classList.add("rejected");
      transfer.element.querySelector("progress").hidden = true;
      note(transfer, `This file is larger than ${form.dataset.maxText} and was not sent.`, true);
    }
  }
  next();
}

// The chosen files are kept at once, so that the chooser is free for more.
function takeChosen() {
  take([...chooser.files]);
  chooser.value = "";
}

chooser.addEventListener("change", takeChosen);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (chooser.files.length) takeChosen();
  else say("Choose some pictures first.", "info");
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
  take([...event.dataTransfer.files]);
});

window.addEventListener("beforeunload", (event) => {
  if (running || inState("waiting").length) event.preventDefault();
});

chooser.required = false;
document.getElementById("send").hidden = true;
