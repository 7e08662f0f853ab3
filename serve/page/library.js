// The dictionary and the sentences that the model learnt from, and where each line is from.
import { $, explain, fetched, make, number, say, state } from "./core.js";

const mine = { asked: null, shown: 0 };

export function show() {
  $("query").placeholder = say("query");
}

export function open() {
  const asked = JSON.stringify([$("query").value, $("task").value]);
  if (asked !== mine.asked) search();
  $("query").focus();
}

async function search(start = 0) {
  if (!start) mine.asked = JSON.stringify([$("query").value, $("task").value]);
  const asked = mine.asked;
  const [query, task] = JSON.parse(asked);
  try {
    const found = await fetched(`/v1/search?${new URLSearchParams({ q: query, task, start })}`);
    if (asked !== mine.asked) return; // another question is newer
    const [bridge, ours] = state.languages;
    const lines = found.lines.map((line) => make("li", {},
      make("p", { lang: ours.code, dir: "auto" }, line.text),
      make("p", { lang: bridge.code, dir: "auto", class: "other" }, line.translation),
      make("p", { class: "small" }, line.origin)));
    if (!start) $("lines").replaceChildren();
    $("lines").append(...lines);
    mine.shown = start + lines.length;
    $("found").textContent = say("found", { total: number(found.total) });
    $("further").hidden = mine.shown >= found.total;
  } catch (error) {
    $("found").textContent = explain(error);
  }
}

$("search-form").addEventListener("submit", (event) => { event.preventDefault(); search(); });
$("task").addEventListener("change", () => search());
$("further").addEventListener("click", () => search(mine.shown));
