// Looking closer: the picture in tiles, by OpenSeadragon, in the place of the preview. Loaded when it is asked for.
import { words } from "./words.js";

const STEP = 1.6;
const MOVE = 0.2; // of what is shown
const PATIENCE = 90; // times that a picture which is being prepared is asked for again
const LONGEST_WAIT = 30; // seconds; what takes longer is said instead
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ACTS = {
  in: () => viewer.viewport.zoomBy(STEP).applyConstraints(),
  out: () => viewer.viewport.zoomBy(1 / STEP).applyConstraints(),
  whole: () => viewer.viewport.setRotation(0).goHome(),
  rotate: () => viewer.viewport.rotateBy(90),
  full: () => fill(),
  close: () => close(),
};
const KEYS = { "+": "in", "=": "in", "-": "out", _: "out", 0: "whole", r: "rotate", f: "full" };
let viewer = null;
let asked = 0; // counts, so that what comes late for a picture that was left is not shown

const preview = () => document.getElementById("preview");
const tools = () => preview().querySelector(".zoom-tools");
const told = () => preview().querySelector(".zoom-told");
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function library(address) {
  if (window.OpenSeadragon) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: address, onload: resolve, onerror: reject });
    document.head.append(script);
  });
}

// The description of the picture. While that is being prepared, the server says when to ask again.
async function description(address, mine) {
  await prepared(address.replace(/info\.json$/, "ready"), mine);
  const info = await ask(address);
  return { ...info, id: new URL(address.replace(/\/info\.json$/, ""), location).href };
}

async function prepared(address, mine) {
  for (let tries = 0; tries < PATIENCE && mine === asked; tries++) {
    const { ready, seconds, said } = await ask(address);
    if (ready) return;
    if (seconds > LONGEST_WAIT) throw new Error(said);
    told().textContent = words("The closer view is being prepared…");
    await wait(seconds);
  }
  throw new Error(words("It takes too long."));
}

async function ask(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error("");
  return answer.json();
}

async function open() {
  if (viewer || preview().dataset.zoom) return;
  const mine = ++asked;
  preview().dataset.zoom = "waiting";
  try {
    const [info] = await Promise.all([description(preview().dataset.info, mine), library(preview().dataset.viewer)]);
    if (mine === asked) show(info);
  } catch (error) {
    if (mine !== asked) return;
    close();
    told().textContent = `${words("The picture cannot be shown closer just now.")} ${error.message ?? ""}`;
  }
}

function show(info) {
  const place = document.createElement("div");
  place.className = "zoom";
  preview().append(place);
  ownStyles();
  viewer = window.OpenSeadragon({
    element: place,
    tileSources: info,
    drawer: "canvas",
    showNavigationControl: false,
    keyboardNavEnabled: false, // by the letters on the keys, and not by their places
    crossOriginPolicy: false,
    animationTime: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 0.6,
    visibilityRatio: 0.5,
    maxZoomPixelRatio: 3,
    minZoomImageRatio: 0.8,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    gestureSettingsTouch: { pinchRotate: false },
  });
  viewer.canvas.setAttribute("role", "application");
  viewer.canvas.setAttribute("aria-label", words("Closer view of {title}", { title: preview().querySelector("img").alt }));
  viewer.addOnceHandler("open", () => {
    preview().dataset.zoom = "open";
    told().textContent = words("Closer view. Arrow keys move, plus and minus zoom, 0 shows all, R turns, Escape ends it.");
    viewer.canvas.focus({ preventScroll: true });
  });
  viewer.addHandler("tile-load-failed", () => (told().textContent = words("A part of the picture could not be loaded.")));
}

// OpenSeadragon would write a style into the page, which strict rules refuse, unless it finds one with its mark: this
// is none, it only has the name.
function ownStyles() {
  if (document.querySelector("style[data-openseadragon-mobile-css]")) return;
  const mark = document.createElementNS(null, "style");
  mark.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(mark);
}

// The whole screen, or where a browser gives it to films alone, the whole window.
function fill() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (preview().requestFullscreen) preview().requestFullscreen();
  else preview().classList.toggle("filled");
}

function close() {
  asked++;
  const inside = preview().contains(document.activeElement);
  if (document.fullscreenElement) document.exitFullscreen();
  viewer?.destroy();
  viewer = null;
  preview().querySelector(".zoom")?.remove();
  preview().classList.remove("filled");
  delete preview().dataset.zoom;
  told().textContent = "";
  if (inside) tools().querySelector("[data-zoom-start]").focus({ preventScroll: true });
}

function begin() {
  const bar = tools();
  if (bar) bar.hidden = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-zoom-start], [data-zoom-act]");
  if (button?.dataset.zoomAct) return void (viewer && ACTS[button.dataset.zoomAct]());
  const onPicture = event.target.closest("#preview[data-info] > a") && !(event.ctrlKey || event.metaKey || event.shiftKey);
  if (!button && !onPicture) return;
  event.preventDefault();
  open();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (!viewer) {
    const writing = event.target.closest("input, textarea, select, [contenteditable], [role=application]");
    if (event.key === "z" && preview()?.dataset.info && !writing) open();
    return;
  }
  if (!preview().contains(event.target)) return;
  const arrow = ARROWS[event.key];
  if (event.key === "Escape") close();
  else if (arrow) moveBy(arrow);
  else if (KEYS[event.key.toLowerCase()]) ACTS[KEYS[event.key.toLowerCase()]]();
  else return;
  event.preventDefault();
  event.stopPropagation();
});

function moveBy([across, down]) {
  const { width, height } = viewer.viewport.getBounds(true);
  const turned = new window.OpenSeadragon.Point(across * width * MOVE, down * height * MOVE);
  viewer.viewport.panBy(turned.rotate(-viewer.viewport.getRotation())).applyConstraints();
}

document.addEventListener("htmx:oobAfterSwap", begin); // the preview that has just been made
document.addEventListener("toggle", (event) => event.target.id === "detail" && event.target.open && viewer && close(), true);
begin();
