// Searching by a picture: choose a file, drop one onto the search form, or paste one.
import { say } from "./messages.js";

const form = document.getElementById("search");
const byPicture = document.getElementById("picture-search");
const chooser = document.getElementById("picture-file");

function searchBy(files) {
  const picture = [...files].find((file) => file.type.startsWith("image/") || /\.(tiff?|hei[cf]|jp2|psd)$/i.test(file.name));
  if (!picture) {
    say("That is no picture. Drop or choose an image file to search by it.");
    return;
  }
  if (picture.size > Number(byPicture.dataset.maxBytes)) {
    say("That picture is too large to search by. Upload it to the library instead.");
    return;
  }
  const carrier = new DataTransfer();
  carrier.items.add(picture);
  chooser.files = carrier.files;
  byPicture.submit();
}

chooser.addEventListener("change", () => chooser.files.length && searchBy(chooser.files));

form.addEventListener("dragover", (event) => {
  if (![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  form.classList.add("dropping");
});
form.addEventListener("dragleave", () => form.classList.remove("dropping"));
form.addEventListener("drop", (event) => {
  form.classList.remove("dropping");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  searchBy(event.dataTransfer.files);
});

document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.some((file) => file.type.startsWith("image/"))) {
    event.preventDefault();
    searchBy(files);
  }
});

// A tag chosen from the list is a complete wish.
document.getElementById("tag").addEventListener("input", (event) => {
  const chosen = event.inputType === "insertReplacementText" || event.inputType === undefined;
  if (chosen && event.target.value) form.requestSubmit();
});
