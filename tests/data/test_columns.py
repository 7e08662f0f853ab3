"""Which column holds what: names that a person set, names of the languages, and names that anything could have."""

from __future__ import annotations

import pytest

from seshat.data.columns import Columns, Role, find_columns
from seshat.data.readers import RefusedError
from seshat.language import Bridge, Language

SHIPIBO = Language(code="shp", name="shipibo-konibo")
PAIR: tuple[Role, ...] = ("text", "bridge", "gloss", "morphemes", "note")
ENTRY: tuple[Role, ...] = ("headword", "translation", "part_of_speech", "note", "text", "bridge")


def pair(header: str, names: Columns | None = None, language: Language = SHIPIBO) -> tuple[str, str]:
    """The columns of a sentence and its translation in a table with this header."""
    found = find_columns(header.split(","), PAIR, ("text", "bridge"), names or Columns(), language)
    return found["text"], found["bridge"]


def entry(header: str) -> dict[Role, str]:
    return find_columns(header.split(","), ENTRY, ("headword", "translation"), Columns(), SHIPIBO)


@pytest.mark.parametrize(
    ("header", "bridge"),
    [
        ("shp,translation,spanish", "spanish"),
        ("shp,translation,Español", "Español"),
        ("shp,english,target,castellano", "castellano"),
        ("shp,translation,es", "es"),
        ("shp,translation,spa", "spa"),
        ("shp,translation,Spanish translation", "Spanish translation"),
        ("shp,translation (English),traducción_es", "traducción_es"),
        ("shp,english,translation", "translation"),
        ("shp,translation,nota (español)", "translation"),
        ("shp,Comentario en español,traducción", "traducción"),
    ],
)
def test_the_column_that_names_the_bridge_language_is_the_translation(header: str, bridge: str) -> None:
    assert pair(header) == ("shp", bridge)


def test_the_bridge_language_is_the_profiles() -> None:
    english = Language(code="shp", name="shipibo", bridge=Bridge(code="eng", name="English", short="en"))
    assert pair("shp,spanish,english", language=english) == ("shp", "english")


def test_the_column_that_names_the_taught_language_is_the_text() -> None:
    assert pair("source,shipibo,es") == ("shipibo", "es")


def test_another_language_is_not_the_bridge() -> None:
    with pytest.raises(RefusedError, match="none of them is 'bridge'"):
        pair("shp,english")


@pytest.mark.parametrize(
    "names",
    [
        Columns(bridge=("translation",)),  # in place of the usual names
        Columns(bridge=(*Columns().bridge, "english")),  # beside them
    ],
)
def test_a_name_that_a_person_set_wins(names: Columns) -> None:
    header = "shp,spanish,translation" if names.bridge == ("translation",) else "shp,spanish,english"
    assert pair(header, names) == ("shp", header.rpartition(",")[2])


@pytest.mark.parametrize(
    ("header", "translation"),
    [("word,translation,spanish", "spanish"), ("shp,english,spanish", "spanish"), ("palabra,significado,nota_es", "significado")],
)
def test_a_dictionary_is_translated_into_the_bridge_language(header: str, translation: str) -> None:
    found = entry(header)
    assert (found["translation"], "text" in found, "bridge" in found) == (translation, False, False)


@pytest.mark.parametrize(
    ("header", "roles"),
    [
        ("palabra,significado,shp,es", "headword,translation,text,bridge"),
        ("shp,es,ejemplo_shp,ejemplo_es", "headword,translation,text,bridge"),
        ("Lema,Traducción,Ejemplo,Ejemplo (español)", "headword,translation,text,bridge"),
    ],
)
def test_a_dictionary_with_examples_keeps_their_columns_apart(header: str, roles: str) -> None:
    assert entry(header) == dict(zip(roles.split(","), header.split(","), strict=True))


def test_no_column_has_two_roles() -> None:
    wanted: tuple[Role, ...] = ("headword", "translation", "gloss")
    assert find_columns(("shp", "glosa", "es"), wanted, (), Columns(), SHIPIBO) == {
        "headword": "shp",
        "translation": "es",
        "gloss": "glosa",
    }
    assert find_columns(("shp", "glosa"), wanted, (), Columns(), SHIPIBO) == {"headword": "shp", "translation": "glosa"}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("shp,castelano", r"'bridge' \('castelano'; did you mean 'castellano'\?\)"),
        ("shp,traduccionn", r"'bridge' \('traduccionn'; did you mean 'traduccion'\?\)"),
        ("shipbo,es", r"'text' \('shipbo'; did you mean 'shipibo'\?\)"),
        ("shp,x", r"'bridge'\. Add the column's name to ingest\.columns\.bridge"),  # 'shp' is the text, and no misspelt 'spa'
    ],
)
def test_a_renamed_column_is_named_with_what_it_may_mean(header: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        pair(header)


def test_a_renamed_column_of_a_dictionary_is_named_with_what_it_may_mean() -> None:
    with pytest.raises(RefusedError, match=r"'headword' \('palabras'; did you mean 'palabra'\?\)"):
        entry("palabras,significado")
