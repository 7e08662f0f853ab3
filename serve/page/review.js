// What other speakers wrote, to be judged by those who speak the language too.
import { $, author, explain, fetched, make, number, say } from "./core.js";

export function show() { /* all its words are in the HTML, or come with the next answer */ }

export async function open() {
  try {
    const found = await fetched(`/v1/review?${new URLSearchParams({ author: author() })}`);
    $("waiting").textContent = say(found.total ? "waiting" : "nothingWaits", { total: number(found.total) });
    $("questions").replaceChildren(...found.questions.map(question));
  } catch (error) {
    $("waiting").textContent = explain(error);
  }
}

function question(asked) {
  const written = asked.corrections.map((one) => answer(one, asked));
  const conflict = new Set(asked.corrections.map((one) => one.correction)).size > 1 ? [make("p", { class: "conflict" }, say("conflict"))] : [];
  return make("li", { class: "card" }, make("p", { class: "sentence", lang: asked.source, dir: "auto" }, asked.text), ...conflict, ...written);
}

function answer(one, asked) {
  const status = make("span", { class: "small", role: "status" });
  const judge = async (good) => {
    try {
      await fetched("/v1/review", { body: { id: one.id, author: author(), good } });
      status.textContent = say(good ? "judgedGood" : "judgedBad");
    } catch (error) {
      status.textContent = explain(error);
    }
  };
  const by = one.name ? say("by", { name: one.name }) : "";
  const instead = one.instead_of ? say("insteadOf", { text: one.instead_of }) : "";
  return make("div", { class: "answer" },
    make("p", { lang: asked.target, dir: "auto" }, one.correction),
    make("p", { class: "small" }, [by, instead].filter(Boolean).join(" · ")),
    make("div", { class: "row" },
      make("button", { type: "button", class: "go", onclick: () => judge(true) }, say("good")),
      make("button", { type: "button", class: "quiet", onclick: () => judge(false) }, say("bad")),
      status));
}
