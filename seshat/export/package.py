"""What a receiver of a model needs beside its weights: the tokenizer, and a page that says what it is and what is allowed."""

from __future__ import annotations

import os
import shutil

from seshat.prompts import CARD, Card
from seshat.rights import Use
from seshat.store import Store

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
LOAD = {
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
    for name in (*TOKENIZER_FILES, CARD):
        if os.path.isfile(os.path.join(source, name)):
            shutil.copyfile(os.path.join(source, name), os.path.join(folder, name))


def package(store: Store, folder: str, card: Card) -> str:
    """Write the page of an adapter folder, unless its manifest already vouches for one; the path of the page."""
    manifest = store.manifest(folder)
    page = f"{folder}/README.md"
    if manifest is None or page not in {file.path for file in manifest.files}:
        describe(store.path(folder), card, kind="adapter")
    return store.path(page)


def describe(folder: str, card: Card, *, kind: str) -> None:
    """Write ``README.md``: languages, base, how to load it, how to ask it, and who allows what."""
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8") as stream:
        stream.write(page(card, kind=kind))


def page(card: Card, *, kind: str) -> str:
    """The page as Markdown, with the metadata block that model hubs read."""
    language, bridge = card.language, card.language.bridge
    licences = sorted({source.licence for source in card.rights.sources.values()}) or ["unknown"]
    base = os.path.basename(card.base.rstrip("/")) if os.path.isabs(card.base) else card.base
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
        "## Rights",
        "",
        f"Licences of the data: {', '.join(licences)}.",
        *_rights(card),
        "",
    ]
    return "\n".join(lines)


def _rights(card: Card) -> list[str]:
    sources = [
        f"- {source.title or name}" + (f", steward: {source.steward}" if source.steward else "") + f" ({source.licence})"
        for name, source in sorted(card.rights.sources.items())
    ]
    forbidden = [(words, card.rights.forbidding(use)) for use, words in USES.items() if use != "train"]
    refusals = [f"- **Not allowed: {words}** (by {', '.join(names)})" for words, names in forbidden if names]
    return ["", *sources, *(["", *refusals] if refusals else [])]
