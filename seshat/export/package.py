"""What a receiver of a model needs beside its weights: the tokenizer, and a page that says what it is and what is allowed."""

from __future__ import annotations

import os
import shutil
from typing import Literal

from seshat.engines.weights import is_whole
from seshat.evaluation.floors import FLOORS
from seshat.evaluation.results import ScoreRow
from seshat.examples import TRAINING
from seshat.export.known import ADAPTERS, NOTHING, Known, known
from seshat.hints import KNOWLEDGE
from seshat.prompts import CARD, Card
from seshat.rights import Use
from seshat.store import Store
from seshat.translate import read_card

Kind = Literal["adapter", "merged", "gguf"]
PAGE = "README.md"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)
USES: dict[Use, str] = {
    "train": "train on the data",
    "publish_model": "publish the model",
    "publish_text": "publish texts from the data",
    "serve_public": "serve the model to the public",
    "commercial": "commercial use",
}
LOAD: dict[Kind, str] = {
    "adapter": """```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = AutoModelForCausalLM.from_pretrained("{base}")
model = PeftModel.from_pretrained(base, "path/to/this/folder")
tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")
```""",
    "merged": """```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("path/to/this/folder")
tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")
```""",
    "gguf": """```bash
llama-cli -m {name}-Q8_0.gguf --temp 0 -p "{prompt}"
```""",
}


def copy_tokenizer(source: str, folder: str) -> None:
    """Copy the tokenizer and the card of a model folder."""
    for name in (*TOKENIZER_FILES, CARD, KNOWLEDGE):
        if os.path.isfile(os.path.join(source, name)):
            shutil.copyfile(os.path.join(source, name), os.path.join(folder, name))


def package(store: Store, name: str) -> str:
    """Write the page of the adapter ``name``, unless its manifest already vouches for one; the path of the page.

    It is written anew whenever more may be known, such as scores.
    """
    folder = f"{ADAPTERS}/{name}"
    manifest, place = store.manifest(folder), store.path(folder)
    if manifest is None or f"{folder}/{PAGE}" not in {file.path for file in manifest.files}:
        describe(store, name, read_card(place), place, kind="merged" if is_whole(place) else "adapter")
    return os.path.join(place, PAGE)


def describe(store: Store, name: str, card: Card, folder: str, *, kind: Kind) -> None:
    """Write ``README.md`` into a folder that holds the adapter ``name`` in some form."""
    with open(os.path.join(folder, PAGE), "w", encoding="utf-8") as stream:
        stream.write(page(card, known(store, name, card), kind=kind))


def page(card: Card, known: Known = NOTHING, *, kind: Kind) -> str:
    """The page as Markdown, with the metadata block that model hubs read: languages, how to load it, base, data, scores, rights."""
    language, bridge = card.language, card.language.bridge
    licences = sorted({source.licence for source in card.rights.sources.values()}) or ["unknown"]
    base = known.base or (os.path.basename(card.base.rstrip("/")) if os.path.isabs(card.base) else card.base)
    prompt = card.prompts.instruction("translation", "…", language=language, source=bridge.code, target=language.code)
    lines = [
        "---",
        f"language: [{language.code}, {bridge.code}]",
        f"base_model: {base}",
        "library_name: " + {"adapter": "peft", "merged": "transformers", "gguf": "gguf"}[kind],
        "tags: [translation, seshat]",
        "---",
        "",
        f"# {card.name}: {bridge.name} and {language.name}",
        "",
        f"A language model that translates between {bridge.name} ({bridge.code}) and {language.name} ({language.code}), both ways.",
        f"Made with Seshat by fine-tuning {base}.",
        "",
        "## Load it",
        "",
        LOAD[kind].replace("{base}", base).replace("{name}", card.name).replace("{prompt}", prompt),
        "",
        f"Ask it as it was taught, through the chat template: `{prompt}`. All of its prompts are in `{CARD}`.",
        "",
        "## Base",
        "",
        *_base(card, base, known),
        "",
        "## Data",
        "",
        *_data(card, known),
        "",
        "## Scores",
        "",
        *_scores(known, kind),
        "",
        "## Rights",
        "",
        f"Licences of the data: {', '.join(licences)}.",
        *_rights(card),
        "",
    ]
    return "\n".join(lines)


def _base(card: Card, base: str, known: Known) -> list[str]:
    made = f" It is `{known.extends}` with new tokens (`make tokenizer-extend`)." if known.extends else ""
    alone = "" if known.revision else " It was not downloaded from a hub: whoever gets this model and not its base needs that folder, too."
    return [
        f"{base}"
        + (f", revision {known.revision}" if known.revision else "")
        + f".{made} SHA-256 of its weights: {_code(card.base_sha256)},",
        f"which is that of the lines `NAME SHA256` of its `*.safetensors`, by name. On other weights an adapter is refused.{alone}",
    ]


def _data(card: Card, known: Known) -> list[str]:
    if not card.data:
        return ["Nobody noted what it was trained on."]
    rows = [
        f"| {name} | {f'{known.examples[name]:,}' if name in known.examples else 'not known'} | {_code(sha)} |"
        for name, sha in sorted(card.data.items())
    ]
    lines = ["| file | examples | SHA-256 |", "|---|---:|---|", *rows]
    if known.data_manifest:
        lines += ["", f"Described by the manifest of `{TRAINING}` with the SHA-256 {_code(known.data_manifest)}."]
    if card.without:
        lines += ["", f"Without what was withdrawn before: {', '.join(card.without)}."]
    return lines


def _scores(known: Known, kind: Kind) -> list[str]:
    """Ours beside the base and the best floor, by direction; 95 % intervals."""
    by_direction: dict[str, dict[tuple[str, str], ScoreRow]] = {}
    for row in known.scores:
        by_direction.setdefault(row.direction, {})[row.system, row.metric] = row
    measured = {direction: found for direction, found in by_direction.items() if ("ours", "chrf++") in found}
    if not measured:
        return ["Not measured yet: `make eval` does it."]
    lines = ["| direction | sentences | chrF++ | BLEU | base, untrained (chrF++) | best floor (chrF++) |", "|---|---:|---|---|---|---|"]
    for direction, found in sorted(measured.items()):
        floors = [row for (system, metric), row in found.items() if system in FLOORS and metric == "chrf++"]
        best = max(floors, key=lambda row: row.score, default=None)
        cells = [found["ours", "chrf++"], found.get(("ours", "bleu")), found.get(("base", "chrf++"))]
        lines.append(
            f"| {direction} | {found['ours', 'chrf++'].n:,} | {' | '.join(map(_score, cells))} | "
            + (f"{_score(best)}, {best.system} |" if best else "- |")
        )
    signatures = dict.fromkeys(row.signature for row in known.scores if row.system == "ours" and row.metric in ("chrf++", "bleu"))
    where = " before it was turned into this form" if kind != "adapter" else ""
    lines += ["", f"With 95 % intervals, on {known.test_set}, of the adapter on its base{where}; {'; '.join(map(_code, signatures))}."]
    if known.num_leaked:
        lines += [
            "",
            f"{known.num_leaked:,} test cases (of both directions) also stand in the training data: the scores are better for it.",
        ]
    return lines


def _score(row: ScoreRow | None) -> str:
    return f"{row.score:.1f} [{row.low:.1f}, {row.high:.1f}]" if row else "-"


def _code(text: str) -> str:
    return f"`{text}`" if text else "not known"


def _rights(card: Card) -> list[str]:
    lines = []
    for name, source in sorted(card.rights.sources.items()):
        steward = f", steward: {source.steward}" if source.steward else ""
        lines.append(f"- {source.title or name}{steward} ({source.licence})")
        lines += [f"  - restriction: {text}" for text in source.restrictions]
        lines += [f"  - to have it withdrawn: {source.withdrawal}"] if source.withdrawal else []
    forbidden = [(words, card.rights.forbidding(use)) for use, words in USES.items() if use != "train"]
    refusals = [f"- **Not allowed: {words}** (by {', '.join(names)})" for words, names in forbidden if names]
    if not card.rights.sources:
        refusals = ["Nobody says whose data it holds, so nothing is allowed but use on the machine that made it."]
    return ["", *lines, *(["", *refusals] if refusals else [])]
