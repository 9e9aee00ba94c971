// Passkeys are offered where the browser has them, and one that did not work says so.
// The exchange itself is in the scripts of django-allauth, which this page loads beside this one.
if (window.PublicKeyCredential) {
  for (const part of document.querySelectorAll("[data-passkey]")) part.hidden = false;
} else {
  for (const part of document.querySelectorAll("[data-no-passkey]")) part.hidden = false;
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  for (const part of document.querySelectorAll("[data-passkey-failed]")) part.hidden = false;
});
