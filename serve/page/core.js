// What the views of the page share: its words, what is known of the service, and how the server is asked.
import { WORDS } from "./words.js";

export const $ = (id) => document.getElementById(id);
export const state = { words: WORDS.en, interface: "en", languages: [], info: null };

// What browsers keep; private windows may forbid it

export function keep(name, value) {
  try { localStorage.setItem(name, value); } catch { /* then it is asked again */ }
}

export function kept(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}

let unkept = null;

/** Tells this browser from others, so that versions of a correction follow one another; it says nothing about the person. */
export function author() {
  unkept ??= kept("author") ?? [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  keep("author", unkept);
  return unkept;
}

// Words

export function say(key, values = {}) {
  return state.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function nameOf(language) {
  let name = null;
  try {
    name = new Intl.DisplayNames([state.interface], { type: "language", fallback: "none" }).of(language.code);
  } catch { /* not a code that the browser knows */ }
  return name ?? (state.interface === "en" ? capital(language.name) : language.name);
}

export const capital = (text) => text.charAt(0).toLocaleUpperCase(state.interface) + text.slice(1);
export const number = (value) => value.toLocaleString(state.interface);

/** The names of both languages, for sentences with {ours} and {bridge}. */
export function names() {
  const [bridge, ours] = state.languages.map(nameOf);
  return { bridge, ours };
}

// Asking the server

/** The JSON that a path answers; an error has the key of the words that explain it. */
export async function fetched(path, { body, file, signal, raw, stream } = {}) {
  const headers = kept("key") ? { authorization: `Bearer ${kept("key")}` } : {};
  if (body) headers["content-type"] = "application/json";
  let reply;
  try {
    reply = await fetch(path, { method: body || file ? "POST" : "GET", headers, body: file ?? (body && JSON.stringify(body)), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("offline");
  }
  if ([401, 403].includes(reply.status) && state.info?.keys) $("key-form").hidden = false;
  if (!reply.ok) throw new Trouble({ 400: file ? "unreadable" : "failed", 401: "locked", 403: "locked", 413: "long", 429: "busy", 503: "busy", 504: "late" }[reply.status] ?? "failed");
  return raw ? reply : stream ? reply.body : reply.json();
}

export class Trouble extends Error {
  /** What to say about an error, in the language of the page. */
  get words() { return say(this.message, { limit: state.info?.max_text_chars }); }
}

/** The words of whatever went wrong; empty for what was only given up. */
export function explain(error) {
  if (error.name === "AbortError") return "";
  return error instanceof Trouble ? error.words : say("failed");
}

/** An element with text or other elements in it; markup in a text stays text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Buttons for the letters of the language that a usual keyboard lacks, for a field. */
export function letters(place, field, wanted) {
  const found = wanted && state.info ? state.info.letters : [];
  place.replaceChildren(...found.map((letter) => make("button", { type: "button", onclick: () => insert(field, letter) }, letter)));
  place.hidden = found.length === 0;
}

function insert(field, letter) {
  field.setRangeText(letter, field.selectionStart, field.selectionEnd, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
