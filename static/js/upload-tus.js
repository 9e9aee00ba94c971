// The tus protocol for one file: make an upload, ask how much of it has arrived, send a piece, give it up.
import { words } from "./words.js";

const VERSION = { "Tus-Resumable": "1.0.0" };

// `kind` says what follows: "again" after a while, "anew" from the first byte, "ask" a person, "refused" for good.
export class Trouble extends Error {
  constructor(kind, message, { status = 0, fields = {} } = {}) {
    super(message);
    Object.assign(this, { kind, status, fields });
  }
}

function headers(more = {}) {
  const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1]; // newer than the page after a new sign-in
  const field = document.querySelector('input[name="csrfmiddlewaretoken"]')?.value;
  return { ...VERSION, "X-CSRFToken": cookie ?? field ?? "", ...more };
}

function troubleOf(status, text) {
  let answer = {};
  try {
    answer = JSON.parse(text);
  } catch {
    // a proxy's own page
  }
  const said = answer.detail ?? words("The server answered {status}.", { status });
  if (status === 0) return new Trouble("again", words("The server cannot be reached."));
  if (status === 401) return new Trouble("ask", words("You have been signed out. Sign in again in another tab, then continue."));
  if (status === 403) return new Trouble("ask", words("This page has become too old. Load it again, and choose the file again."));
  if (status === 404 || status === 410) return new Trouble("anew", said);
  if (status === 507) return new Trouble("ask", said);
  if (status === 413 && !answer.detail) {
    return new Trouble("ask", words("The way to the server lets no pieces of this size through. Tell an administrator."));
  }
  if ([400, 413, 415, 422].includes(status)) return new Trouble("refused", said, { fields: answer.fields });
  return new Trouble("again", said, { status });
}

async function ask(address, options, signal) {
  let answer;
  try {
    answer = await fetch(address, { ...options, signal, redirect: "manual" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw troubleOf(0, "");
  }
  if (!answer.ok) throw troubleOf(answer.status, await answer.text().catch(() => ""));
  return answer;
}

const inBase64 = (text) => btoa(String.fromCodePoint(...new TextEncoder().encode(text)));

// Returns the address of the new upload. `said`: what is known about the file, by name.
export async function create(address, length, said, signal) {
  const pairs = Object.entries(said).filter(([, value]) => value);
  const metadata = pairs.map(([key, value]) => `${key} ${inBase64(value)}`).join(",");
  const sent = headers({ "Upload-Length": length, "Upload-Metadata": metadata });
  const answer = await ask(address, { method: "POST", headers: sent }, signal);
  return new URL(answer.headers.get("Location"), answer.url || location.href).pathname;
}

// How many bytes have arrived.
export async function arrived(address, signal) {
  const answer = await ask(address, { method: "HEAD", headers: headers(), cache: "no-store" }, signal);
  return Number(answer.headers.get("Upload-Offset"));
}

export async function giveUp(address) {
  await ask(address, { method: "DELETE", headers: headers(), keepalive: true });
}

// Sends the piece that begins at `offset`; returns where the next one begins. `progress` gets bytes of the file.
export function send(address, file, offset, size, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // which, unlike fetch, says how far it is
    const stop = () => request.abort();
    signal.addEventListener("abort", stop, { once: true });
    request.upload.onprogress = (event) => progress(offset + event.loaded);
    request.onload = () => {
      if (request.status === 204) resolve(Number(request.getResponseHeader("Upload-Offset")));
      else reject(troubleOf(request.status, request.responseText));
    };
    request.onerror = () => reject(troubleOf(0, ""));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", stop);
    request.open("PATCH", address);
    const sent = headers({ "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" });
    for (const [name, value] of Object.entries(sent)) request.setRequestHeader(name, value);
    request.send(file.slice(offset, offset + size));
  });
}
