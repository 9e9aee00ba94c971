// Passkeys are offered where the browser has them, and one that did not work says so.
// The exchange itself is in the scripts of django-allauth, which this page loads before this one; they listen to the
// buttons from DOMContentLoaded on, so that these are not shown earlier.
document.addEventListener("DOMContentLoaded", () => {
  const offered = window.PublicKeyCredential ? "[data-passkey]" : "[data-no-passkey]";
  for (const part of document.querySelectorAll(offered)) part.hidden = false;
});

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  for (const part of document.querySelectorAll("[data-passkey-failed]")) part.hidden = false;
});
