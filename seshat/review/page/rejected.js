"use strict";
const page = document.documentElement;
for (const button of document.querySelectorAll(".languages button")) {
  button.addEventListener("click", () => {
    page.dataset.words = page.lang = button.dataset.words;
    for (const one of document.querySelectorAll(".languages button")) one.setAttribute("aria-pressed", String(one === button));
  });
}
const rows = [...document.querySelectorAll("tr[data-text]")];
const found = document.getElementById("found");
document.getElementById("search").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  let number = 0;
  for (const row of rows) {
    row.hidden = wanted !== "" && !row.dataset.text.includes(wanted);
    if (!row.hidden) number += 1;
  }
  for (const details of document.querySelectorAll("details")) details.open = wanted !== "" && details.querySelector("tr[data-text]:not([hidden])") !== null;
  found.textContent = wanted === "" ? "" : String(number);
});
