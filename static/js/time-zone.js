// Tells the server the browser's time zone: accounts/middleware.py reads this cookie.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  document.cookie = `time_zone=${zone}; path=/; max-age=31536000; SameSite=Lax`;
}
