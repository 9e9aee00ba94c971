// Says something where the messages of the server stand; screen readers read it out.
export function say(text, level = "error") {
  const message = document.createElement("div");
  message.className = `message ${level}`;
  message.dataset.message = "";
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "icon-button";
  close.dataset.dismiss = "";
  close.setAttribute("aria-label", document.body.dataset.dismissLabel);
  close.textContent = "×";
  message.append(words, close);
  document.getElementById("messages").replaceChildren(message);
}
