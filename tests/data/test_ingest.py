"""From files in the raw folder to entries, pairs and documents; one bad row or file never costs another."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from seshat.config import load
from seshat.data.columns import Columns
from seshat.data.ingest import FileRule, Ingest, ReadFile, step
from seshat.data.material import senses
from seshat.data.readers import formats
from seshat.errors import DataError, StoreError
from seshat.language import Language
from seshat.records import Document, Entry, RawFile, Record, SentencePair
from seshat.spelling import SpellingRule
from seshat.stage import guarded
from seshat.store import Store

CONFIGS = Path(__file__).parents[2] / "configs"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "languages"
SHIPIBO = Language(
    code="shp",
    name="shipibo-konibo",
    apostrophe="ʼ",
    spelling=(SpellingRule(pattern="qu(?=[ei])|c(?!h)", replacement="k"), SpellingRule(pattern="á", replacement="a")),
    old_spelling=("dictionary/old*",),
)
DICTIONARY = json.dumps(
    [
        {
            "id": 7,
            "termino": "tóati",
            "espanol": "1: cernir 2: colar",
            "variante": "tóaka",
            "dialecto": "coni.",
            "ejemplos": [
                {"shipibo": "Xéati tóake.", "castellano": "Coló el chapo.", "nota": "2: colar"},
                {"shipibo": "Jo'n tóake.", "castellano": "Lo cernió.", "nota": "Usase con el verbo."},
            ],
        }
    ]
)


def ingested(folder: Path, files: Mapping[str, str | bytes], ingest: Ingest | None = None, language: Language = SHIPIBO) -> list[Record]:
    """What the stage makes of a raw folder with these files."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    work = step(ingest or Ingest(), language, str(folder))
    return [record for part in work.parts for record in guarded(work.stages[0], part.records(Store(str(folder))))]


def pairs(records: list[Record]) -> list[tuple[str, str]]:
    return [(record.text, record.translation) for record in records if isinstance(record, SentencePair) and not record.rejected]


def entries(records: list[Record]) -> list[tuple[str, str]]:
    return [(record.headword, record.translation) for record in records if isinstance(record, Entry) and not record.rejected]


# Dictionaries


def test_an_entry_has_its_senses_and_its_examples_are_pairs(tmp_path: Path) -> None:
    found = ingested(tmp_path, {"dictionary/d.json": DICTIONARY})
    assert entries(found) == [("tóati", "cernir"), ("tóati", "colar")]
    assert isinstance(found[0], Entry)
    assert (found[0].origin, found[0].variants, found[0].dialect) == ("dictionary/d.json#entry=7", ("tóaka",), "coni.")
    examples = [record for record in found if isinstance(record, SentencePair)]
    assert [(one.origin, one.text, one.note) for one in examples] == [
        ("dictionary/d.json#entry=7&ejemplos=1", "Xéati tóake.", ""),
        ("dictionary/d.json#entry=7&ejemplos=2", "Joʼn tóake.", "Usase con el verbo."),
    ]


@pytest.mark.parametrize(
    ("row", "entry", "pair"),
    [
        ("axeati.;hacer aprender, enseñar.", ("axeati", "hacer aprender, enseñar"), None),
        ("-a;pasado", ("-a", "pasado"), None),
        ("—yon;sufijo", ("-yon", "sufijo"), None),
        ("Moara neteai.;Ya se hace de día.", None, ("Moara neteai.", "Ya se hace de día.")),
        ("¡Ari!;¡Claro!", ("¡Ari!", "¡Claro!"), None),
        ("xobo;casa etc.", ("xobo", "casa etc."), None),
    ],
)
def test_a_row_of_a_word_list_is_an_entry_or_a_sentence(
    tmp_path: Path, row: str, entry: tuple[str, str] | None, pair: tuple[str, str] | None
) -> None:
    found = ingested(tmp_path, {"dictionary/words.csv": f"palabra;significado\n{row}\n".encode("cp1252")})
    assert (entries(found), pairs(found)) == ([entry] if entry else [], [pair] if pair else [])


def test_a_table_with_a_row_for_each_example_gives_each_entry_once(tmp_path: Path) -> None:
    table = "Lema,Traducción,Ejemplo,Ejemplo (español)\nxobo,casa,Xobo jake.,Hay una casa.\nxobo,casa,Xobo ani.,La casa es grande.\n"
    found = ingested(tmp_path, {"dictionary/d.csv": table})
    assert entries(found) == [("xobo", "casa")]
    assert pairs(found) == [("Xobo jake.", "Hay una casa."), ("Xobo ani.", "La casa es grande.")]


def test_word_lines_are_entries_with_their_line(tmp_path: Path) -> None:
    found = ingested(tmp_path, {"dictionary/words.txt": "kene – diseño\nsuelto\n"})
    assert [(record.origin, record.reason) for record in found] == [
        ("dictionary/words.txt#line=1", ""),
        ("dictionary/words.txt#line=2", "separator"),
    ]


def test_old_spelling_is_replaced_and_kept(tmp_path: Path) -> None:
    found = ingested(tmp_path, {"dictionary/old.csv": "palabra,significado\nquené,diseño\ncáro,leña\nkene,dibujo\n"})
    assert [(one.headword, one.written) for one in found if isinstance(one, Entry)] == [("kené", "quené"), ("karo", "cáro"), ("kene", "")]


def test_every_text_keeps_what_its_source_wrote(tmp_path: Path) -> None:
    table = 'palabra,traducción,variantes,ejemplo,ejemplo (español)\n• quen\u0303e / cáne,dibujo,"cana; máki; maki",Cána.,Canta.\n'
    entry, example = ingested(tmp_path, {"dictionary/old.csv": table})
    assert isinstance(entry, Entry)
    assert isinstance(example, SentencePair)
    assert (entry.headword, entry.written) == ("keñe", "quen\u0303e")
    assert (entry.variants, entry.written_variants) == (("kane", "kana", "maki"), ("cáne", "cana", "máki"))
    assert (example.text, example.written) == ("Kana.", "Cána.")


def test_what_only_normalising_changed_is_kept_too(tmp_path: Path) -> None:
    table = "shp,es,morfemas\njo’n  ama,«jo’n» c’á,jo’-n\nama,quen\u0303e,a-ma\n"
    first, second = ingested(tmp_path, {"transcriptions/p.csv": table})
    assert isinstance(first, SentencePair)
    assert isinstance(second, SentencePair)
    assert (first.text, first.written, first.morphemes, first.written_morphemes) == ("joʼn ama", "jo’n ama", "joʼ-n", "jo’-n")
    assert (second.text, second.written, second.written_morphemes) == ("ama", "", "")


def test_spelling_rules_leave_the_bridge_language_alone(tmp_path: Path) -> None:
    table = "palabra,traducción,nota,categoría,ejemplo,ejemplo (español)\nquené,c’á quena,queca,cá,Cáca.,¿Qué cá’c?\n"
    entry, example = ingested(tmp_path, {"dictionary/old.csv": table})
    assert isinstance(entry, Entry)
    assert isinstance(example, SentencePair)
    assert (entry.translation, entry.note, entry.part_of_speech, example.translation) == ("c’á quena", "queca", "cá", "¿Qué cá’c?")
    everything = SHIPIBO.model_copy(update={"old_spelling": ("*",)})
    (spanish,) = ingested(tmp_path, {"translations/a.spa.txt": "¿Qué cá’c?"}, language=everything)[2:]
    assert isinstance(spanish, Document)
    assert (spanish.paragraphs, spanish.written) == (("¿Qué cá’c?",), ())


def test_a_document_keeps_the_paragraphs_that_were_changed(tmp_path: Path) -> None:
    old = SHIPIBO.model_copy(update={"old_spelling": ("translations/old*",)})
    first, second = ingested(tmp_path, {"translations/new.shp.txt": "Quene\nama", "translations/old.shp.txt": "Quene.\nama"}, language=old)
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert (first.paragraphs, first.written) == (("Quene", "ama"), ())
    assert (second.paragraphs, second.written) == (("Kene.", "ama"), ("Quene.", ""))
    assert [second.as_written(0), second.as_written(1), first.as_written(0)] == ["Quene.", "ama", "Quene"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1: intestino 2: estómago, 3: barrigón : gordo", ["intestino", "estómago", "barrigón : gordo"]),
        ("adj. 1 : flemoso 2 : resbaloso", ["flemoso", "resbaloso"]),
        (":sarampión", ["sarampión"]),
        ("grillo de 3 ó 4 centímetros", ["grillo de 3 ó 4 centímetros"]),
        ("vara de 1.5 metros", ["vara de 1.5 metros"]),
    ],
)
def test_numbered_senses(text: str, found: list[str]) -> None:
    assert senses(text) == found


# Bilingual tables


@pytest.mark.parametrize(
    "header", ["shp,es", "shp,spa", "Shipibo,Castellano", "texto,traducción", "ejemplo_shp,traduccion_es", "SHP,ESPAÑOL"]
)
def test_columns_are_found_by_name_or_language(tmp_path: Path, header: str) -> None:
    assert pairs(ingested(tmp_path, {"transcriptions/t.csv": f"{header}\nMoa.,Ya.\n"})) == [("Moa.", "Ya.")]


def test_columns_may_be_the_other_way_round_and_carry_glosses(tmp_path: Path) -> None:
    table = "es,shp,glosa,morfemas,nota,otra\nYa voy.,Eara kai.,yo-EV ir-PRS,ea-ra ka-i,de un cuento,x\n"
    (found,) = ingested(tmp_path, {"transcriptions/t.csv": table})
    assert isinstance(found, SentencePair)
    assert (found.text, found.gloss, found.morphemes, found.note) == ("Eara kai.", "yo-EV ir-PRS", "ea-ra ka-i", "de un cuento")


def test_a_correction_may_say_which_side_it_is(tmp_path: Path) -> None:
    made = ingested(tmp_path, {"corrections/ana.tsv": "shp\tes\tlado corregido\njawe\tqué\tes\nnokon\tmi\t\ntita\tmadre\tizquierda\n"})
    assert [(one.collection, one.corrected, one.rejected) for one in made if isinstance(one, SentencePair)] == [
        ("corrections", "spa", ""),
        ("corrections", "", ""),
        ("corrections", "", "corrected: the side 'izquierda' is neither shp nor spa"),
    ]


def test_missing_columns_are_refused_with_the_cure(tmp_path: Path) -> None:
    (found,) = ingested(tmp_path, {"transcriptions/t.csv": "izquierda,castelano\na,b\n"})
    assert isinstance(found, RawFile)
    assert found.reason == "columns"
    for said in ("'izquierda', 'castelano'", "did you mean 'castellano'?", "ingest.columns.text"):
        assert said in found.rejected


def test_a_rule_for_a_file_names_its_columns(tmp_path: Path) -> None:
    rule = FileRule(pattern="transcriptions/t*", header=False, columns=Columns(text=("2",), bridge=("1",)))
    assert pairs(ingested(tmp_path, {"transcriptions/t.csv": "Ya.,Moa.\n"}, Ingest(files=(rule,)))) == [("Moa.", "Ya.")]


def test_transcripts_beside_recordings_are_pairs_and_recordings_are_not_read(tmp_path: Path) -> None:
    found = ingested(tmp_path, {"audio/t.csv": "file,shp,es\na.wav,Moa.,Ya.\n", "audio/a.wav": b"RIFF"})
    assert pairs(found) == [("Moa.", "Ya.")]
    assert len(found) == 1


# Documents


def test_both_sides_of_a_document_share_a_name(tmp_path: Path) -> None:
    found = ingested(tmp_path, {"translations/udhr.shp.txt": "Jatibi joni.\n\nMoa.\n", "translations/udhr.es.txt": "Todos.\n\nYa.\n"})
    assert [(one.name, one.language, one.paragraphs, one.places) for one in found if isinstance(one, Document)] == [
        ("translations/udhr", "spa", ("Todos.", "Ya."), ("line=1", "line=3")),
        ("translations/udhr", "shp", ("Jatibi joni.", "Moa."), ("line=1", "line=3")),
    ]


def test_a_document_without_language_says_how_to_call_it(tmp_path: Path) -> None:
    (found,) = ingested(tmp_path, {"translations/udhr.txt": "Jatibi joni.\n"})
    assert found.rejected.startswith("language: ")
    assert "udhr.shp.txt or udhr.spa.txt" in found.rejected


def test_a_two_column_translation_is_a_document_of_pairs(tmp_path: Path) -> None:
    (found,) = ingested(tmp_path, {"translations/bible.tsv": "spa\tshp\nYa.\tMoa.\n"})
    assert isinstance(found, SentencePair)
    assert found.document == "translations/bible"


def test_line_by_line_is_said_by_the_configuration(tmp_path: Path) -> None:
    files = {"translations/a.shp.txt": "Moa.\n", "translations/b.shp.txt": "Moa.\n"}
    found = ingested(tmp_path, files, Ingest(line_by_line=("translations/b*",)))
    assert [one.line_by_line for one in found if isinstance(one, Document)] == [False, True]


def test_text_of_the_language_alone_is_a_document(tmp_path: Path) -> None:
    found = ingested(tmp_path, {"transcriptions/m.shp.txt": "Moa.\nJo'n.\n"})
    assert [one.paragraphs for one in found if isinstance(one, Document)] == [("Moa.", "Joʼn.")]


# What is wrong


@pytest.mark.parametrize(
    ("row", "reason"),
    [("Moa.,", "empty"), ("...,Ya.", "empty"), ("Moa.,Ya.,x", "ragged"), (f"Moa.,{'x' * 300}", "length"), ("Moa.,educaciÃ³n", "encoding")],
)
def test_a_bad_row_is_rejected_alone(tmp_path: Path, row: str, reason: str) -> None:
    found = ingested(tmp_path, {"transcriptions/t.csv": f"shp,es\n{row}\nEa.,Yo.\n"}, Ingest(max_chars=200))
    assert [one.reason for one in found] == [reason, ""]
    assert found[0].origin == "transcriptions/t.csv#line=2"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("dictionary/x.exe", b"MZ", "format"),
        ("dictionary/x.csv", b"", "empty"),
        ("dictionary/x.xlsx", b"PK\x03\x04 but not a workbook", "unreadable"),
        ("translations/x.shp.pdf", b"%PDF-1.7 cut", "unreadable"),
        ("transcriptions/x.csv", b'shp,es\na,"b\n', "quotes"),
        ("transcriptions/x.csv", "shp,es\na,niño\n".encode("utf-16-le"), "encoding"),
        ("notes.txt", b"hello", "folder"),
        ("elsewhere/notes.txt", b"hello", "folder"),
    ],
)
def test_a_bad_file_is_rejected_alone_with_its_reason(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    found = ingested(tmp_path, {name: data, "transcriptions/good.csv": "shp,es\nEa.,Yo.\n"})
    assert pairs(found) == [("Ea.", "Yo.")]
    assert [(one.origin, one.reason) for one in found if isinstance(one, RawFile)] == [(name, reason)]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_that_may_not_be_read_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "dictionary" / "x.csv"
    path.parent.mkdir()
    path.write_text("a")
    path.chmod(0)
    (found,) = ingested(tmp_path, {})
    assert found.reason == "unreadable"


def test_an_empty_raw_folder_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is missing or empty"):
        step(Ingest(), SHIPIBO, str(tmp_path / "raw"))


def test_too_many_bad_rows_fail_the_run_and_the_next_one_starts_from_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "raw/transcriptions").mkdir(parents=True)
    (tmp_path / "raw/transcriptions/t.csv").write_text("shp,es\na,\nb,\nc,d\n")
    store = Store(str(tmp_path))
    work = step(Ingest(), SHIPIBO, str(tmp_path / "raw"))
    for part in work.parts:
        work.work(part, store)
    with pytest.raises(DataError, match="67% of 3 rows were rejected"):
        work.finish(store)
    lenient = step(Ingest(max_rejected=0.9), SHIPIBO, str(tmp_path / "raw"))
    assert lenient.finish(store).rejected == {"empty": 2}
    assert lenient.done(store)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)), extension=st.sampled_from(sorted(formats())))
def test_no_bytes_surprise_a_reader(tmp_path: Path, data: bytes, extension: str) -> None:
    path = tmp_path / f"x{extension}"
    path.write_bytes(data)
    for origin in (f"dictionary/x{extension}", f"transcriptions/x.shp{extension}", f"translations/x{extension}"):
        file = RawFile(origin=origin, collection="x", path=str(path), sha256="")
        found = list(guarded(ReadFile(language=SHIPIBO), [file]))
        assert not [one.rejected for one in found if one.reason == "error"]


def test_the_pipeline_file_shows_the_defaults() -> None:
    written = YAML(typ="safe").load((CONFIGS / "data" / "pipeline.yaml").read_text(encoding="utf-8"))
    assert Ingest.model_validate(written["ingest"]) == Ingest()


@pytest.mark.parametrize("name", ["sample", "shp", "template"])
def test_language_profiles_load(name: str) -> None:
    language = load(Language, CONFIGS / "languages" / f"{name}.yaml")
    assert language.name
    assert not language.foreign_letters(language.alphabet)


# Real material


@pytest.mark.skipif(not (SHARED / "shp").is_dir(), reason="needs ../shared/data/languages/shp")
@pytest.mark.heavy
def test_shipibo_as_people_keep_it() -> None:
    language = load(Language, CONFIGS / "languages" / "shp.yaml")
    work = step(Ingest(), language, str(SHARED / "shp" / "raw"))
    found = {part.inputs[0].origin: list(work.stages[0]([part.inputs[0]])) for part in work.parts if isinstance(part.inputs[0], RawFile)}
    kept = {origin: sum(not record.rejected for record in records) for origin, records in found.items()}
    assert kept["transcriptions/flashcards.csv"] == 7_740
    assert kept["transcriptions/ejemplos_diccionario.xlsx"] == 4_736
    assert kept["translations/religious.tsv"] == 12_545
    assert kept["dictionary/vocabulario.csv"] == 319
    assert kept["dictionary/diccionario.json"] > 9_700
    assert not [record for records in found.values() for record in records if isinstance(record, RawFile)]
    modern = {word for text, _ in pairs(found["transcriptions/flashcards.csv"]) for word in language.words(text)}
    old = [one for one in found["transcriptions/ejemplos_diccionario.xlsx"] if isinstance(one, SentencePair)]
    today = [word for one in old for word in language.words(one.text)]
    written = [word for one in old for word in language.words(one.written or one.text)]
    known = sum(word in modern for word in today) / len(today)
    assert known > 3 * sum(word in modern for word in written) / len(written)
