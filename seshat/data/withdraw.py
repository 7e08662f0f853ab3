"""The verb ``withdraw``: what has to go when a source is taken back, what is made again, and which models and reports saw it.

What goes is found by looking into the files, so a second run finds what a killed one has left. First goes what is made of
examples (packed rows, statistics), then the examples, then the records.
"""

from __future__ import annotations

import json
import logging
import posixpath
from collections import Counter
from collections.abc import Iterator

from seshat.config import Section, did_you_mean
from seshat.data.next_sentences import SHEET, asked
from seshat.data.readers import raw_origins
from seshat.errors import ConfigError, StoreError
from seshat.examples import SPLITS, TRAINING, parse_lines
from seshat.prompts import CARD, Card
from seshat.store import PROCESSED, Store, read_table
from seshat.withdrawals import FILE, SPEECH_CARD, Withdrawal, Withdrawals, learnt_from, read_withdrawals, write_withdrawals

log = logging.getLogger(__name__)

EXTENSION = "/seshat-extension.json"
"""The record beside a base with tokens learnt from the training text."""
STAGES = ("ingest", "ocr", "transcribe", "align", "format")
"""The verbs that make the training data, in order. Back-translations are not made again by themselves: the model that wrote them may
have learnt from the source, so all of them go."""
READABLE = (*STAGES[:-1], "back-translate", STAGES[-1])
"""The stages whose records people may look at."""
MODELS, REPORTS = "models", "reports"
SHEETS = "reports/review-keys"
"""What review sheets show, each with its origin."""
AGAIN = {
    "adapters": "train again (make train ARGS=training.name={name}), or delete the folder",
    "merged": "make export-gguf after training, or delete the folder",
    "gguf": "make export-gguf after training, or delete the folder; those who have a copy must be told",
}
UNKNOWN = "it does not say what it was made of: delete the folder, or train again"


class Learner(Section):
    """A model or a report that saw the source, or that cannot be told from one that did."""

    path: str
    cure: str


class Plan(Section):
    """All that a withdrawal does, found out before anything is changed."""

    withdrawal: Withdrawal
    undo: bool
    files: tuple[str, ...]
    """Origins of the raw files of the source."""
    collections: tuple[str, ...]
    """Theirs: more than one if a folder below has rights of its own."""
    num_records: int
    """Records and examples of the source that are stored."""
    delete: tuple[str, ...]
    """Files of the workspace."""
    verbs: tuple[str, ...]
    """What is run again."""
    learners: tuple[Learner, ...]

    def __str__(self) -> str:
        held = f"{len(self.files)} raw files ({', '.join(self.collections) or 'none is there any more'})"
        lines = [f"{'take back the withdrawal of' if self.undo else 'withdraw'} {self.withdrawal}: {held}"]
        if not self.undo:
            lines.append("  raw files are yours and are not touched: delete them yourself if they must go")
            lines.append(f"  delete   {len(self.delete)} files of the workspace with {self.num_records:,} records of the source")
            folders = Counter(posixpath.dirname(name) for name in self.delete)
            lines += [f"           {folder}: {count}" for folder, count in folders.items()]
        lines.append(f"  run      {', '.join(self.verbs) or 'nothing: no verb has run here yet'}")
        lines += [f"  saw it   {one.path}: {one.cure}" for one in self.learners]
        return "\n".join(lines)


def plan(store: Store, raw: str, source: str, *, why: str = "", undo: bool = False) -> Plan:
    """What to withdraw (or, with ``undo``, to take back), and what follows; changes nothing."""
    source = source.removeprefix(f"{raw}/").strip("/")
    known = read_withdrawals(store)
    before = next((one for one in known.sources if one.source == source), None)
    if undo and before is None:
        raise ConfigError(f"{source!r} has not been withdrawn{did_you_mean(source, [one.source for one in known.sources])}")
    withdrawal = Withdrawal(source=source, why=why or (before.why if before else ""))
    origins = {origin: collection for origin, collection in raw_origins(raw).items() if withdrawal.covers(origin)}
    holding = {} if undo else _holding(store, withdrawal)
    learners = () if undo else tuple(_learners(store, withdrawal))
    if not (origins or any(holding.values()) or learners or before):
        everything = {name for pair in raw_origins(raw).items() for name in pair}
        raise ConfigError(f"{source!r} is no file or folder of {raw}, and nothing here was made of it{did_you_mean(source, everything)}")
    return Plan(
        withdrawal=withdrawal,
        undo=undo,
        files=tuple(origins),
        collections=tuple(sorted(set(origins.values()))),
        num_records=sum(holding.values()),
        delete=tuple(holding),
        verbs=tuple(stage for stage in STAGES if store.has_run(stage)),
        learners=learners,
    )


def carry_out(todo: Plan, store: Store) -> None:
    """Write the withdrawal down first, so that no run that starts now reads the source, then delete."""
    others = tuple(one for one in read_withdrawals(store).sources if one.source != todo.withdrawal.source)
    write_withdrawals(store, Withdrawals(sources=others if todo.undo else (*others, todo.withdrawal)))
    for name in todo.delete:
        store.remove(name)
    log.info("withdraw: %s written, %d files deleted", FILE, len(todo.delete))


def check_gone(todo: Plan, store: Store) -> None:
    """Stop if records of the source have come back: another run that began before the withdrawal has written them."""
    back = 0 if todo.undo else sum(_holding(store, todo.withdrawal).values())
    if back:
        raise StoreError(
            f"{back} records of {todo.withdrawal.source} are back in {store.path(PROCESSED)}: wait for whatever else runs here, "
            f"then run 'seshat withdraw {todo.withdrawal.source}' again"
        )


def _holding(store: Store, withdrawal: Withdrawal) -> dict[str, int]:
    """The files to delete, in order, with the number of records of the source that are in each.

    What is made of examples is deleted in any case: token ids do not say where they come from.
    """
    files = store.names(PROCESSED)
    found = {name: 0 for name in (*files, *store.names(TRAINING)) if name.endswith(".tmp") or _is_derived(name)}
    for split in SPLITS:
        name = f"{TRAINING}/{split}.jsonl"
        if store.size(name) >= 0:
            lines = store.read(name).decode("utf-8").split("\n")
            if count := sum(withdrawal.covers(example.origin) for example in parse_lines(lines, store.path(name))):
                found[name] = count
    for name in files:
        if name.endswith(".parquet") and name not in found:
            origins = read_table(store.read(name), ["origin"]).column("origin").to_pylist()
            if count := sum(map(withdrawal.covers, origins)):
                found[_line_of(name)] = 0  # first the line that makes the part count
                found[name] = count
    return found


def _is_derived(name: str) -> bool:
    """True for what is neither a part of a stage nor the manifest that says that it has run."""
    folder, _, file = name.rpartition("/")
    of_stage = folder in {f"{PROCESSED}/{stage}" for stage in STAGES}
    return name.startswith(f"{PROCESSED}/") and not (of_stage and (file == "manifest.json" or file.startswith("part-")))


def _line_of(name: str) -> str:
    """The JSON line of the part that a Parquet file belongs to."""
    folder, _, file = name.rpartition("/")
    return f"{folder}/{file.partition('.')[0]}.json"


def _learners(store: Store, withdrawal: Withdrawal) -> Iterator[Learner]:
    names = store.names(MODELS)
    guilty = set()
    for name in names:
        folder, _, file = name.rpartition("/")
        if file == CARD:
            card = Card.model_validate_json(store.read(name))
            if learnt_from(card, withdrawal, store):
                guilty.add(card.name)
                yield Learner(path=folder, cure=AGAIN.get(folder.split("/")[1], UNKNOWN).format(name=card.name))
        elif file == SPEECH_CARD:
            taught = json.loads(store.read(name))
            if withdrawal.source not in taught["without"] and any(map(withdrawal.covers, (*taught["data"], *taught["texts"]))):
                yield Learner(path=folder, cure=f"seshat speech-train speech.name={taught['name']} again, or delete the folder")
    known = {name.rpartition("/")[0] for name in names if name.endswith(f"/{CARD}")}
    for folder in sorted({"/".join(name.split("/")[:3]) for name in names if name.startswith(f"{MODELS}/adapters/")} - known):
        yield Learner(path=folder, cure=UNKNOWN)
    if any(map(withdrawal.covers, asked(store))):
        yield Learner(path=SHEET, cure="it asks for translations of its sentences: run seshat next again, and tell whom you gave it to")
    if store.size(f"{MODELS}/base/small/manifest.json") >= 0:
        yield Learner(path=f"{MODELS}/base/small", cure="made of texts of this workspace: make train makes it again if they changed")
    for folder in sorted({name.rpartition("/")[0] for name in names if name.startswith(f"{MODELS}/base/") and name.endswith(EXTENSION)}):
        yield Learner(
            path=folder, cure="its new tokens are pieces of this workspace's training text: delete it, make train learns them again"
        )
    for samples in (name for name in store.names(REPORTS) if posixpath.basename(name) == "samples.jsonl"):
        folder = posixpath.dirname(samples)
        details = f"{folder}/evaluation.json"
        shown = any(withdrawal.covers(json.loads(line).get("origin", "")) for line in store.read(samples).splitlines())
        judged = json.loads(store.read(details))["name"] if store.size(details) >= 0 else ""
        if shown or judged in guilty:
            yield Learner(path=folder, cure="make eval again after training; delete the folder if its samples must go")
    for name in store.names(SHEETS):
        if any(withdrawal.covers(row["origin"]) for row in json.loads(store.read(name))["rows"]):
            yield Learner(path=name, cure="a review sheet shows it: delete the files of its name in reports, and what came back")
