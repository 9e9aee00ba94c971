// Pages of the administration that renew a part of themselves: a session that has ended is shown as a page.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { responseURL } = event.detail.xhr;
  if (responseURL && new URL(responseURL).pathname.endsWith("/login/")) {
    event.preventDefault();
    window.location.reload();
  }
});
