"""Every format, as people's programs really write it, and every way in which a file can be wrong."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from seshat.data.readers import Content, Options, RefusedError, formats, open_raw, raw_files, read
from seshat.data.readers.delimited import sniff
from seshat.data.readers.txt import read_text
from seshat.data.readers.wordlines import WordLine, word_lines
from seshat.errors import DataError, StoreError
from seshat.records import RawFile


def content(name: str, data: bytes, options: Options | None = None) -> Content:
    return formats()[Path(name).suffix].read(data, options or Options())


def values(found: Content) -> list[dict[str, str]]:
    return [dict(row.values) for table in found.tables for row in table.rows]


# The raw folder


def test_raw_files_are_sorted_named_and_under_the_nearest_rights(tmp_path: Path) -> None:
    for name in ("scans/a.png", "dictionary/b.csv", "translations/laws/deep/x.shp.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "translations/laws/SOURCE.yaml").write_text("title: Laws\n")
    found = raw_files(str(tmp_path))
    assert [(file.origin, file.collection) for file in found] == [
        ("dictionary/b.csv", "dictionary"),
        ("scans/a.png", "scans"),
        ("translations/laws/deep/x.shp.txt", "translations/laws"),
    ]
    assert open_raw(found[0]) == b"dictionary/b.csv"
    assert len({file.sha256 for file in found}) == 3


@pytest.mark.parametrize("name", [".DS_Store", "~$x.docx", "SOURCE.yaml", ".git/config", "Thumbs.db"])
def test_what_is_not_material_is_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "dictionary" / name).parent.mkdir(parents=True)
    (tmp_path / "dictionary" / name).write_text("x")
    (tmp_path / "dictionary" / "words.csv").write_text("x")
    assert [file.origin for file in raw_files(str(tmp_path))] == ["dictionary/words.csv"]


@pytest.mark.parametrize("make", [False, True])
def test_a_missing_or_empty_raw_folder_says_what_to_put_there(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "raw"
    if make:
        (folder / "dictionary").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"raw is missing or empty: put dictionaries into .*raw/dictionary"):
        raw_files(str(folder))


def test_an_object_store_is_read_like_a_folder(tmp_path: Path) -> None:
    (tmp_path / "dictionary").mkdir()
    (tmp_path / "dictionary" / "a.csv").write_text("palabra,significado\n")
    (found,) = raw_files(tmp_path.as_uri())
    assert found.origin == "dictionary/a.csv"
    assert open_raw(found) == b"palabra,significado\n"


def test_a_file_that_vanished_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be opened"):
        open_raw(RawFile(origin="dictionary/gone.csv", collection="dictionary", path=str(tmp_path / "gone.csv"), sha256=""))


@pytest.mark.parametrize(("name", "said"), [("x.cvs", "did you mean '.csv'"), ("x", "without an extension"), ("x.exe", "format: .exe")])
def test_an_unknown_format_is_refused_by_name(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read(RawFile(origin=f"dictionary/{name}", collection="dictionary", path=str(tmp_path / name), sha256=""), Options())


# Tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_sniffed(delimiter: str) -> None:
    rows = [["palabra", "significado"], ["kene", "diseño"], ["xobo", "casa"]]
    assert sniff("\n".join(delimiter.join(row) for row in rows)) == delimiter


def test_commas_inside_meanings_do_not_fool_the_sniffer() -> None:
    assert sniff("palabra;significado\na;uno, dos\nb;tres\nc;cuatro, cinco, seis\n") == ";"


def test_csv_rows_carry_the_line_on_which_they_begin() -> None:
    found = content("a.csv", b'shp,es\na,"uno\ndos"\n\nb,tres\n')
    assert [row.place for row in found.tables[0].rows] == ["line=2", "line=5"]
    assert values(found)[0] == {"shp": "a", "es": "uno\ndos"}


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('a,b\nc,"never closed\nd,e\n', 3),
        ('a,b\r\n\r\nc,"never closed\r\nd,"e"\r\n', 4),
        ('a,"two\nlines","never ""closed""\nd,e\n', 3),
        ('"two\n\nlines","doubled not "inside" it"\n', 4),
        ('a,b\rc,"never closed\rd,e\r', 3),
    ],
)
def test_an_unterminated_quote_names_the_line_that_opens_it(rows: str, line: int) -> None:
    with pytest.raises(RefusedError, match=f"quotes: the quotation mark that opens a cell on line {line} is not closed"):
        content("a.csv", f"shp,es\n{rows}".encode())


def test_quotation_marks_in_tabs_are_text() -> None:
    found = content("a.tsv", b'shp\tes\na\t"Hola" dijo\nb\t"el ""otro"""\n')
    assert [row["es"] for row in values(found)] == ['"Hola" dijo', 'el "otro"']


def test_a_row_with_too_many_cells_has_a_problem_and_the_others_have_none() -> None:
    found = content("a.csv", b"shp,es\na,b,c\nd,e\n")
    assert [row.problem.partition(":")[0] for row in found.tables[0].rows] == ["ragged", ""]


def test_a_repeated_column_is_refused() -> None:
    with pytest.raises(RefusedError, match="columns: the header names 'es' more than once"):
        content("a.csv", b"shp,es,es\na,b,c\n")


def test_without_header_columns_are_numbers() -> None:
    assert values(content("a.csv", b"kene,dibujo\n", Options(header=False))) == [{"1": "kene", "2": "dibujo"}]


def test_json_lists_are_found_inside_objects_and_examples_inside_entries() -> None:
    data = {"version": 2, "entries": [{"id": 36, "word": {"form": "-a"}, "n": 3, "none": None, "ejemplos": [{"shp": "x", "es": "y"}]}]}
    (table,) = content("a.json", json.dumps(data).encode()).tables
    (row,) = table.rows
    assert (row.place, dict(row.values)) == ("entries=36", {"id": "36", "word.form": "-a", "n": "3"})
    assert [(one.place, dict(one.values)) for one in row.nested["ejemplos"]] == [("entries=36&ejemplos=1", {"shp": "x", "es": "y"})]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'[{"a": 1,}]', "syntax: line 1, column"),
        (b'[{"a": NaN}]', "syntax: NaN is not JSON"),
        (b"[1, 2]", "columns: the JSON holds no list of objects"),
        (b"[" * 100_000, "syntax: "),
    ],
)
def test_bad_json_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        content("a.json", data)


def test_a_bad_json_line_is_one_bad_row() -> None:
    (table,) = content("a.jsonl", b'{"shp": "a", "es": "b"}\n{"shp": \n[1]\n').tables
    assert [row.problem.partition(":")[0] for row in table.rows] == ["", "syntax", "syntax"]


def test_a_workbook_gives_every_sheet_with_rows() -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["palabra", "numero"])
    book.active.append(["kene", 3.0])
    book.active.append([None, None])
    book.create_sheet("vacía")
    book.create_sheet("otra").append(["palabra"])
    stream = io.BytesIO()
    book.save(stream)
    found = content("a.xlsx", stream.getvalue())
    assert values(found) == [{"palabra": "kene", "numero": "3"}]
    assert found.tables[0].rows[0].place == "sheet=Sheet&row=2"


@pytest.mark.parametrize("name", ["a.xlsx", "a.docx", "a.pdf"])
def test_bytes_of_another_kind_are_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="unreadable: not a"):
        content(name, b"This is no archive and no PDF.")


# Text


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        ("Uno.\nDos.\nTres.\n", [("Uno.", "line=1"), ("Dos.", "line=2"), ("Tres.", "line=3")]),
        ("Uno.\n\nDos.\r\n\r\nTres.", [("Uno.", "line=1"), ("Dos.", "line=3"), ("Tres.", "line=5")]),
        (
            "La comunidad se reunió ayer por la\ntarde para hablar de la escuela de\nlos niños.\n\n"
            "Después todos fueron a la orilla del\nrío y comieron el pescado que habían\ntraído.",
            [
                ("La comunidad se reunió ayer por la tarde para hablar de la escuela de los niños.", "line=1"),
                ("Después todos fueron a la orilla del río y comieron el pescado que habían traído.", "line=5"),
            ],
        ),
        ("una palabra\notra cosa que es mucho más larga que la primera de todas\ny\nfin", ["una palabra", None, "y", "fin"]),
    ],
)
def test_lines_of_an_editor_are_joined_and_lines_of_an_author_are_not(text: str, paragraphs: list[object]) -> None:
    found = read_text(text.encode(), Options()).paragraphs
    assert len(found) == len(paragraphs)
    for paragraph, expected in zip(found, paragraphs, strict=True):
        assert expected in (None, paragraph.text, (paragraph.text, paragraph.place))


def test_a_word_document_gives_paragraphs_and_tables_in_order() -> None:
    import docx

    document = docx.Document()
    document.add_paragraph("Antes")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((cell for row in table.rows for cell in row.cells), ("shp", "es", "kene", "diseño"), strict=True):
        cell.text = text
    document.add_paragraph("Después")
    stream = io.BytesIO()
    document.save(stream)
    found = content("a.docx", stream.getvalue())
    assert [one.text for one in found.paragraphs] == ["Antes", "shp", "es", "kene", "diseño", "Después"]
    assert [one.text for one in found.lines] == ["Antes", "Después"]
    assert values(found) == [{"shp": "kene", "es": "diseño"}]
    assert found.tables[0].rows[0].place == "table=1&row=2"


# Lists of words


@pytest.mark.parametrize(
    ("line", "headword", "translation", "part_of_speech"),
    [
        ("kene – diseño", "kene", "diseño", ""),
        ("kene\tdiseño", "kene", "diseño", ""),
        ("-bo — plural", "-bo", "plural", ""),
        ("kene - diseño - dibujo", "kene", "diseño - dibujo", ""),
        ("yakáti v.i. = sentarse", "yakáti", "sentarse", "v.i."),
        ("xobo (s.): casa", "xobo", "casa", "s."),
    ],
)
def test_a_line_is_cut_at_its_separator(line: str, headword: str, translation: str, part_of_speech: str) -> None:
    (found,) = word_lines(read_text(line.encode(), Options()).lines)
    assert (found.headword, found.translation, found.part_of_speech) == (headword, translation, part_of_speech)


def test_wrapped_meanings_go_on_and_lines_without_separator_are_problems() -> None:
    text = "A\nkene – diseño que se\n   pinta en la tela\n17\nxobo – casa\nsuelto\n"
    lines = read_text(text.encode(), Options()).lines
    found = [(one.headword, one.translation, one.problem.partition(":")[0]) for one in word_lines(lines)]
    assert found == [("", "", "separator"), ("kene", "diseño que se pinta en la tela", ""), ("xobo", "casa", ""), ("", "", "separator")]
    scanned: list[WordLine] = list(word_lines(lines, wrapped=True))
    assert scanned[-1].translation == "casa suelto"
