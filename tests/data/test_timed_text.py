"""What is written with times can be read again, by our readers and as Praat and people write it."""

from __future__ import annotations

import codecs
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.data.ingest import ReadFile
from seshat.data.readers import Content, Options, RefusedError, formats
from seshat.data.readers.textgrid import read_praat
from seshat.data.timed_text import FORMATS, Format, Line, extension, write_timed
from seshat.errors import DataError
from seshat.language import Language
from seshat.records import RawFile, Record, SentencePair
from seshat.stage import guarded

TAMA = Language(code="qta", name="tama")
LINES = (Line('Dijo: "ma\'i & <ku>".', 0.5, 2.25), Line("Nañu ẽʼta.", 2.25, 3.0), Line("Ku?", 3.5, 3.75))


def read_as(form: Format, text: str | bytes) -> Content:
    data = text.encode() if isinstance(text, str) else text
    return formats()[f".{extension(form).lower()}"].read(data, Options())


def lines_of(content: Content) -> list[tuple[str, str]]:
    rows = [(row.values["text"], row.place) for table in content.tables for row in table.rows]
    return rows or [(paragraph.text, paragraph.place) for paragraph in content.paragraphs]


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_read_again(form: Format) -> None:
    found = lines_of(read_as(form, write_timed({"tx": LINES}, form, media="cuento.wav", seconds=9.0)))
    assert found == [(line.text, f"second={line.start:.2f}..{line.end:.2f}") for line in LINES]


TEXTS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12).filter(
    lambda text: not text.isdecimal() and "<" not in text and "{" not in text and "&" not in text and "-->" not in text
)


@given(said=st.lists(TEXTS, min_size=1, max_size=6), form=st.sampled_from(FORMATS))
@settings(max_examples=120, deadline=None)
def test_any_text_is_read_again(said: list[str], form: Format) -> None:
    said = [f"a{text}" for text in said]
    written = write_timed({"tx": [Line(text, number, number + 0.5) for number, text in enumerate(said)]}, form)
    assert [text for text, _ in lines_of(read_as(form, written))] == said


@pytest.mark.parametrize("form", ["eaf", "textgrid"])
def test_tiers_of_two_languages_become_pairs_by_time(form: Format) -> None:
    taught = [Line("Ma ku.", 0.5, 2.0), Line("Nañu.", 2.2, 3.0), Line("Ku ma.", 3.4, 5.0)]
    spanish = [Line("El perro viene.", 0.6, 2.1), Line("Ríe y se va.", 2.3, 4.8)]
    pairs = ingested("cuento." + extension(form), write_timed({"qta": taught, "spa": spanish}, form))
    assert [(pair.text, pair.translation, pair.origin.partition("#")[2]) for pair in pairs if isinstance(pair, SentencePair)] == [
        ("Ma ku.", "El perro viene.", "second=0.50..2.00"),
        ("Nañu. Ku ma.", "Ríe y se va.", "second=2.20..5.00"),
    ]
    assert not any(pair.rejected for pair in pairs)


def test_what_is_said_without_a_translation_is_rejected_alone() -> None:
    taught = [Line("Ma ku.", 0.5, 2.0), Line("Nañu.", 2.2, 3.0)]
    pairs = ingested("cuento.TextGrid", write_timed({"qta": taught, "spa": [Line("El perro viene.", 0.6, 2.1)]}, "textgrid"))
    assert [pair.reason for pair in pairs] == ["", "empty"]


def ingested(name: str, text: str) -> list[Record]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        file = RawFile(origin=f"transcriptions/{name}", collection="transcriptions", path=str(path), sha256="")
        return list(guarded(ReadFile(language=TAMA), [file]))


# TextGrid as Praat writes it

SHORT = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n2.5\n<exists>\n2\n'
    '"IntervalTier"\n"tx"\n0\n2.5\n2\n0\n1\n""\n1\n2.5\n"Ma ""ku""."\n"TextTier"\n"events"\n0\n2.5\n1\n0.5\n"cough"\n'
)
LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "tx"
        xmin = 0
        xmax = 2.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1
            text = ""
        intervals [2]:
            xmin = 1
            xmax = 2.5
            text = "Ma ""ku""."
    item [2]:
        class = "TextTier"
        name = "events"
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            number = 0.5
            mark = "cough" ! not in the throat
"""


@pytest.mark.parametrize("text", [SHORT, LONG])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_praat_writes_long_and_short_in_several_encodings(text: str, encoding: str) -> None:
    data = text.replace("\n", "\r\n").encode(encoding)
    tiers = read_praat(codecs.BOM_UTF16_BE + data if encoding == "utf-16-be" else data, Options())
    assert [(tier.name, [(one.value, one.start, one.end) for one in tier.annotations]) for tier in tiers] == [
        ("tx", [('Ma "ku".', 1.0, 2.5)]),
        ("events", [("cough", 0.5, 0.5)]),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Ma ku.", "damaged"),
        (SHORT.replace('"TextGrid"', '"PitchTier"'), "format"),
        (SHORT[: SHORT.index('"Ma')], "damaged"),
        (SHORT.replace("\n2\n0\n1\n", "\n99999999999\n0\n1\n"), "damaged"),
        (SHORT.replace('"events"', '"tx"'), "tiers"),
        (SHORT.replace('"Ma ""ku""."', '""').replace('"cough"', '""'), "empty"),
    ],
)
def test_a_wrong_textgrid_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=rf"^{reason}: "):
        read_as("textgrid", text)


@given(text=st.text(max_size=80), place=st.integers(0, len(LONG)))
@settings(max_examples=150, deadline=None)
def test_a_damaged_textgrid_is_an_error_on_purpose(text: str, place: int) -> None:
    with suppress(DataError):
        read_as("textgrid", LONG[:place] + text + LONG[place + len(text) :])


# Subtitles as people write them


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1\n00:00:01,000 --> 00:00:02,500\nMa ku.\n\n2\n00:01:00,5 --> 01:00:00,25\nNañu.\n",
         [("Ma ku.", 1.0, 2.5), ("Nañu.", 60.5, 3600.25)]),
        ("1\r\n00:00:01,000 --> 00:00:02,500  X1:1\r\n<i>Ma</i>\r\n- ku.\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nÑa",
         [("Ma ku.", 1.0, 2.5), ("Ña", 3.0, 4.0)]),
        ("WEBVTT\n\nNOTE Ma\n\ncue\n00:01.000 --> 00:02.500 align:start\n<v Ana>Ma &amp; <c.red>ku</c>.\n", [("Ma & ku.", 1.0, 2.5)]),
        ("1\n00:00:01,000 --> 00:00:02,500\n\n\n2\n00:00:03,000 --> 00:00:04,000\n{\\an8}Ku 5 < 6\n", [("Ku 5 < 6", 3.0, 4.0)]),
    ],
)  # fmt: skip
def test_subtitles_are_read_without_markup(text: str, found: list[tuple[str, float, float]]) -> None:
    assert lines_of(read_as("srt", text)) == [(said, f"second={start:.2f}..{end:.2f}") for said, start, end in found]


def test_a_file_without_subtitles_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"^empty: .*-->"):
        read_as("srt", "Ma ku.\n")
