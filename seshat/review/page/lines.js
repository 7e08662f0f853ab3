// The sheet of doubtful lines: answers are kept in the browser and saved as a CSV file.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const rows = [...document.querySelectorAll(".line")];
const content = data.rows.map((row) => row.join("|")).join("\n");
const memory = `seshat-lines-${[...content].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 2147483647, 7)}`;
let answers = {};
try {
  answers = JSON.parse(localStorage.getItem(memory) || "{}");
} catch {
  document.getElementById("forgetful").hidden = false;
}

function show(row) {
  const number = row.dataset.number;
  const answer = answers[number] || "";
  row.classList.toggle("done", Boolean(answer));
  for (const button of row.querySelectorAll("[data-answer]")) {
    button.setAttribute("aria-pressed", String(answer === data[button.dataset.answer]));
  }
  const count = Object.values(answers).filter(Boolean).length;
  document.getElementById("answered").textContent = count;
  document.getElementById("progress").value = count;
}

function keep(row, answer) {
  answers[row.dataset.number] = answer;
  try {
    localStorage.setItem(memory, JSON.stringify(answers));
  } catch {
    document.getElementById("forgetful").hidden = false;
  }
  show(row);
}

for (const row of rows) {
  const field = row.querySelector("input");
  const read = field.defaultValue;
  const known = answers[row.dataset.number];
  if (known && known !== data.right && known !== data.nothing) field.value = known;
  show(row);
  field.addEventListener("input", () => keep(row, field.value.trim() && field.value !== read ? field.value.trim() : ""));
  for (const button of row.querySelectorAll("[data-letter]")) {
    button.addEventListener("click", () => {
      field.setRangeText(button.dataset.letter, field.selectionStart, field.selectionEnd, "end");
      field.focus();
      field.dispatchEvent(new Event("input"));
    });
  }
  for (const button of row.querySelectorAll("[data-answer]")) {
    button.addEventListener("click", () => {
      const answer = data[button.dataset.answer];
      field.value = read;
      keep(row, answers[row.dataset.number] === answer ? "" : answer);
    });
  }
}

function next() {
  const open = rows.find((row) => !answers[row.dataset.number]);
  if (open) {
    open.scrollIntoView({ block: "center" });
    open.querySelector("input").focus({ preventScroll: true });
  }
}

document.getElementById("next").addEventListener("click", next);
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key !== "Enter") return;
  const row = document.activeElement.closest(".line");
  if (row && !answers[row.dataset.number]) row.querySelector('[data-answer="right"]').click();
  next();
});

document.getElementById("save").addEventListener("click", () => {
  const cell = (text) => `"${String(text).replaceAll('"', '""')}"`;
  const guarded = (text) => (data.formula.some((mark) => text.startsWith(mark)) && text !== data.nothing ? data.guard + text : text);
  const lines = [data.columns, ...data.rows.map((row, place) => [...row, guarded(answers[place + 1] || "")])];
  const file = new Blob(["\ufeff" + lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n"], { type: "text/csv" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = "lines.csv";
  link.click();
  URL.revokeObjectURL(link.href);
});

for (const button of document.querySelectorAll(".languages button")) {
  button.addEventListener("click", () => {
    document.documentElement.dataset.words = document.documentElement.lang = button.dataset.words;
    for (const other of document.querySelectorAll(".languages button")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  });
}
