// Translating: as one types or on a button, with how sure it is, other translations, why, and corrections.
import { $, author, capital, explain, fetched, keep, kept, letters, make, names, nameOf, number, say, state } from "./core.js";
import { translateFile } from "./document.js";

const ALTERNATIVES = 3;
const WAIT = 700;  // milliseconds without a key before a text is translated by itself
const SHORT = 300;  // longer texts wait for the button
const mine = { source: 0, pending: null, made: null, asked: "", direction: null, timer: 0 };

const sides = () => [state.languages[mine.source], state.languages[1 - mine.source]];
const direction = () => { const [source, target] = sides(); return { source: source.code, target: target.code }; };

export function show() {
  const [source, target] = sides();
  if (source) {
    const values = { ...names(), source: nameOf(source) };
    $("title").textContent = say("title", values);
    document.title = `Seshat · ${capital(values.bridge)}, ${capital(values.ours)}`;
    $("source-name").textContent = capital(nameOf(source));
    $("target-name").textContent = capital(nameOf(target));
    $("text").placeholder = say("placeholder", values);
    $("text").lang = source.code;
    $("result").lang = $("correction").lang = target.code;
  }
  $("swap").title = say("swap");
  letters($("letters"), $("text"), mine.source === 1);
  letters($("correction-letters"), $("correction"), mine.source === 0);
  showCount();
  showSure();
  showMore();
}

export function problem(words) {
  $("problem").textContent = words;
  $("problem").hidden = !words;
}

function showCount() {
  const used = [...$("text").value].length;
  const limit = state.info ? state.info.max_text_chars : 0;
  $("count").textContent = limit ? say("count", { used: number(used), limit: number(limit) }) : "";
  $("count").classList.toggle("over", limit > 0 && used > limit);
  $("clear").hidden = used === 0;
}

function showSure() {
  const { band, confidence, abstained } = mine.made ?? {};
  const word = !mine.made ? "" : abstained ? "abstained" : band ?? "unknown";
  $("result").dataset.empty = say(abstained ? "abstained" : "empty");
  $("sure").hidden = !word;
  $("sure").dataset.band = band ?? "";
  $("sure").title = word && band ? say("expected", { confidence: Math.round(confidence) }) : "";
  $("sure-word").textContent = word ? say(word, { confidence: Math.round(confidence) }) : "";
}

function showMore() {
  $("more").hidden = !mine.made;
  const others = mine.made?.alternatives ?? [];
  $("others").hidden = others.length === 0;
  $("others-list").replaceChildren(...others.map((text) => make("li", { dir: "auto" }, text)));
  $("why").hidden = !state.info?.corpus;
  $("correct").hidden = !state.info?.feedback;
  $("file-line").hidden = !state.info?.documents;
}

function showResult(text, made) {
  $("result").textContent = text;
  mine.made = made;
  $("copy").hidden = !text;
  $("correction").value = text;
  $("sent").textContent = "";
  $("why-body").replaceChildren();
  showSure();
  showMore();
  if (made && $("why").open) explained();
}

async function translate() {
  clearTimeout(mine.timer);
  const text = $("text").value;
  mine.pending?.abort();
  if (!text.trim() || !sides()[0]) return showResult("", null);
  const request = mine.pending = new AbortController();
  problem("");
  busy(true);
  try {
    const asked = direction();
    const body = { q: text, ...asked, alternatives: ALTERNATIVES };
    const made = await fetched("/translate", { body, signal: request.signal });
    mine.asked = text;
    mine.direction = asked;
    showResult(made.translatedText, made);
  } catch (error) {
    if (mine.pending === request) problem(explain(error));
  } finally {
    if (mine.pending === request) {
      mine.pending = null;
      busy(false);
    }
  }
}

function busy(on) {
  $("form").setAttribute("aria-busy", String(on));
}

// Why: the entries of its words and sentences like it

async function explained() {
  const text = mine.asked;
  const body = $("why-body");
  try {
    const told = await fetched("/v1/explain", { body: { q: text, ...mine.direction } });
    if (text !== mine.asked) return;
    const [source, target] = sides();
    const rows = told.words.map(({ word, translations }) => make("div", {},
      make("dt", { lang: source.code, dir: "auto" }, make("a", { href: "#library", "data-query": word, onclick: lookUp }, word)),
      make("dd", { lang: target.code, dir: "auto" }, translations.join(", "))));
    const near = told.examples.map((one) => make("li", {}, make("p", { lang: source.code, dir: "auto" }, one.text), make("p", { lang: target.code, dir: "auto", class: "other" }, one.translation)));
    body.replaceChildren(
      make("p", { class: "small" }, say(told.used ? "used" : "notUsed")),
      ...(rows.length ? [make("dl", { class: "words" }, ...rows)] : []),
      ...(near.length ? [make("h3", {}, say("near")), make("ul", { class: "plain lines" }, ...near)] : []),
      ...(rows.length || near.length ? [] : [make("p", {}, say("nothingKnown"))]));
  } catch (error) {
    body.replaceChildren(make("p", {}, explain(error)));
  }
}

function lookUp(event) {
  $("query").value = event.currentTarget.dataset.query;
  $("task").value = "";
}

// Corrections

async function correct(event) {
  event.preventDefault();
  const correction = $("correction").value;
  keep("name", $("name").value);
  try {
    const body = { source_text: mine.asked, ...mine.direction, correction, translation: mine.made.translatedText,
      name: $("name").value, author: author(), consent: $("consent").checked };
    await fetched("/feedback", { body });
    $("sent").textContent = say("thanks");
  } catch (error) {
    $("sent").textContent = explain(error);
  }
}

function swap() {
  mine.pending?.abort();
  clearTimeout(mine.timer);
  const result = $("result").textContent;
  mine.source = 1 - mine.source;
  if (result) $("text").value = result;
  showResult("", null);
  problem("");
  show();
  grow();
  if (result) translate();
}

function edited() {
  grow();
  showCount();
  problem("");
  clearTimeout(mine.timer);
  if ($("text").value.length <= SHORT) mine.timer = setTimeout(translate, WAIT);
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
  mine.pending?.abort();
  $("text").value = "";
  showResult("", null);
  edited();
  $("text").focus();
}

$("form").addEventListener("submit", (event) => { event.preventDefault(); translate(); });
$("text").addEventListener("input", edited);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); translate(); }
});
$("file").addEventListener("change", () => {
  if ($("file").files.length && sides()[0]) translateFile($("file").files[0], direction());
  $("file").value = "";  // so that the same file may be chosen again
});
$("swap").addEventListener("click", swap);
$("copy").addEventListener("click", copy);
$("clear").addEventListener("click", clear);
$("why").addEventListener("toggle", () => { if ($("why").open && mine.made) explained(); });
$("correct-form").addEventListener("submit", correct);
$("name").value = kept("name") ?? "";
