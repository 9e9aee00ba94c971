// The list of files on their way, one row each, and what is said of all of them together.

import { counted, inDigits, words } from "./words.js";

const template = document.getElementById("transfer");
const list = document.getElementById("files");
const overall = document.getElementById("overall");
const overallBar = document.getElementById("overall-bar");
const pace = document.getElementById("pace");
const announced = document.getElementById("announced");
const ANNOUNCED_EVERY = 15_000; // milliseconds: more would talk over everything else
const LOOK_BACK = 15_000; // milliseconds, of the speed

const ENDED = new Set(["accepted", "duplicate", "rejected", "cancelled"]);

export function inBytes(size) {
  const units = [words("bytes"), "KB", "MB", "GB", "TB"];
  const power = size < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(size) / 10));
  const value = size / 1024 ** power;
  return `${inDigits(value, { maximumFractionDigits: power > 1 && value < 100 ? 1 : 0 })} ${units[power]}`;
}

export function addRow(transfer, actions) {
  const element = template.content.firstElementChild.cloneNode(true);
  element.querySelector(".name").textContent = transfer.path;
  element.querySelector("progress").setAttribute("aria-label", words("Sent of {file}", { file: transfer.path }));
  element.querySelector("[data-hold]").addEventListener("click", () => actions.hold(transfer));
  element.querySelector("[data-cancel]").addEventListener("click", () => actions.cancel(transfer));
  transfer.element = element;
  list.append(element);
  showRow(transfer);
}

export function showRow(transfer) {
  const { element, answer, state } = transfer;
  if (answer) return replaceRow(transfer);
  const isProblem = ["broken", "rejected"].includes(state);
  element.classList.toggle("rejected", isProblem);
  const bar = element.querySelector("progress");
  bar.hidden = ENDED.has(state);
  bar.value = transfer.file.size ? transfer.sent / transfer.file.size : Number(state !== "waiting");
  const said = element.querySelector(".said");
  const amount = words("{sent} of {size}", { sent: inBytes(transfer.sent), size: inBytes(transfer.file.size) });
  const both = transfer.said.endsWith(".") ? `${amount}. ${transfer.said}` : `${transfer.said}: ${amount}`;
  const text = ["sending", "paused"].includes(state) ? both : transfer.said;
  if (said.textContent !== text) said.textContent = text;
  said.classList.toggle("reason", isProblem);
  said.classList.toggle("small-print", !isProblem);
  showButtons(transfer);
}

function showButtons({ element, state, path }) {
  const hold = element.querySelector("[data-hold]");
  const word = words({ paused: "Continue", broken: "Try again" }[state] ?? "Pause");
  if (hold.textContent !== word) hold.textContent = word;
  hold.setAttribute("aria-label", `${word}: ${path}`);
  const cancel = element.querySelector("[data-cancel]");
  cancel.setAttribute("aria-label", `${words("Cancel")}: ${path}`);
  const hadFocus = element.contains(document.activeElement);
  hold.hidden = ENDED.has(state) || state === "storing";
  cancel.hidden = hold.hidden;
  if (hadFocus && cancel.hidden) focusOn(element);
}

function focusOn(element) {
  element.tabIndex = -1;
  element.focus();
}

function replaceRow(transfer) {
  const hadFocus = transfer.element.contains(document.activeElement);
  transfer.element.replaceWith(transfer.answer);
  transfer.element = transfer.answer;
  transfer.answer = null;
  transfer.isShown = true;
  window.htmx?.process(transfer.element);
  if (hadFocus) focusOn(transfer.element);
}

// --- all together -----------------------------------------------------------------------------------------

const COUNTED = {
  accepted: "{n} received",
  duplicate: "{n} already here",
  rejected: "{n} refused",
  broken: "{n} not sent",
  paused: "{n} paused",
};
const moments = []; // of the last seconds: when, and how much had been sent
let lastAnnounced = 0;

function summary(transfers) {
  const in_ = (...states) => transfers.filter(({ state }) => states.includes(state)).length;
  const said = Object.entries(COUNTED)
    .filter(([state]) => in_(state))
    .map(([state, text]) => words(text, { n: inDigits(in_(state)) }));
  const open = in_("waiting", "sending", "storing");
  const all = counted(transfers.length, "{n} picture", "{n} pictures");
  return [all, ...said, ...(open ? [words("{n} to go", { n: inDigits(open) })] : [])].join(", ");
}

function timeLeft(left, sentNow) {
  const now = performance.now();
  moments.push([now, sentNow]);
  while (moments.length > 2 && moments[0][0] < now - LOOK_BACK) moments.shift();
  const [then, sentThen] = moments[0];
  if (now - then < 2000 || sentNow <= sentThen) return "";
  const speed = (sentNow - sentThen) / ((now - then) / 1000);
  return `, ${words("{speed} a second, {time} left", { speed: inBytes(speed), time: inWords(left / speed) })}`;
}

function inWords(seconds) {
  if (seconds < 60) return words("less than a minute");
  if (seconds < 5400) return counted(Math.ceil(seconds / 60), "about {n} minute", "about {n} minutes");
  return counted(Math.round(seconds / 3600), "about {n} hour", "about {n} hours");
}

export function showOverall(transfers) {
  const shown = transfers.filter(({ state }) => state !== "cancelled");
  const sizes = shown.filter(({ state }) => state !== "rejected");
  const size = sizes.reduce((sum, { file }) => sum + file.size, 0);
  const sent = sizes.reduce((sum, one) => sum + (one.isShown ? one.file.size : one.sent), 0);
  overallBar.value = size ? sent / size : 1;
  const isMoving = shown.some(({ state }) => state === "sending");
  if (!isMoving) moments.length = 0;
  const time = isMoving ? timeLeft(size - sent, sent) : "";
  const amount = words("{sent} of {size}", { sent: inBytes(sent), size: inBytes(size) });
  pace.textContent = sent < size ? `${amount}${time}` : "";
  const text = summary(shown);
  if (overall.textContent === text) return;
  overall.textContent = text;
  const isOver = !shown.some(({ state }) => ["waiting", "sending", "storing"].includes(state));
  if (isOver || performance.now() - lastAnnounced > ANNOUNCED_EVERY) {
    announced.textContent = text;
    lastAnnounced = performance.now();
  }
}
