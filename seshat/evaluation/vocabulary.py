"""What new tokens did to a model: tokens and bits per character of held-out answers, before, after, and after training.

Bits per character compare models with different tokenizers. Of all the ways in which tokens can spell a text, the one that the
tokenizer takes is counted, as is usual: with more ways to spell, a model gives each of them a little less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from seshat.config import Section
from seshat.engines.transformers_model import TransformersModel
from seshat.errors import StoreError
from seshat.evaluation.cases import read_split
from seshat.language import Language
from seshat.prompts import ChatTokenizer
from seshat.records import digest
from seshat.store import PROCESSED, Manifest, Store

FOLDER = f"{PROCESSED}/tokenizer-extend"
ROWS = f"{FOLDER}/comparison.json"
NOT_ESTABLISHED = (
    "New tokens make texts shorter. That they help quality has not been established: train with and without, and keep what scores better."
)
Asked = list[tuple[str, str]]


@dataclass(frozen=True)
class Model:
    """A model to compare: the folders in the workspace of its weights and, if there is one, of its adapter."""

    folder: str
    adapter: str = ""

    def files(self, store: Store) -> list[str]:
        """SHA-256 of all its files, as the manifests have them."""
        folders = [folder for folder in (self.folder, self.adapter) if folder]
        manifests = [(folder, store.manifest(folder)) for folder in folders]
        missing = [store.path(folder) for folder, manifest in manifests if manifest is None]
        if missing:
            raise StoreError(f"{' and '.join(missing)} is not complete: run 'make tokenizer-extend' again")
        return [file.sha256 for _, manifest in manifests if manifest for file in manifest.files]


class Row(Section):
    """One model on the held-out answers."""

    system: str
    key: str
    """A digest of the model and of what it was asked."""
    vocabulary: int
    num_texts: int
    num_characters: int
    num_tokens: int
    bits_per_character: float


def compare(systems: Mapping[str, Model], language: Language, store: Store, sample: int) -> tuple[list[Row], bool]:
    """A row for each model, in order, and whether all of them were on disk; one model is in memory at a time."""
    asked = held_out(language, store, sample)
    known = {row.key: row for row in read_rows(store)}
    rows = []
    for system, model in systems.items():
        key = digest(system, *model.files(store), *(text for pair in asked for text in pair))
        rows.append(known.get(key) or _measure(system, model, asked, key, store))
    done = all(row.key in known for row in rows)
    if not done:
        file = store.write(ROWS, TypeAdapter(list[Row]).dump_json(rows, indent=1))
        keys = {row.system: row.key for row in rows}
        store.finish(FOLDER, Manifest(stage="tokenizer-extend", fingerprint=digest(*keys.values()), inputs=keys, files=(file,)))
    return rows, done


def held_out(language: Language, store: Store, sample: int) -> Asked:
    """Translations into the language of the validation set, at most ``sample`` by content: the message, and the answer.

    The test set is left alone, because on this number people decide.
    """
    forward = f"{language.bridge.code}-{language.code}"
    examples = [one for one in read_split(store, "val") if one.task == "translation" and one.direction == forward]
    chosen = sorted(examples, key=lambda one: one.digest)[:sample]
    if not chosen:
        raise StoreError(
            f"there are no translations into {language.name} to compare on in {store.path('data/training')}/val.jsonl: "
            "raise format.val and run 'make format' again, or raise evaluation.perplexity_sample"
        )
    return [(one.prompt, one.answer) for one in chosen]


def read_rows(store: Store) -> list[Row]:
    """The rows of the last comparison; none if there has been none."""
    return TypeAdapter(list[Row]).validate_json(store.read(ROWS)) if store.manifest(FOLDER) else []


def _measure(system: str, model: Model, asked: Asked, key: str, store: Store) -> Row:
    from seshat.evaluation.perplexity import perplexity  # torch

    base, adapter = store.path(model.folder), store.path(model.adapter) if model.adapter else ""
    tokenizer = ChatTokenizer.load(adapter or base)
    found = perplexity(TransformersModel(base, adapter=adapter).logits, tokenizer, asked)
    return Row(
        system=system,
        key=key,
        vocabulary=len(tokenizer.tokenizer),
        num_texts=found.num_texts,
        num_characters=found.num_characters,
        num_tokens=found.num_tokens,
        bits_per_character=found.bits_per_character,
    )


def table(rows: list[Row]) -> str:
    """The comparison for the terminal."""
    lines = [f"{'':<22}{'vocabulary':>12}{'tokens':>10}{'characters/token':>18}{'bits/character':>16}"]
    for row in rows:
        spread = row.num_characters / row.num_tokens
        lines.append(f"{row.system:<22}{row.vocabulary:>12,}{row.num_tokens:>10,}{spread:>18.2f}{row.bits_per_character:>16.3f}")
    lines.append(f"On {rows[0].num_texts} translations of the validation set ({rows[0].num_characters:,} characters).")
    return "\n".join([*lines, NOT_ESTABLISHED])


def note(rows: list[Row]) -> str:
    """The comparison in one line: from the base to the last row."""
    before, *others = rows
    saved = 1 - others[0].num_tokens / before.num_tokens
    figures = " -> ".join(f"{row.bits_per_character:.3f} ({row.system})" for row in rows)
    return f"{saved:.1%} fewer tokens; bits per character {figures}"
