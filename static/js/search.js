// Searching by a picture: choose a file, drop one anywhere onto the page, or paste one.
import { say } from "./messages.js";

const byPicture = document.getElementById("picture-search");
const chooser = document.getElementById("picture-file");
const target = document.getElementById("drop-target");
const PICTURES = /\.(tiff?|hei[cf]|jp2|psd|avif)$/i;

const isPicture = (file) => file.type.startsWith("image/") || PICTURES.test(file.name);
const hasFiles = (transfer) => [...(transfer?.types ?? [])].includes("Files");

function searchBy(files) {
  const picture = [...files].find(isPicture);
  if (!picture) {
    say(target.dataset.noPicture);
    return;
  }
  if (picture.size > Number(byPicture.dataset.maxBytes)) {
    say(target.dataset.tooLarge);
    return;
  }
  const carrier = new DataTransfer();
  carrier.items.add(picture);
  chooser.files = carrier.files;
  byPicture.submit();
}

chooser.addEventListener("change", () => chooser.files.length && searchBy(chooser.files));

// The target covers the page while a file is held over it, so that no part of the page has to be met.
document.addEventListener("dragenter", (event) => hasFiles(event.dataTransfer) && (target.hidden = false));
document.addEventListener("dragover", (event) => {
  if (!hasFiles(event.dataTransfer)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
});
document.addEventListener("dragleave", (event) => {
  if (event.target === target || !event.relatedTarget) target.hidden = true;
});
document.addEventListener("drop", (event) => {
  target.hidden = true;
  if (!hasFiles(event.dataTransfer)) return;
  event.preventDefault(); // a browser would open the file
  searchBy(event.dataTransfer.files);
});

// Files are taken; words are left to the box that they are pasted into.
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  event.preventDefault();
  searchBy(files);
});

// A tag chosen from the list is a complete wish.
document.addEventListener("input", (event) => {
  if (event.target.id !== "tag") return;
  const chosen = event.inputType === "insertReplacementText" || event.inputType === undefined;
  if (chosen && event.target.value) event.target.form.requestSubmit();
});
