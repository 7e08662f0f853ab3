// The page: two languages, a text, its translation. No library, no network but this server.
"use strict";

const $ = (id) => document.getElementById(id);
const state = { words: WORDS.en, interface: "en", languages: [], source: 0, info: null, pending: null, made: null };

// The interface language

function preferred() {
  let kept = null;
  try { kept = localStorage.getItem("interface"); } catch { /* private windows may forbid it */ }
  return WORDS[kept] ? kept : navigator.language.toLowerCase().startsWith("es") ? "es" : "en";
}

function say(key, values = {}) {
  return state.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

function nameOf(language) {
  let name = null;
  try {
    name = new Intl.DisplayNames([state.interface], { type: "language", fallback: "none" }).of(language.code);
  } catch { /* not a code that the browser knows */ }
  return name ?? (state.interface === "en" ? capital(language.name) : language.name);
}

const capital = (text) => text.charAt(0).toLocaleUpperCase(state.interface) + text.slice(1);

function setInterface(code) {
  state.interface = code;
  state.words = WORDS[code];
  document.documentElement.lang = code;
  try { localStorage.setItem("interface", code); } catch { /* as above */ }
  for (const button of document.querySelectorAll("[data-interface]")) {
    button.setAttribute("aria-pressed", String(button.dataset.interface === code));
  }
  show();
}

// Showing what is known

function show() {
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word);
  const [source, target] = sides();
  if (source) {
    const [bridge, ours] = state.languages.map(nameOf);
    const values = { bridge, ours, source: nameOf(source) };
    $("title").textContent = say("title", values);
    document.title = `Seshat · ${capital(bridge)}, ${capital(ours)}`;
    $("source-name").textContent = capital(nameOf(source));
    $("target-name").textContent = capital(nameOf(target));
    $("text").placeholder = say("placeholder", values);
    $("text").lang = source.code;
    $("result").lang = target.code;
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label, values));
  }
  $("swap").title = say("swap");
  showLetters();
  showCount();
  showSure();
  showInfo();
}

const sides = () => [state.languages[state.source], state.languages[1 - state.source]];

function showLetters() {
  const letters = state.source === 1 && state.info ? state.info.letters : [];
  $("letters").replaceChildren(...letters.map((letter) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = letter;
    button.addEventListener("click", () => insert(letter));
    return button;
  }));
  $("letters").hidden = letters.length === 0;
}

function showCount() {
  const used = [...$("text").value].length;
  const limit = state.info ? state.info.max_text_chars : 0;
  $("count").textContent = limit ? say("count", { used: used.toLocaleString(state.interface), limit: limit.toLocaleString(state.interface) }) : "";
  $("count").classList.toggle("over", limit > 0 && used > limit);
  $("clear").hidden = used === 0;
}

function showSure() {
  const { band, confidence, abstained } = state.made ?? {};
  const word = !state.made ? "" : abstained ? "abstained" : band ?? "unknown";
  $("result").dataset.empty = say(abstained ? "abstained" : "empty");
  $("sure").hidden = !word;
  $("sure").dataset.band = band ?? "";
  $("sure").title = word && band ? say("expected", { confidence: Math.round(confidence) }) : "";
  $("sure-word").textContent = word ? say(word, { confidence: Math.round(confidence) }) : "";
}

function showInfo() {
  if (!state.info) return;
  const titles = state.info.sources.map((source) => source.steward ? `${source.title} (${source.steward})` : source.title);
  $("credits").textContent = titles.length ? say("credits", { titles: titles.join(", ") }) : "";
  $("model").textContent = say("model", { model: state.info.model });
}

function showProblem(key) {
  $("problem").textContent = key ? say(key, { limit: state.info?.max_text_chars }) : "";
  $("problem").hidden = !key;
}

function showResult(text, made) {
  $("result").textContent = text;
  state.made = made;
  $("copy").hidden = !text;
  showSure();
}

// Doing

async function translate() {
  const text = $("text").value;
  const [source, target] = sides();
  state.pending?.abort();
  if (!text.trim() || !source) return showResult("", null);
  const request = state.pending = new AbortController();
  showProblem(null);
  busy(true);
  try {
    const reply = await fetch("/translate", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ q: text, source: source.code, target: target.code }),
      signal: request.signal,
    });
    if (!reply.ok) return showProblem({ 413: "long", 429: "busy", 503: "busy", 504: "late" }[reply.status] ?? "failed");
    const made = await reply.json();
    showResult(made.translatedText, made);
  } catch (error) {
    if (error.name !== "AbortError") showProblem("offline");
  } finally {
    if (state.pending === request) {
      state.pending = null;
      busy(false);
    }
  }
}

function busy(on) {
  $("form").setAttribute("aria-busy", String(on));
  $("go").disabled = on;
}

function swap() {
  const result = $("result").textContent;
  state.source = 1 - state.source;
  if (result) $("text").value = result;
  showResult("", null);
  showProblem(null);
  show();
  grow();
  if (result) translate();
}

function insert(letter) {
  const text = $("text");
  text.setRangeText(letter, text.selectionStart, text.selectionEnd, "end");
  text.focus();
  edited();
}

function edited() {
  grow();
  showCount();
  showProblem(null);
}

function grow() {
  const text = $("text");
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
}

async function copy() {
  const text = $("result").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren($("result"));  // no clipboard without https: leave it selected for Ctrl+C
    return;
  }
  $("copy").textContent = say("copied");
  setTimeout(() => { $("copy").textContent = say("copy"); }, 1500);
}

function clear() {
  state.pending?.abort();
  $("text").value = "";
  showResult("", null);
  edited();
  $("text").focus();
}

async function start() {
  setInterface(preferred());
  try {
    const [languages, info] = await Promise.all(["/languages", "/v1/info"].map(async (path) => {
      const reply = await fetch(path);
      if (!reply.ok) throw new Error(path);
      return reply.json();
    }));
    Object.assign(state, { languages, info });
    show();
  } catch {
    showProblem("offline");
  }
}

$("form").addEventListener("submit", (event) => { event.preventDefault(); translate(); });
$("text").addEventListener("input", edited);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); translate(); }
});
$("swap").addEventListener("click", swap);
$("copy").addEventListener("click", copy);
$("clear").addEventListener("click", clear);
for (const button of document.querySelectorAll("[data-interface]")) {
  button.addEventListener("click", () => setInterface(button.dataset.interface));
}
start();
