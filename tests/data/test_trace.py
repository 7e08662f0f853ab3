"""The way back: from a training example to the line, page or second that somebody wrote or said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs import align, format, ingest, trace
from seshat.cli import VERBS
from seshat.command import run as run_verb
from seshat.data.format import Format
from seshat.data.readers import Options, find_raw, raw_files
from seshat.data.readers.excerpt import at, excerpt
from seshat.data.trace import Stop, Way
from seshat.errors import DataError, SeshatError, StoreError
from seshat.examples import read_examples
from seshat.language import SpellingRule
from seshat.records import Document, Entry, Example, Page, Record, SentencePair, Utterance
from seshat.settings import Settings
from seshat.store import Store
from tests.make import LANGUAGE, copied, finish

RAW = {
    "transcriptions/a.csv": 'tamuri,español\nama kene,el dibujo\nama joni qui,el hombre\n"",nadie\n',
    "translations/laws #2.qtm.txt": "ama kene joni. kene ama.\njoni joni kene.\n",
    "translations/laws #2.spa.txt": "el dibujo del hombre. un dibujo.\nel hombre del dibujo.\n",
    "translations/copied.qtm.txt": "ama kene.\njoni.\n",
    "translations/copied.spa.txt": "el dibujo.\njoni.\n",
    "translations/own #1.qtm.txt": "ama kene joni kene ama ainbo.\njoni joni kene ama kene.\n",
    "dictionary/d.csv": "palabra,significado\nkene,dibujo\n",
}
TAMURI = LANGUAGE.model_copy(
    update={"spelling": (SpellingRule(pattern="qu(?=[ei])", replacement="k"),), "old_spelling": ("transcriptions/*",)}
)


@pytest.fixture
def settings(workspace: Settings, tmp_path: Path) -> Settings:
    """A workspace of the test's own."""
    return copied(workspace, tmp_path)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A workspace with training data, a scan that was read and a recording that was heard."""
    tmp_path = tmp_path_factory.mktemp("made")
    for name, text in RAW.items():
        path = tmp_path / "data/raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    made = Settings(root=str(tmp_path), language=TAMURI, execution="local", format=Format(test=0, val=0, max_rejected=1))
    ingest.run(made)
    store = Store(made.root)
    page = Page(
        origin="scans/x.pdf#page=3",
        collection="scans",
        name="scans/x",
        number=3,
        language="qtm",
        text="ainbo ainbo joni yora",
        confidence=0.9,
    )
    word = Page(
        origin="scans/diccionario.pdf#page=1",
        collection="scans",
        name="scans/diccionario",
        number=1,
        language="qtm",
        text="yora – cuerpo",
        confidence=0.9,
    )
    finish(store, "ocr", [page], [word])
    heard = Utterance(
        origin="audio/a.wav#second=1.50..4.00",
        collection="audio",
        name="audio/a",
        text="yora yora ama joni",
        language="qtm",
        start=1.5,
        end=4.0,
        confidence=0.8,
    )
    finish(store, "transcribe", [heard])
    align.run(made)
    format.run(made)
    return made


@pytest.fixture
def way(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Callable[[str], tuple[Stop, ...]]:
    """Where the verb says that an id comes from."""

    def ask(name: str) -> tuple[Stop, ...]:
        capsys.readouterr()
        trace.run(settings, id=name, json=True)
        return Way.model_validate_json(capsys.readouterr().out).stops

    return ask


Ask = Callable[[str], tuple[Stop, ...]]


def example(settings: Settings, source: str) -> Example:
    """The training example that asks for a text."""
    return next(one for one in read_examples(f"{settings.root}/data/training/train.jsonl") if one.source == source)


def record(settings: Settings, kind: type[Record], origin: str) -> Record:
    """A record of ingest, kept or rejected."""
    records = (one for rejected in (False, True) for one in Store(settings.root).records("ingest", kind, rejected=rejected))
    return next(one for one in records if one.origin == origin)


def test_an_example_leads_to_its_line_through_every_stage(settings: Settings, way: Ask) -> None:
    asked = example(settings, "el hombre")
    lines, made, aligned, ingested, raw = way(asked.id)
    path, _, number = lines.place.rpartition(":")
    assert json.loads((Path(settings.root) / path).read_text().splitlines()[int(number) - 1])["id"] == asked.id
    assert [stop.stage for stop in (lines, made, aligned, ingested, raw)] == ["training", "format", "align", "ingest", "raw"]
    assert (made.facts["task"], made.facts["direction"], made.facts["split"], made.facts["weight"]) == (
        "translation",
        "spa-qtm",
        "train",
        "1.0",
    )
    assert made.facts["parent"] == aligned.id == ingested.id == asked.parent
    assert aligned.changed == ("passed as it came",)
    assert ingested.changed == ("respelled: ama joni qui -> ama joni ki",)
    [file] = [file for file in raw_files(f"{settings.root}/data/raw") if file.origin == "transcriptions/a.csv"]
    assert (raw.place, raw.facts["sha256"], raw.text) == ("transcriptions/a.csv  line=3", file.sha256, ("ama joni qui,el hombre",))


def test_an_aligned_pair_leads_to_the_sentences_of_both_documents(settings: Settings, way: Ask) -> None:
    stops = way(example(settings, "el hombre del dibujo.").parent)
    sides = ("translations/laws #2.qtm.txt", "joni joni kene."), ("translations/laws #2.spa.txt", "el hombre del dibujo.")
    assert stops[0].changed[0].startswith("aligned by a program, score ")
    assert stops[0].changed[0].endswith(": translations/laws #2.qtm.txt#line=2 with translations/laws #2.spa.txt#line=2")
    for (file, text), document, raw in zip(sides, stops[1::2], stops[2::2], strict=True):
        assert (document.kind, document.origin, document.text) == ("Document", file, (text,))
        assert (raw.stage, raw.place, raw.text) == ("raw", f"{file}  line=2", (text,))


def test_a_completion_leads_to_its_paragraph(settings: Settings, way: Ask) -> None:
    asked = example(settings, "joni joni")
    stops = way(asked.id)
    assert [stop.stage for stop in stops] == ["training", "format", "format", "ingest", "raw"]
    assert (stops[2].id, stops[2].text) == (asked.parent, ("joni joni kene ama kene.",))
    assert stops[3].text == stops[4].text == ("joni joni kene ama kene.",)
    assert way(asked.parent) == stops[2:]


@pytest.mark.parametrize(
    ("source", "kind", "text", "raw"),
    [
        ("ainbo ainbo", "Page", ("ainbo ainbo joni yora",), "scans/x.pdf  page=3"),
        ("yora", "Page", ("yora – cuerpo",), "scans/diccionario.pdf  page=1"),
        ("yora yora", "Utterance", (), "audio/a.wav  second=1.50"),
    ],
    ids=["a page", "an entry on a page", "a recording"],
)
def test_what_was_read_or_heard_leads_to_its_page_or_second(
    settings: Settings, way: Ask, source: str, kind: str, text: tuple[str, ...], raw: str
) -> None:
    stops = way(example(settings, source).id)
    assert (stops[-2].kind, stops[-2].text) == (kind, text)
    assert (stops[-1].place, stops[-1].changed) == (raw, ("not there any more",))
    if kind == "Utterance":
        assert stops[-2].facts["text"] == "yora yora ama joni"


@pytest.mark.parametrize(
    ("kind", "origin"),
    [(Entry, "dictionary/d.csv#line=2"), (Document, "translations/laws #2.qtm.txt"), (SentencePair, "transcriptions/a.csv#line=2")],
)
def test_every_stored_record_can_be_traced(settings: Settings, way: Ask, kind: type[Record], origin: str) -> None:
    asked = record(settings, kind, origin)
    stops = way(asked.id)
    assert (stops[0].id, stops[-2].kind, stops[-2].origin) == (asked.id, kind.__name__, origin)
    assert stops[-1].place.startswith(origin.partition("#line")[0])


@pytest.mark.parametrize(("stage", "kind"), [("ocr", Page), ("transcribe", Utterance)])
def test_a_page_or_an_utterance_comes_from_its_file(settings: Settings, way: Ask, stage: str, kind: type[Record]) -> None:
    asked = next(Store(settings.root).records(stage, kind))
    assert [(stop.stage, stop.kind) for stop in way(asked.id)] == [(stage, kind.__name__), ("raw", "")]


# What was rejected


def test_a_row_that_was_rejected_says_where_and_why(settings: Settings, way: Ask) -> None:
    ingested, raw = way(record(settings, SentencePair, "transcriptions/a.csv#line=4").id)
    assert ingested.changed == ("rejected by ingest: empty: no text in the language",)
    assert raw.text == ('"",nadie',)


def test_a_pair_that_a_filter_rejected_says_which(settings: Settings, way: Ask) -> None:
    [rejected] = Store(settings.root).records("align", SentencePair, rejected=True)
    assert way(rejected.id)[0].changed[1:] == ("rejected by align: copy: both sides are the same",)


def test_an_example_that_was_rejected_is_in_no_file(settings: Settings, way: Ask) -> None:
    table = Path(settings.root) / "data/raw/transcriptions/b.csv"
    table.write_text("tamuri,español\nama kene,el dibujo\n")
    for verb in (ingest, align, format):
        verb.run(settings)
    rejected = next(iter(Store(settings.root).records("format", Example, rejected=True)))
    stops = way(rejected.id)
    assert stops[0].stage == "format"
    assert stops[0].changed == ("rejected by format: duplicate: the same content stands elsewhere too",)


# Raw files that are not what they were


def test_a_line_of_a_file_that_has_changed_is_not_shown(settings: Settings, way: Ask) -> None:
    path = Path(settings.root) / "data/raw/transcriptions/a.csv"
    path.write_text(path.read_text().replace("el hombre", "otro"))
    raw = way(example(settings, "el hombre").id)[-1]
    assert (raw.text, raw.changed[0].partition(":")[0]) == ((), "changed since")
    path.unlink()
    assert way(example(settings, "el hombre").id)[-1].changed == ("not there any more",)


# What is asked


def test_the_beginning_of_an_id_is_enough_if_it_is_the_only_one(settings: Settings, way: Ask) -> None:
    asked = example(settings, "el hombre").id
    assert way(asked[:8]) == way(asked)
    with pytest.raises(DataError, match="'abcde' is too short for an id: give at least 6 digits"):
        way("abcde")


def test_an_id_that_is_not_there_says_which_was_meant_or_where_to_look(settings: Settings, way: Ask) -> None:
    asked = example(settings, "el hombre").id
    wrong = asked[:10] + ("0" if asked[10] != "0" else "1") + asked[11:]
    with pytest.raises(StoreError, match=f"no record of this workspace has the id {wrong}; did you mean {asked}"):
        way(wrong)
    with pytest.raises(StoreError, match=r"look in .*train\.jsonl: every line has its 'id'"):
        way("zzzzzzzzzz")


def test_several_ids_that_begin_alike_are_named(settings: Settings, way: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seshat.data.stored.SHORTEST", 0)
    with pytest.raises(DataError, match=r"\d+ ids begin with : [0-9a-f]{20}, .*; give more digits"):
        way("")


def test_an_empty_workspace_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(SeshatError, match="make ingest"):
        trace.run(Settings(root=str(tmp_path), language=TAMURI), id="abcdef", json=False)


def test_the_command_prints_for_people_or_for_programs(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    config = Path(settings.root) / "c.yaml"
    config.write_text("language: {code: qtm, name: tamuri}\n")
    asked = [example(settings, "el hombre").id, "--config", str(config), f"root={settings.root}"]
    assert run_verb(trace.run, "", arguments=trace.ARGUMENTS, argv=asked) == 0
    assert "            | ama joni qui,el hombre\n" in capsys.readouterr().out
    assert run_verb(trace.run, "", arguments=trace.ARGUMENTS, argv=[*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stops"][-1]["text"] == ["ama joni qui,el hombre"]
    assert {"trace", "withdraw", "clean-up"} <= VERBS.keys()


# What stands at a place


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("line=2", ["b"]),
        ("line=1..3", ["a", "b", "c"]),
        ("line=9", []),
        ("verse=GEN 1:2", ["v2"]),
        ("verse=GEN 1:1..GEN 1:2", ["v1", "v2"]),
    ],
)
def test_a_place_is_one_unit_or_several(tmp_path: Path, place: str, found: list[str]) -> None:
    units = [("verse=GEN 1:1", "v1"), ("verse=GEN 1:2", "v2"), ("verse=GEN 1:3", "v3")]
    (tmp_path / "translations").mkdir()
    (tmp_path / "translations/a.txt").write_bytes(b"a\r\nb\r\nc\r\n")
    file = find_raw(str(tmp_path), "translations/a.txt", "")
    assert file is not None
    assert (excerpt(file, place, Options()) if place.startswith("line") else at(place, units)) == found


def test_a_row_of_a_table_is_shown_with_its_columns(tmp_path: Path) -> None:
    (tmp_path / "dictionary").mkdir()
    (tmp_path / "dictionary/d.json").write_text('[{"palabra": "kene", "significado": "dibujo", "ejemplos": []}, {"palabra": "joni"}]')
    file = find_raw(str(tmp_path), "dictionary/d.json", "")
    assert file is not None
    assert excerpt(file, "entry=1", Options()) == ["palabra: kene | significado: dibujo"]
