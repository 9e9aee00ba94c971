// One file on its way: it goes on after a broken connection by itself, and where it was.
import * as tus from "./upload-tus.js";
import { words } from "./words.js";

const LONGEST_WAIT = 30; // seconds between two attempts
const LONGEST_LOOK = 4; // seconds between two questions whether it has been taken in

function pause(seconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, seconds * 1000);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      window.removeEventListener("online", done);
      resolve();
    }
    signal.addEventListener("abort", done);
    window.addEventListener("online", done); // no need to wait any longer
  });
}

// States: waiting, sending, paused, storing, broken (a person must do something), cancelled, and as it ended:
// accepted, duplicate, rejected.
export class Transfer {
  constructor({ file, path, sidecar }, settings, changed) {
    Object.assign(this, { file, path, sidecar, settings, changed });
    this.fingerprint = `${path.slice(-1400)} ${file.size} ${file.lastModified}`;
    this.state = "waiting";
    this.said = words("Waiting");
    this.sent = 0; // also what is still on its way
    this.kept = 0; // what the server has said that it has
    this.address = "";
    this.answer = null; // the row that the server wrote
  }

  get isActive() {
    return ["waiting", "sending", "paused", "storing", "broken"].includes(this.state);
  }

  become(state, said) {
    this.state = state;
    this.said = said;
    this.changed(this);
  }

  stop(state, said) {
    this.become(state, said);
    this.controller?.abort();
  }

  async cancel() {
    this.stop("cancelled", words("Cancelled; nothing of it is kept."));
    const { address } = this;
    this.address = "";
    for (let attempt = 0; address && attempt < 5; attempt += 1) {
      try {
        return await tus.giveUp(address);
      } catch (error) {
        if (error.kind === "anew") return; // it is gone
        if (error.status === 409) return this.wasQuicker(address);
        await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt)); // the last piece is just ending
      }
    }
  }

  // It was taken in before it could be given up: that is said as it is.
  wasQuicker(address) {
    this.address = address;
    this.controller = new AbortController();
    this.become("storing", words("It had arrived already"));
    return this.answered(this.controller.signal);
  }

  // Until it has arrived, or somebody stops it, or only a person can go on.
  async run() {
    this.controller = new AbortController();
    const { signal } = this.controller;
    this.become("sending", words(this.address ? "Going on" : "Sending"));
    for (let attempt = 0; ; attempt += 1) {
      const before = this.kept;
      try {
        await this.bring(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof tus.Trouble)) throw error;
        if (!(await this.readable())) return this.become("broken", GONE);
        if (error.kind === "ask") return this.become("broken", error.message);
        if (error.kind === "refused") return this.refuse(error);
        if (error.kind === "anew") this.address = "";
        if (this.kept > before) attempt = 0;
        await this.waitAfter(error, attempt, signal);
        if (signal.aborted) return;
      }
    }
  }

  async waitAfter(error, attempt, signal) {
    const seconds = Math.min(LONGEST_WAIT, 2 ** attempt) * (0.75 + Math.random() / 2);
    const text = "{why} Trying again in {seconds} s; what has arrived is kept.";
    this.become("sending", words(text, { why: error.message, seconds: Math.ceil(seconds) }));
    await pause(seconds, signal);
  }

  refuse(error) {
    this.fields = error.fields;
    const ofForm = Object.keys(error.fields ?? {}).some((name) => this.settings.fields.has(name));
    this.become(ofForm ? "broken" : "rejected", error.message);
  }

  async readable() {
    try {
      await this.file.slice(0, 1).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }

  async bring(signal) {
    const { file, settings } = this;
    if (this.address) this.has(await tus.arrived(this.address, signal));
    else this.address = await this.create(signal);
    signal.throwIfAborted();
    this.become("sending", words("Sending"));
    while (this.sent < file.size) {
      const progress = (bytes) => {
        this.sent = Math.min(bytes, file.size);
        this.changed(this);
      };
      this.has(await tus.send(this.address, file, this.sent, settings.chunkBytes, progress, signal));
      signal.throwIfAborted(); // else what was paused would seem to be done
    }
    this.become("storing", words("Sent; the server looks at it"));
    this.answered(signal);
  }

  has(bytes) {
    this.sent = this.kept = bytes;
  }

  async create(signal) {
    this.has(0);
    const said = { ...this.settings.said(), filename: this.file.name, fingerprint: this.fingerprint };
    if (this.sidecar) said.sidecar = await this.sendSidecar(signal);
    return tus.create(this.settings.address, this.file.size, said, signal);
  }

  // The XMP goes first, so that the picture can name it.
  async sendSidecar(signal) {
    const { size, name } = this.sidecar;
    const address = await tus.create(this.settings.address, size, { filename: name, purpose: "file" }, signal);
    let sent = 0;
    while (sent < size) sent = await tus.send(address, this.sidecar, sent, this.settings.chunkBytes, () => {}, signal);
    return address.split("/").at(-2);
  }

  // Asks until the server has taken it in; a large file is read by a worker, which may take its time.
  async answered(signal) {
    const address = this.settings.outcome(this.address.split("/").at(-2));
    for (let seconds = 0.3; !signal.aborted; seconds = Math.min(LONGEST_LOOK, seconds * 1.5)) {
      try {
        const answer = await fetch(address, { headers: { "HX-Request": "true" }, redirect: "manual", signal });
        if (answer.status === 200) return this.finish(await answer.text());
        if (answer.status === 404) return this.become("broken", words("The server does not know this file any more."));
        if (answer.type === "opaqueredirect") {
          this.become("storing", words("It has arrived. Sign in again in another tab to see what became of it."));
        }
      } catch {
        // it cannot be reached just now
      }
      await pause(seconds, signal);
    }
  }

  finish(html) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    this.answer = parsed.querySelector("li[data-outcome]");
    this.become(this.answer?.dataset.outcome ?? "accepted", "");
  }
}

const GONE = words("This file can no longer be read. It may have been changed or moved: choose it again.");
