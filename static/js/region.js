// Search for a detail: a box on the picture, drawn, moved and resized by pointer or keys. Its numbers in the
// form, in percent, are what counts; what is drawn only shows and changes them.
import { words } from "./words.js";

const details = document.getElementById("detail");
const form = details.querySelector("form");
const told = details.querySelector("output");
const SIDES = ["left", "top", "width", "height"];
const NAMES = { left: "Left", top: "Top", width: "Width", height: "Height" };
const CORNERS = { nw: [0, 0], ne: [1, 0], se: [1, 1], sw: [0, 1] };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SMALLEST = 2; // percent of a side; what is drawn smaller was a click
const HANDLE = 16; // CSS pixels
let surface = null;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function read() {
  const [left, top, width, height] = SIDES.map((name) => clamp(Number(form.elements[name].value) || 0, 0, 100));
  return { left, top, width: Math.min(width, 100 - left), height: Math.min(height, 100 - top) };
}

function write(box) {
  for (const name of SIDES) form.elements[name].value = String(Math.round(box[name] * 10) / 10);
  draw();
}

function make(name, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

// In the picture's own pixels and fitted as the picture is, so that the two always lie on each other.
function show() {
  const image = document.querySelector("#preview img");
  if (!image || surface?.isConnected) return;
  const [wide, high] = [image.getAttribute("width"), image.getAttribute("height")];
  surface = make("svg", { class: "surface", viewBox: `0 0 ${wide} ${high}` }, document.getElementById("preview"));
  make("path", { class: "shade", "fill-rule": "evenodd" }, surface);
  const group = make("g", { tabindex: 0, role: "application", "aria-label": words("The detail to search for"), "aria-describedby": "detail-help" }, surface);
  make("rect", { class: "frame" }, group);
  for (const corner of Object.keys(CORNERS)) make("rect", { class: `corner ${corner}`, "data-corner": corner }, group);
  surface.addEventListener("pointerdown", press);
  group.addEventListener("keydown", type);
  new ResizeObserver(draw).observe(surface);
  draw();
}

function hide() {
  surface?.remove();
  surface = null;
}

function draw() {
  if (!surface) return;
  const { width: wide, height: high } = surface.viewBox.baseVal;
  const box = read();
  const [x, y, w, h] = [(box.left * wide) / 100, (box.top * high) / 100, (box.width * wide) / 100, (box.height * high) / 100];
  surface.querySelector(".shade").setAttribute("d", `M0 0H${wide}V${high}H0ZM${x} ${y}h${w}v${h}h${-w}Z`);
  place(surface.querySelector(".frame"), x, y, w, h);
  const size = HANDLE / (surface.getScreenCTM()?.a || 1);
  for (const [corner, [right, low]] of Object.entries(CORNERS)) {
    place(surface.querySelector(`.${corner}`), x + right * w - size / 2, y + low * h - size / 2, size, size);
  }
}

function place(rect, x, y, width, height) {
  for (const [key, value] of Object.entries({ x, y, width, height })) rect.setAttribute(key, value);
}

function point(event) {
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(surface.getScreenCTM().inverse());
  const { width, height } = surface.viewBox.baseVal;
  return [clamp((100 * x) / width, 0, 100), clamp((100 * y) / height, 0, 100)];
}

function between([x, y], [u, v]) {
  return { left: Math.min(x, u), top: Math.min(y, v), width: Math.abs(x - u), height: Math.abs(y - v) };
}

function moved(box, x, y) {
  return { ...box, left: clamp(box.left + x, 0, 100 - box.width), top: clamp(box.top + y, 0, 100 - box.height) };
}

// What a pull from here does: to a corner, to the whole box, or, anywhere else, a new box.
function pull(event) {
  const before = read();
  const start = point(event);
  const corner = CORNERS[event.target.dataset.corner];
  if (corner) {
    const opposite = [before.left + (1 - corner[0]) * before.width, before.top + (1 - corner[1]) * before.height];
    return (now) => between(opposite, now);
  }
  if (event.target.matches(".frame")) return (now) => moved(before, now[0] - start[0], now[1] - start[1]);
  return (now) => between(start, now);
}

function press(event) {
  if (event.button !== 0 || !event.isPrimary) return;
  event.preventDefault();
  const [before, change, on] = [read(), pull(event), surface];
  on.setPointerCapture(event.pointerId);
  const move = (next) => write(change(point(next)));
  const end = (last) => {
    on.removeEventListener("pointermove", move);
    const box = read();
    if (last.type === "pointercancel" || Math.min(box.width, box.height) < SMALLEST) write(before);
    on.querySelector("g").focus({ preventScroll: true });
  };
  on.addEventListener("pointermove", move);
  on.addEventListener("lostpointercapture", end, { once: true });
  on.addEventListener("pointercancel", end, { once: true });
}

function type(event) {
  if (event.key === "Enter") form.requestSubmit();
  const arrow = ARROWS[event.key];
  if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const box = read();
  const size = { width: clamp(box.width + arrow[0], SMALLEST, 100 - box.left), height: clamp(box.height + arrow[1], SMALLEST, 100 - box.top) };
  write(event.shiftKey ? { ...box, ...size } : moved(box, ...arrow));
  told.textContent = SIDES.map((name) => `${words(NAMES[name])} ${form.elements[name].value} %`).join(", ");
}

function leave(event) {
  if (event.key !== "Escape" || !details.open) return;
  details.open = false;
  details.querySelector("summary").focus();
}

details.addEventListener("toggle", () => {
  if (!details.open) return hide();
  show();
  surface?.querySelector("g").focus();
});
details.addEventListener("keydown", leave);
document.getElementById("preview").parentElement.addEventListener("keydown", leave);
form.addEventListener("input", draw);
document.addEventListener("htmx:oobAfterSwap", () => details.open && show());
if (details.open) show();
if (surface && document.activeElement === details.querySelector("summary")) surface.querySelector("g").focus(); // opened early
