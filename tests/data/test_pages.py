"""What is made of recognised pages: running heads go, doubtful lines wait for people, and nothing is lost."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from seshat.data.corpus import unfolded
from seshat.data.entry_scores import in_order
from seshat.data.ingest import Ingest
from seshat.data.ingest import step as ingest_step
from seshat.data.line_guards import LineGuards
from seshat.data.lines import GUARD, doubtful
from seshat.data.pages import page_documents, page_entries, unused
from seshat.data.running_heads import running_heads
from seshat.data.voting import vote
from seshat.engines.ocr import Line
from seshat.language import Language
from seshat.records import Document, Entry, LineCorrection, Page, Record
from seshat.review.lines import table
from seshat.store import Store

SHIPIBO = Language(code="shp", name="shipibo", alphabet="a b ch e i j k m n o p r s sh t ts w x y")


def page(number: int, lines: Sequence[str], doubts: dict[int, str] | None = None, *, name: str = "scans/kene") -> Page:
    """A page of lines, one below the other; an empty line is a gap between paragraphs."""
    texts = [line for line in lines if line]
    step = 0.9 / max(1, len(texts))
    boxes = [share for place in range(len(texts)) for share in (0.1, 0.05 + place * step, 0.9, 0.05 + (place + 0.6) * step)]
    return Page(
        origin=f"{name}.pdf#page={number}",
        collection="scans",
        name=name,
        number=number,
        language="shp",
        text="\n".join(lines),
        confidence=0.9,
        boxes=tuple(boxes),
        confidences=(0.9,) * len(texts),
        doubts=tuple((doubts or {}).get(place, "") for place in range(len(texts))),
    )


def correction(one: Page, read: str, text: str, line: int = 0) -> LineCorrection:
    return LineCorrection(
        origin="corrections/lines.csv#row=2",
        collection="corrections",
        name=one.name,
        language=one.language,
        page=one.origin,
        line=line or one.lines.index(read) + 1,
        read=read,
        text=text,
    )


def kept(found: Sequence[Record]) -> list[Record]:
    return [one for one in found if not one.rejected]


# Running heads

SYLLABLES = ("jain", "xon", "moa", "ika", "na", "kene", "bake", "sho", "nte", "rimo", "yoi", "pari")


def body(number: int) -> list[str]:
    """Four lines that are different on each page."""
    rng = random.Random(number)
    return [" ".join("".join(rng.choices(SYLLABLES, k=2)) for _ in range(4)) for _ in range(4)]


def test_headers_footers_and_page_numbers_go_with_their_reasons() -> None:
    pages = [
        page(number, [f"NON JOI{'' if number % 2 else '.'} KENE", "", *body(number), "", f"- {number + 4} -", "Proyecto Kene 1987"])
        for number in range(1, 7)
    ]
    document, *rejected = page_documents(pages, SHIPIBO)
    text = " ".join(document.paragraphs)
    assert "KENE" not in text
    assert "Proyecto" not in text
    assert all(" ".join(body(number)[1:3]) in text for number in range(1, 7)), text
    reasons = [one.rejected for one in rejected]
    assert reasons.count("running head: it stands on 6 pages") == 12
    assert reasons.count("page number: it counts with 6 pages") == 6
    assert {one.origin for one in rejected} == {one.origin for one in pages}
    assert " ".join(one.paragraphs[0] for one in rejected).count("NON JOI") == 6


def test_what_stands_on_two_pages_or_in_the_middle_is_text() -> None:
    pages = [page(number, [*body(number)[:2], "Non joi.", *body(number)[2:], str(number * number)]) for number in range(1, 6)]
    assert running_heads(pages) == {}
    assert running_heads([page(1, ["Kene", *body(1), "1"]), page(2, ["Kene", *body(2), "2"])]) == {}


def test_headers_of_left_and_right_pages_may_differ() -> None:
    pages = [
        page(number, ["Libro de kene" if number % 2 else "Parte segunda", *body(number), *body(number + 1)]) for number in range(1, 11)
    ]
    assert len(running_heads(pages)) == 10


# Doubtful lines


def test_sentences_of_doubtful_lines_wait_and_the_others_are_used() -> None:
    lines = ["Jainxon moa ikana iki. Nokon", "aw1n ea y0ia. Ja jene", "kexakea. Moa basima."]
    document, *withheld = page_documents([page(1, lines, {1: "words: aw1n, y0ia look like no words"})], SHIPIBO)
    assert document.paragraphs == ("Jainxon moa ikana iki. Moa basima.",)
    assert [one.paragraphs for one in withheld] == [("Nokon aw1n ea y0ia.",), ("Ja jene kexakea.",)]
    assert all(one.rejected.startswith("line: 'aw1n ea y0ia. Ja jene' was read with doubt (words)") for one in withheld)
    one = page(1, lines, {1: "words: no"})
    [corrected] = page_documents([one], SHIPIBO, corrections=[correction(one, lines[1], "awin ea yoia. Ja jene")])
    assert corrected.paragraphs == ("Jainxon moa ikana iki. Nokon awin ea yoia. Ja jene kexakea. Moa basima.",)
    [without] = page_documents([one], SHIPIBO, corrections=[correction(one, lines[1], "")])
    assert without.paragraphs == ("Jainxon moa ikana iki. Nokon kexakea. Moa basima.",)


def test_a_page_of_doubts_alone_is_withheld_and_not_an_error() -> None:
    found = page_documents([page(1, ["xx yy"], {0: "confidence: 0.10 is below 0.6"})], SHIPIBO)
    assert [one.reason for one in found] == ["line"]


def test_noise_is_taken_away_and_nobody_is_asked() -> None:
    one = page(1, ["Jainxon moa", ".,", "ikana iki."], {1: "noise: nothing that could be a word, and confidence 0.10"})
    document, noise = page_documents([one], SHIPIBO)
    assert document.paragraphs == ("Jainxon moa ikana iki.",)
    assert (noise.paragraphs, noise.reason) == ((".,",), "noise")
    assert list(doubtful([one])) == []


def test_an_entry_on_a_doubtful_line_waits() -> None:
    one = page(1, ["kene – diseño", "x0bo – casa", "jene – agua"], {1: "words: x0bo looks like no words"}, name="scans/diccionario")
    found = page_entries([one], SHIPIBO)
    assert [entry.headword for entry in kept(found) if isinstance(entry, Entry)] == ["kene", "jene"]
    [withheld] = [entry for entry in found if entry.rejected]
    assert isinstance(withheld, Entry)
    assert (withheld.headword, withheld.translation, withheld.reason) == ("x0bo", "casa", "line")
    found = page_entries([one], SHIPIBO, corrections=[correction(one, "x0bo – casa", "xobo – casa")])
    assert [entry.headword for entry in found if isinstance(entry, Entry)] == ["kene", "xobo", "jene"]


def test_where_entries_begin_is_seen_by_their_indents() -> None:
    left = [
        "atapa s. gallina, ave",
        "  de corral de la",
        "  comunidad",
        "bake s. niño, hijo o",
        "  hija pequeña",
        "bari s. sol",
        "  día claro",
    ]
    right = ["jene s. agua de río o", "  de lluvia; Ja jene.", "kene – diseño, di-", "  bujo", "oxe s. luna", "  mes del año"]
    lines = [*left, *right]
    boxes = []
    for place, text in enumerate(lines):
        margin = 0.1 if place < len(left) else 0.55
        indent = 0.03 if text.startswith("  ") else 0.0
        row = place if place < len(left) else place - len(left)
        boxes += [margin + indent, 0.1 + 0.03 * row, margin + indent + 0.015 * len(text), 0.12 + 0.03 * row]
    one = replace(page(1, [text.strip() for text in lines], name="scans/diccionario"), boxes=tuple(boxes))
    entries = [entry for entry in page_entries([one], SHIPIBO) if isinstance(entry, Entry) and not entry.rejected]
    assert [(entry.headword, entry.part_of_speech) for entry in entries if entry.translation[0] != " "][:1] == [("atapa", "s.")]
    assert {entry.headword for entry in entries} == {"atapa", "bake", "bari", "jene", "kene", "oxe"}
    said = {entry.headword: entry.translation for entry in entries}
    assert said["kene"] == "diseño, dibujo"
    assert said["oxe"] == "luna mes del año"


def test_entries_of_a_scan_have_a_score() -> None:
    lines = [
        "ani – grande",
        "bake – niño",
        "bari – sol",
        "zzari – sol",
        "jene – agua",
        "kene – diseño",
        "nete – mundo",
        "oxe – luna",
        "xobo – casa",
    ]
    one = page(1, lines, name="scans/diccionario")
    one = replace(one, confidences=(0.9, 0.7, *one.confidences[2:]))
    scores = {entry.headword: entry.score for entry in page_entries([one], SHIPIBO) if isinstance(entry, Entry)}
    assert scores["ani"] == 0.9
    assert scores["bake"] == 0.7, "as sure as the engine"
    assert scores["zzari"] < 0.3, "two letters of no alphabet, and out of order"
    assert scores["bari"] == pytest.approx(0.9, abs=0.25)
    assert scores["xobo"] == 0.9
    said = correction(one, lines[1], "bake – niño")
    [bake] = [entry for entry in page_entries([one], SHIPIBO, corrections=[said]) if isinstance(entry, Entry) and entry.headword == "bake"]
    assert bake.score == 1.0
    assert bake.collection == "scans | corrections", "whoever corrected a line has a say in what becomes of it"


def test_an_unsorted_list_of_words_has_no_order_to_be_out_of() -> None:
    assert in_order(["xobo", "ani", "kene", "bake", "oxe", "jene", "nete", "bari"], SHIPIBO) == [1.0] * 8
    assert in_order(["xobo", "ani"], SHIPIBO) == [1.0] * 2


@pytest.mark.parametrize(
    ("text", "confidence", "reason"),
    [
        ("Jainxon moa ikana iki.", 0.9, ""),
        ("Jainxon moa ikana iki.", 0.3, "confidence"),
        ("Dfgdf vvlgf zzfg", 0.9, "alphabet"),
        ("jainx0n m0a ikana", 0.9, "words"),
        ("jaiNxon moA", 0.9, "words"),
        ("12 de mayo", 0.9, ""),
        ("1987", 0.9, ""),
        (". ,", 0.2, "noise"),
        (". ,", 0.9, ""),
    ],
)
def test_what_is_doubted(text: str, confidence: float, reason: str) -> None:
    assert LineGuards().doubt(text, confidence, SHIPIBO, taught=True).partition(":")[0] == reason


def test_a_language_without_an_alphabet_doubts_no_letter() -> None:
    assert LineGuards().doubt("Dfgdf vvlgf zzfg", 0.9, Language(code="qaa", name="x"), taught=True) == ""


# The sheet, there and back


def test_what_people_write_into_the_sheet_comes_back_by_ingest(tmp_path: Path) -> None:
    lines = ["Jainxon moa ikana iki.", "=aw1n ea y0ia.", "Ja j3ne kexak3a.", ".,;", "Moa b4sima joxon."]
    one = page(1, lines, dict.fromkeys(range(1, 5), "words: no"))
    waiting = list(doubtful([one]))
    assert [(item.number, item.text) for item in waiting] == list(enumerate(lines))[1:]
    rows = list(csv.DictReader(io.StringIO(table(waiting).decode("utf-8-sig"))))
    assert rows[0]["read"] == f"{GUARD}=aw1n ea y0ia."
    for row, answer in zip(rows, ["Nokon awin ea yoia.", "Ok", "–", ""], strict=True):
        row["corrected"] = answer
    sheet = tmp_path / "raw" / "corrections" / "lines.csv"
    sheet.parent.mkdir(parents=True)
    with sheet.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    store = Store(str(tmp_path))
    ingest_step(Ingest(), SHIPIBO, str(tmp_path / "raw")).run(store)
    said = list(store.records("ingest", LineCorrection))
    assert [(item.read, item.text) for item in said] == [
        ("=aw1n ea y0ia.", "Nokon awin ea yoia."),
        ("Ja j3ne kexak3a.", "Ja j3ne kexak3a."),
        (".,;", ""),
    ]
    assert [item.text for item in doubtful([one], said)] == ["Moa b4sima joxon."]
    found = list(unfolded([one, *said], SHIPIBO, (), ()))
    texts = [item.paragraphs[0] for item in found if isinstance(item, Document) and not item.rejected]
    assert texts == ["Jainxon moa ikana iki. Nokon awin ea yoia. Ja j3ne kexak3a."]
    assert [item.reason for item in found if item.rejected] == ["line"]


def test_a_correction_of_a_line_that_is_not_there_is_kept_with_its_reason() -> None:
    one = page(1, ["a b", "c d"])
    right, overruled = correction(one, "c d", "c e"), correction(one, "c d", "c f")
    lost = list(unused([one], [correction(one, "a c", "a b", 1), overruled, right]))
    assert [(item.reason, item.read, item.text) for item in lost] == [("line", "a c", "a b"), ("line", "c d", "c f")]


def test_lines_that_read_the_same_have_answers_of_their_own() -> None:
    one = page(1, ["lllii", "Moa joai.", "lllii"], {0: "words: no", 2: "words: no"})
    said = [correction(one, "lllii", "Nete riki.", 1), correction(one, "lllii", "Joni riki.", 3)]
    [document] = page_documents([one], SHIPIBO, corrections=said)
    assert document.paragraphs == ("Nete riki. Moa joai. Joni riki.",)
    moved = page(1, ["new", "lllii"], {1: "words: no"})
    assert page_documents([moved], SHIPIBO, corrections=said[:1])[0].paragraphs == ("new Nete riki.",), "read anew, and still the only one"
    [withheld] = page_documents([moved], SHIPIBO, corrections=said)
    assert withheld.reason == "line", "nobody knows which of the two it is now"


def test_a_mark_that_stands_in_a_text_is_no_doubt() -> None:
    one = page(1, ["Jainxon \ufffc moa.", "kene – dise\ufffcño"])
    [document] = page_documents([one], SHIPIBO)
    assert document.rejected == ""
    assert [entry.rejected for entry in page_entries([one], SHIPIBO) if isinstance(entry, Entry) and entry.headword == "kene"] == [""]


@pytest.mark.parametrize("line", ["káti v. ir", "káti - ir", "káti – ir", "káti v. – ir"])
def test_a_doubtful_entry_costs_only_itself(line: str) -> None:
    one = page(1, ["nete s. mundo", line, "12", "oxe s. luna"], {1: "words: no", 2: "confidence: low"}, name="scans/diccionario")
    found = [(entry.headword, entry.reason) for entry in page_entries([one], SHIPIBO) if isinstance(entry, Entry)]
    assert found == [("nete", ""), ("káti", "line"), ("oxe", "")]


def test_a_good_sentence_before_a_doubtful_one_is_used() -> None:
    document, withheld = page_documents([page(1, ["Eara jakon riki.", "¿Min jawen jane?"], {1: "words: no"})], SHIPIBO)
    assert (document.paragraphs, withheld.paragraphs) == (("Eara jakon riki.",), ("¿Min jawen jane?",))


def test_entries_go_on_over_the_page() -> None:
    def placed(number: int, lines: Sequence[tuple[str, bool]]) -> Page:
        one = page(number, [text for text, _ in lines], name="scans/diccionario")
        boxes = list(one.boxes)
        for place, (text, indented) in enumerate(lines):
            left = 0.14 if indented else 0.1
            boxes[4 * place], boxes[4 * place + 2] = left, left + 0.01 * len(text)
        return replace(one, boxes=tuple(boxes))

    first = placed(
        1,
        [
            ("atapa s. gallina", False),
            ("de corral", True),
            ("bari s. sol", False),
            ("de dia", True),
            ("joni s. persona", False),
            ("que vive", True),
        ],
    )
    second = placed(
        2,
        [
            ("en la selva: lejos", True),
            ("oxe s. luna", False),
            ("llena", True),
            ("yapa s. pez", False),
            ("de rio", True),
            ("wai s. chacra", False),
        ],
    )
    said = {
        entry.headword: entry.translation
        for entry in page_entries([first, second], SHIPIBO)
        if isinstance(entry, Entry) and not entry.rejected
    }
    assert said["joni"] == "persona que vive en la selva: lejos"
    assert "en la selva" not in said


def test_a_head_that_people_call_text_is_text() -> None:
    pages = [page(number, ["Non joi", *body(number), *body(number + 1)], {0: "words: no"}) for number in range(1, 5)]
    assert [item.number for item in doubtful(pages)] == []
    [document, *rejected] = page_documents(pages, SHIPIBO, corrections=[correction(pages[0], "Non joi", "Non joi.")])
    assert document.paragraphs[0].startswith("Non joi. ")
    assert len(rejected) == 3


# Two engines


def line(text: str, confidence: float, left: float = 0.1, right: float = 0.9, top: float = 0.1) -> Line:
    return Line(text, confidence, (left, top, right, top + 0.02))


def test_two_engines_vote_line_by_line() -> None:
    first = [line("jene kexa", 0.9), line("moa basima", 0.5, top=0.2), line("only here", 0.8, top=0.3)]
    second = [line("jene", 0.7, right=0.4), line("kexa", 0.7, left=0.5), line("moa basima.", 0.9, top=0.2), line("and here", 0.6, top=0.5)]
    found = vote([first, second])
    assert [one.text for one in found] == ["jene kexa", "moa basima.", "only here", "and here"]
    assert [round(one.confidence, 3) for one in found] == [0.9, round(0.9 * 10 / 11, 3), 0.4, 0.3]
    assert vote([first]) == first
