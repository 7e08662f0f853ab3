// The review sheet: marks are kept in the browser and saved as CSV. No library, no network.
"use strict";

const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const PLACE = `seshat-review-${data.sheet}`;
const SAID = {
  saved: { es: "Guardado: {name}. Devuélvalo a quien le dio esta página.", en: "Saved: {name}. Give it back to whoever gave you this page." },
  clear: { es: "¿Borrar todas las notas y textos de esta página?", en: "Clear all marks and texts of this page?" },
  done: { es: "Todas las filas tienen notas. Guarde el CSV.", en: "All rows have marks. Save the CSV." },
};
let state = { reviewer: "", consent: false, rows: {} };

// What is kept

function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(PLACE));
    if (kept && kept.rows) state = kept;
  } catch { forgetful(); }
}

function keep() {
  try { localStorage.setItem(PLACE, JSON.stringify(state)); } catch { forgetful(); }
}

function forgetful() { $("forgetful").hidden = false; }

// What is shown

const words = () => document.documentElement.dataset.words;
const articles = [...document.querySelectorAll(".row")];
const isMarked = (article) => Object.values(state.rows[article.id] ?? {}).some((value) => value !== "");

function speak(code) {
  document.documentElement.dataset.words = document.documentElement.lang = code;
  for (const button of document.querySelectorAll("button[data-words]")) {
    button.setAttribute("aria-pressed", String(button.dataset.words === code));
  }
}

function fill() {
  $("reviewer").value = state.reviewer;
  $("consent").checked = state.consent;
  for (const article of articles) {
    const row = state.rows[article.id] ?? {};
    for (const field of article.querySelectorAll("[data-key]")) {
      const value = row[field.dataset.key] ?? "";
      if (field.type === "radio") field.checked = field.value === value && field.dataset.key in row;
      else field.value = value;
    }
    show(article);
  }
  count();
}

function show(article) {
  article.classList.toggle("done", isMarked(article));
  for (const question of article.querySelectorAll(".question")) {
    const chosen = question.querySelector(":checked");
    for (const meaning of question.querySelectorAll("[data-level]")) meaning.hidden = meaning.dataset.level !== chosen?.value;
  }
}

function count() {
  const marked = articles.filter(isMarked).length;
  $("marked").textContent = marked;
  $("progress").value = marked;
}

function say(key, values = {}) {
  $("said").textContent = SAID[key][words()].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// What the reviewer does

function changed(event) {
  const field = event.target;
  const article = field.closest(".row");
  if (field.id === "reviewer") state.reviewer = field.value;
  else if (field.id === "consent") state.consent = field.checked;
  else if (article) {
    state.rows[article.id] = { ...state.rows[article.id], [field.dataset.key]: field.value };
    show(article);
    count();
  }
  keep();
}

function next() {
  const here = articles.indexOf(document.activeElement.closest(".row"));
  const after = [...articles.slice(here + 1), ...articles.slice(0, here + 1)].find((article) => !isMarked(article));
  if (!after) {
    say("done");
    document.querySelector(".end [data-save]").focus();
    return;
  }
  after.scrollIntoView({ block: "start" });
  after.querySelector("input").focus({ preventScroll: true });
}

function insert(letter, button) {
  const box = button.closest(".field").querySelector("textarea");
  box.setRangeText(letter, box.selectionStart, box.selectionEnd, "end");
  box.focus();
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

function clear() {
  if (!confirm(SAID.clear[words()])) return;
  state = { reviewer: state.reviewer, consent: state.consent, rows: {} };
  keep();
  fill();
}

// The file

function cell(text) {
  const safe = data.formula.some((sign) => text.startsWith(sign)) ? data.guard + text : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csv() {
  const who = { reviewer: state.reviewer.trim(), consent: state.consent ? data.yes : data.no };
  const lines = data.rows.map((row) => ({ ...row, ...state.rows[row.id], ...who }));
  const cells = lines.map((line) => data.keys.map((key) => cell((line[key] ?? "").trim())));
  return "\ufeff" + [data.columns.map(cell), ...cells].map((line) => line.join(",") + "\r\n").join("");
}

function save() {
  const who = state.reviewer.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
  link.download = ["review", data.sheet, who].filter(Boolean).join("-") + ".csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say("saved", { name: link.download });
}

document.addEventListener("input", changed);
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.words) speak(button.dataset.words);
  else if (button.dataset.letter) insert(button.dataset.letter, button);
  else if ("save" in button.dataset) save();
  else if (button.id === "next") next();
  else if (button.id === "clear") clear();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    next();
  }
});
recall();
speak(navigator.language.toLowerCase().startsWith("es") ? "es" : "en");
fill();
