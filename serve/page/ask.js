// Questions about words and grammar: what the model was taught beside translating.
import { $, explain, fetched, make, say, state } from "./core.js";

export function show() {
  if (!state.info) return;
  $("ideas").replaceChildren(...state.info.questions.map((idea) => make("button", { type: "button", onclick: () => propose(idea) }, idea)));
}

function propose(idea) {
  $("question").value = idea;
  $("question").focus();
}

async function ask(event) {
  event.preventDefault();
  const text = $("question").value.trim();
  if (!text || !state.info) return;
  $("question").value = "";
  const answer = make("p", { dir: "auto" });
  $("talk").append(make("li", { class: "asked", dir: "auto" }, text), make("li", { class: "card" }, answer));
  try {
    const body = { model: state.info.model, messages: [{ role: "user", content: text }], stream: true };
    for await (const piece of pieces(await fetched("/v1/chat/completions", { body, stream: true }))) answer.append(piece);
    if (!answer.textContent) answer.textContent = say("silent");
  } catch (error) {
    answer.append(` (${explain(error)})`);
  }
  answer.scrollIntoView({ block: "nearest" });
}

/** What a stream of server-sent events tells, piece by piece. */
async function* pieces(stream) {
  let rest = "";
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const events = (rest + read.value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, "");
      if (data === "[DONE]") continue;
      const told = JSON.parse(data);
      if (told.error) throw new Error(told.error.message);
      yield told.choices[0].delta.content ?? "";
    }
  }
}

$("ask-form").addEventListener("submit", ask);
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); $("ask-form").requestSubmit(); }
});
