// The page: its language and its views. No library, no network but this server.
import { $, explain, fetched, keep, kept, names, say, state } from "./core.js";
import { WORDS } from "./words.js";
import * as translate from "./translate.js";
import * as library from "./library.js";
import * as review from "./review.js";
import * as ask from "./ask.js";

const VIEWS = { translate, library, review, ask };

// The interface language

function preferred() {
  const before = kept("interface");
  return WORDS[before] ? before : navigator.language.toLowerCase().startsWith("es") ? "es" : "en";
}

function setInterface(code) {
  state.interface = code;
  state.words = WORDS[code];
  document.documentElement.lang = code;
  keep("interface", code);
  for (const button of document.querySelectorAll("[data-interface]")) {
    button.setAttribute("aria-pressed", String(button.dataset.interface === code));
  }
  show();
}

function show() {
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word, names());
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label, names()));
  if (state.info) {
    const titles = state.info.sources.map((source) => source.steward ? `${source.title} (${source.steward})` : source.title);
    $("credits").textContent = titles.length ? say("credits", { titles: titles.join(", ") }) : "";
    $("model").textContent = say("model", { model: state.info.model });
    $("report").hidden = !state.info.report || state.info.keys;
    document.querySelector('[href="#library"]').hidden = !state.info.corpus;
    document.querySelector('[href="#review"]').hidden = !state.info.feedback;
  }
  for (const view of Object.values(VIEWS)) view.show();
}

// Views: the part of the address behind # says which

function go() {
  const asked = location.hash.slice(1);
  const chosen = VIEWS[asked] && !document.querySelector(`[href="#${asked}"]`).hidden ? asked : "translate";
  for (const name of Object.keys(VIEWS)) {
    $(name).hidden = name !== chosen;
    document.querySelector(`.tabs [href="#${name}"]`).toggleAttribute("aria-current", name === chosen);
  }
  VIEWS[chosen].open?.();
}

async function start() {
  setInterface(preferred());
  try {
    const [languages, info] = await Promise.all([fetched("/languages"), fetched("/v1/info")]);
    const main = languages.filter((one, place) => place < 2);
    Object.assign(state, { languages: main, info });
    show();
  } catch (error) {
    translate.problem(explain(error));
  }
  go();
}

for (const button of document.querySelectorAll("[data-interface]")) {
  button.addEventListener("click", () => setInterface(button.dataset.interface));
}
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keep("key", $("key").value.trim());
  location.reload();
});
addEventListener("hashchange", go);
start();
