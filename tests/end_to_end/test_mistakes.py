"""Forty-six mistakes that people make: each is answered with its cause and with a command, a key or a place that mends it.

A row is what was done wrong, the command, its exit code, what must be said of the cause, and what of the cure. No message may call the
mistake a bug, or show a traceback.
"""

from __future__ import annotations

import importlib
import re
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from seshat.command import run
from seshat.verbs import VERBS
from tests.corpus import write_corpus

ROOT = Path(__file__).resolve().parents[2]
OWN_MAIN = ("init", "submit")
SECTIONS = {"train": "training", "eval": "evaluation", "serve": "serving", "download-model": "training", "tokenizer-extend": "training"}
PREVIEWS = ("ingest", "align", "train")
SETTINGS = "root={root} language=configs/languages/sample.yaml execution=local"
Mistake = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """One mistake."""

    name: str
    command: str
    code: int
    cause: str
    cure: str
    make: Mistake = lambda root: None
    plain: bool = False
    """The command has no workspace."""


def file(name: str, text: str | bytes) -> Mistake:
    """A file with a text, below the workspace."""

    def write(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def gone(*names: str) -> Mistake:
    """Folders that are not there any more."""
    return lambda root: [shutil.rmtree(root / name) for name in names]


def damage(root: Path) -> None:
    """Bytes of a part that are others, and as many."""
    part = next((root / "data/processed/ingest").glob("*SentencePair.parquet"))
    part.write_bytes(b"x" * part.stat().st_size)
    shutil.rmtree(root / "data/processed/align")


CASES = [
    # The command line
    Case("no such verb", "submit algin root=/w", 2, "no verb 'algin'", "did you mean 'align'", plain=True),
    Case("a word that is no setting", "align fast", 2, "'fast' is not key=value", "write for example root="),
    Case("a key with a typo", "align align.bnad=3", 2, r"align\.bnad: unknown key", "did you mean 'band'"),
    Case("a value of another kind", "align align.band=none", 2, r"align\.band: input should be a valid integer", "found 'none'"),
    Case("a choice that is none", "train precision=nf5", 2, r"training\.precision", "should be 'nf4', 'lora' or 'full'"),
    Case("no such configuration", "align --config nothing.yaml", 2, "nothing.yaml: cannot be read", "give an existing file"),
    Case("a dry run of what has none", "rejected --dry-run align", 2, "unrecognized arguments: --dry-run", "usage:"),
    Case("a stage that is none", "rejected aling", 2, "no stage 'aling'", "did you mean 'align'"),
    Case("a workspace that is a file", "ingest root={root}/c.txt", 2, "c.txt is a file", "name the folder", file("c.txt", "x")),
    # YAML
    Case(
        "YAML that is none",
        "align --config {root}/c.yaml",
        2,
        "c.yaml:2: not valid YAML",
        "mend that line",
        file("c.yaml", "language: [a\nroot: ."),
    ),
    Case(
        "a key twice",
        "align --config {root}/c.yaml",
        2,
        r'c.yaml:2: .* duplicate key "root"',
        "mend that line",
        file("c.yaml", "root: .\nroot: b\n"),
    ),
    Case(
        "no language",
        "align --config {root}/c.yaml",
        2,
        "language: is missing",
        "this key must be set",
        file("c.yaml", "root: .\n"),
        plain=True,
    ),
    Case("no such language file", "align language=nowhere.yaml", 2, "language: no file 'nowhere.yaml'", "beside"),
    Case(
        "a code of two letters",
        "align language={root}/l.yaml",
        2,
        r"language\.code: .*found 'q'",
        "three small letters",
        file("l.yaml", "code: q\nname: t\n"),
    ),
    Case(
        "a spelling rule that is no pattern",
        "align language={root}/l.yaml",
        2,
        r"spelling\.0\.pattern: not a regular expression",
        r"found '\['",
        file("l.yaml", 'code: qtm\nname: t\nspelling: [{pattern: "[", replacement: a}]\n'),
    ),
    Case(
        "rights with a typo",
        "format",
        2,
        "SOURCE.yaml: trian: unknown key",
        "known here: consent",
        file("data/raw/dictionary/SOURCE.yaml", "trian: no\n"),
    ),
    # Material
    Case("no material", "ingest", 1, "is missing or empty", "put dictionaries into", gone("data/raw")),
    Case(
        "columns that say nothing",
        "rejected ingest",
        0,
        "none of them is 'text'",
        "Add the column's name to ingest.columns",
        lambda root: columns(root),
    ),
    Case("a broken text", "rejected ingest", 0, "encoding", "save it again as UTF-8", lambda root: broken(root)),
    Case(
        "a scan in no language pack",
        "ocr ocr.languages=[xyz]",
        0,
        "language packs for xyz are not",
        "apt-get install",
        lambda root: scan(root),
    ),
    Case(
        "no model of speech", "transcribe transcribe.model=/no", 0, "there is no folder /no", "give one of them", lambda root: sound(root)
    ),
    Case("texts to translate that are not there", "next next.texts=/no.txt", 1, "/no.txt cannot be read", "give a text file"),
    # Steps in the wrong order
    Case("align before ingest", "align", 1, "ingest is not complete", "run 'make ingest' first", gone("data/processed/ingest")),
    Case("format before align", "format", 1, "align is not complete", "run 'make align' first", gone("data/processed/align")),
    Case(
        "train before format",
        "train model=small small.steps=2",
        1,
        "train.jsonl is not there",
        "run 'make format' first",
        gone("data/training"),
    ),
    Case("eval before train", "eval", 1, "there is no adapter", "run 'make train' first"),
    Case("export before train", "export-gguf", 1, "is not there", "run 'make train' first"),
    Case("package before train", "package", 1, "is not there", "run 'make train' first"),
    Case("serve before export", "serve", 1, "holds no model", "run 'make export-gguf' first, or set serving.model"),
    Case("back-translate before train", "back-translate", 1, "nothing can translate", "run 'make train' first"),
    Case("data-stats before format", "data-stats", 1, "training is not complete", "run 'make format' first", gone("data/training")),
    Case("no tokens to add", "tokenizer-extend", 2, "tokens is 0", "for example extend.tokens=500"),
    Case("a damaged part", "align", 1, "is not what its manifest says", "delete it and run its stage again", damage),
    # Models and machines
    Case("a base that is no folder", "download-model model=/no/such", 1, "'/no/such' is neither a folder", "give a local folder"),
    Case("a hub out of reach", "download-model model=Qwen/Qwen3-14B", 1, "the hub cannot be reached", "give a local folder"),
    Case("a GPU that is not there", "train use_gpu=true model=small small.steps=2 max_steps=1", 2, "torch sees no GPU", "set use_gpu=auto"),
    Case(
        "two workers in one process",
        "train num_workers=2 model=small small.steps=2 max_steps=1",
        1,
        "trains with one worker",
        "set training.num_workers=1",
    ),
    Case(
        "no cluster", "submit --address http://127.0.0.1:9 align root=/w", 1, "No cluster answers", "ray dashboard cluster.yaml", plain=True
    ),
    Case("a relative workspace on a cluster", "submit align root=w", 2, "'w' is relative", "root=/a/path/that/all/nodes/share", plain=True),
    # Other people's files
    Case("a package that is not there", "apply {root}/none.zip", 1, "none.zip is not there", "give the file that 'seshat package' wrote"),
    Case("a package that is none", "apply {root}/x.zip", 1, "cannot be unpacked", "ask whoever sent it for a new copy", file("x.zip", "x")),
    Case("a record that is unknown", "trace abcdef", 1, "has the id abcdef", "look in .*train.jsonl"),
    Case("runs that are unknown", "diff a b", 1, "'a' has no evaluation", "run 'make eval ARGS="),
    Case("a source that is unknown", "withdraw nothing.csv", 2, "'nothing.csv' is no file or folder", "known here: dictionary"),
    # A new project
    Case("material that is not there", "init me --raw {root}/no --language qtm --yes", 2, "there is no folder", "--raw", plain=True),
    Case(
        "a project that is there",
        "init me --directory {root}/p --raw {root}/data/raw --language qtm --yes",
        2,
        "is there already",
        "edit it, or delete it",
        file("p/seshat.yaml", ""),
        plain=True,
    ),
]


def columns(root: Path) -> None:
    file("data/raw/transcriptions/pairs.csv", "foo,bar\nx,y\n")(root)
    execute("ingest", [], root)


def broken(root: Path) -> None:
    file("data/raw/translations/x.qtm.txt", "ñandú está\n".encode("utf-16")[:-3])(root)
    execute("ingest", [], root)


def scan(root: Path) -> None:
    from PIL import Image

    (root / "data/raw/scans").mkdir()
    Image.new("L", (50, 50), 255).save(root / "data/raw/scans/a.png")


def sound(root: Path) -> None:
    file("data/raw/audio/a.wav", b"RIFF")(root)


def execute(verb: str, words: list[str], root: Path, *, plain: bool = False) -> int:
    """The exit code of a verb in this process."""
    job: ModuleType = importlib.import_module(f"jobs.{VERBS[verb][0]}")
    filled = [word.format(root=root) for word in words]
    try:
        if verb in OWN_MAIN:
            return int(job.main(filled))
        usual = [] if plain else [one.format(root=root) for one in SETTINGS.split() if f"{one.partition('=')[0]}=" not in " ".join(words)]
        arguments = getattr(job, "ARGUMENTS", None)
        return run(
            getattr(job, "show", job.run),
            job.__doc__,
            section=SECTIONS.get(verb, ""),
            arguments=arguments,
            previews=verb in PREVIEWS,
            argv=[*usual, *filled],
        )
    except SystemExit as ended:
        return int(str(ended.code))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose data stages are done."""
    root = tmp_path_factory.mktemp("mistakes") / "workspace"
    write_corpus(root / "data" / "raw")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        assert [execute(verb, [], root) for verb in ("ingest", "align", "format")] == [0, 0, 0]
    return root


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mistake_is_answered_with_cause_and_cure(
    done: Path, tmp_path: Path, case: Case, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    root = Path(shutil.copytree(done, tmp_path / "workspace"))
    case.make(root)
    capsys.readouterr()
    verb, *words = case.command.split()
    code = execute(verb, words, root, plain=case.plain)
    captured = capsys.readouterr()
    said = captured.err if code else captured.out
    assert code == case.code, said
    assert re.search(case.cause, said), said
    assert re.search(case.cure, said), said
    assert not re.search("Traceback|This is a bug", said), said


def test_a_port_that_is_taken(done: Path) -> None:
    from seshat.command import read_settings
    from seshat.doctor import examine

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        settings = read_settings(str(ROOT / "configs/data/pipeline.yaml"), [f"root={done}", f"serving.port={port}"])
        [found] = [finding for finding in examine(settings) if finding.what == "serve"]
    assert (found.verdict, str(port) in found.said, found.cure) == ("WARN", True, "serving.port=8001")
