// A whole document: sent, followed, and fetched when it is translated.
import { $, explain, fetched, make, number, say } from "./core.js";

const WAIT = 700;  // milliseconds between two looks
const mine = { asked: 0 };

/** Translate a file between two languages; what was being followed before is not any more. */
export async function translateFile(file, { source, target }) {
  const asked = ++mine.asked;
  tell(say("documentSending", { name: file.name }));
  try {
    const path = `/v1/documents?${new URLSearchParams({ name: file.name, source, target })}`;
    let told = await fetched(path, { file });
    while (told.state === "working" && asked === mine.asked) {
      tell(say("documentWorking", { name: file.name, done: number(told.done), total: number(told.total) }), told.done / told.total);
      await new Promise((done) => setTimeout(done, WAIT));
      told = await fetched(`/v1/documents/${told.id}`);
    }
    if (asked !== mine.asked) return;
    if (told.state === "failed") return tell(say("failed"));
    const made = await fetched(`/v1/documents/${told.id}/file`, { raw: true });
    const name = file.name.replace(/(\.\w+)$/, `.${told.target}$1`);
    tell(say("documentDone"), 1, make("a", { href: URL.createObjectURL(await made.blob()), download: name }, name));
  } catch (error) {
    if (asked === mine.asked) tell(explain(error));
  }
}

function tell(words, share = null, ...more) {
  const bar = share === null ? [] : [make("progress", { max: 1, value: share, "aria-label": words })];
  $("document").replaceChildren(make("p", {}, words, " ", ...more), ...bar);
  $("document").hidden = false;
}
