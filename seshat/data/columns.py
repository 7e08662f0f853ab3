"""Which column of a table holds what: by the names in the configuration, else by the codes and names of the two languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import regex

from seshat.config import Section, did_you_mean
from seshat.data.readers import RefusedError
from seshat.language import Language

Role = Literal[
    "headword",
    "translation",
    "part_of_speech",
    "note",
    "dialect",
    "variants",
    "examples",
    "text",
    "bridge",
    "gloss",
    "morphemes",
    "corrected",
    "status",
]


class Columns(Section):
    """The names that a column may have, for each thing that Seshat reads; case and accents do not matter.

    Beside these, a column called by the code or name of a language (``shp``, ``es``, ``castellano``, ``ejemplo_shp``) holds
    text in that language.
    """

    headword: tuple[str, ...] = (
        "termino",
        "palabra",
        "lema",
        "entrada",
        "vocablo",
        "voz",
        "headword",
        "word",
        "lemma",
        "entry",
        "lexeme",
    )
    translation: tuple[str, ...] = (
        *("traduccion", "significado", "definicion", "glosa", "acepcion", "sentido"),
        *("translation", "meaning", "definition", "sense", "equivalent"),
    )
    part_of_speech: tuple[str, ...] = (
        *(
            "categoria",
            "categoria gramatical",
            "clase",
            "clase de palabra",
            "part of speech",
            "pos",
            "word class",
            "category",
        ),
    )
    note: tuple[str, ...] = (
        "nota",
        "notas",
        "observacion",
        "observaciones",
        "comentario",
        "gramatica",
        "note",
        "notes",
        "comment",
        "grammar",
    )
    dialect: tuple[str, ...] = ("dialecto", "variedad", "dialect", "variety")
    variants: tuple[str, ...] = ("variante", "variantes", "variant", "variants", "alternativa")
    examples: tuple[str, ...] = ("ejemplos", "ejemplo", "oraciones", "examples", "example", "sentences")
    text: tuple[str, ...] = (
        *("texto", "oracion", "frase", "original", "transcripcion", "lengua", "ejemplo"),
        *("text", "sentence", "source", "transcription", "transcript", "utterance", "vernacular"),
    )
    bridge: tuple[str, ...] = (
        *("traduccion", "traduccion libre", "glosa libre", "significado"),
        *("translation", "free translation", "target", "free"),
    )
    gloss: tuple[str, ...] = ("glosa", "glosas", "gloss", "glosses", "interlinear")
    morphemes: tuple[str, ...] = (
        "morfemas",
        "segmentacion",
        "analisis",
        "morphemes",
        "segmentation",
        "morphs",
    )
    corrected: tuple[str, ...] = ("corrected side", "lado corregido")
    """The code of the language whose side a speaker wrote in place of a worse translation of the other side."""
    status: tuple[str, ...] = ("review status", "estado de revision")
    """What became of a correction: one that is ``superseded`` by a later version or ``rejected`` by other speakers is not used."""

    def over(self, other: Columns) -> Columns:
        """These names where they were set, the other's elsewhere."""
        return other.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


_TAUGHT: tuple[Role, ...] = ("headword", "text")
_BRIDGE: tuple[Role, ...] = ("translation", "bridge")
_EXAMPLE: tuple[Role, ...] = ("text", "bridge")


def find_columns(
    columns: Sequence[str],
    wanted: Sequence[Role],
    required: Sequence[Role],
    names: Columns,
    language: Language,
) -> dict[Role, str]:
    """The column of each role that is wanted; no column has two. A required one that is not there refuses the table.

    Names that a person set come first. Of two columns that could be the translation, ``translation`` and ``Spanish``, the one that
    names the language is it, except in a dictionary with examples, where the other language may be that of the examples.
    """
    found = _assigned(columns, wanted, (_by_own_name, _by_name, _by_language), names, language)
    if not {"headword", "text"} <= found.keys():  # one side of each language, so a column that names it is the one
        alone = [role for role in wanted if role not in _EXAMPLE] if "headword" in wanted else wanted
        found = _assigned(columns, alone, (_by_own_name, _by_language_alone, _by_name, _by_language), names, language)
    missing = [role for role in required if role not in found]
    if missing:
        raise RefusedError(_explain(missing, columns, found, names, language))
    return found


def _assigned(columns: Sequence[str], wanted: Sequence[Role], looks: Sequence[Look], names: Columns, language: Language) -> dict[Role, str]:
    """What the looks find, one after the other, each for all roles that have no column yet."""
    found: dict[Role, str] = {}
    for look in looks:
        for role in wanted:
            if role not in found:
                free = [column for column in columns if column not in found.values()]
                column = look(role, free, names, language)
                if column:
                    found[role] = column
    return found


def plain(name: str) -> str:
    """A name in small letters without accents, signs and double spaces: ``Categoría_gramatical`` -> ``categoria gramatical``."""
    letters = unicodedata.normalize("NFD", name.casefold())
    return " ".join(regex.findall(r"[\p{L}\p{N}]+", "".join(letter for letter in letters if not unicodedata.combining(letter))))


def language_names(language: Language) -> Mapping[bool, frozenset[str]]:
    """What columns and files call the two languages: the taught one under True, the bridge under False."""
    taught = {language.code, language.short, plain(language.name), *plain(language.name).split()}
    bridge = {
        language.bridge.code,
        language.bridge.short,
        plain(language.bridge.name),
        *_SPANISH.get(language.bridge.code, ()),
    }
    return {True: frozenset(taught - {""} - bridge), False: frozenset(bridge - {""})}


_SPANISH = {
    "spa": ("espanol", "castellano", "spanish"),
    "eng": ("english", "ingles"),
    "por": ("portugues", "portuguese"),
}


def _by_own_name(role: Role, columns: Sequence[str], names: Columns, _: Language) -> str:
    """The first column with a name that a person added to the list, or put in its place."""
    usual = Columns.model_fields[role].default
    given = getattr(names, role)
    return _first(columns, [name for name in given if name not in usual] if set(usual) <= set(given) else given)


def _by_name(role: Role, columns: Sequence[str], names: Columns, _: Language) -> str:
    return _first(columns, getattr(names, role))


def _by_language_alone(role: Role, columns: Sequence[str], names: Columns, language: Language) -> str:
    """The first column that is called like the language of the role, else like it and the role (``Traducción (español)``)."""
    if role not in _TAUGHT + _BRIDGE:
        return ""
    called = language_names(language)[role in _TAUGHT]
    usual = {plain(name) for name in getattr(names, role)}
    both = (column for column in columns if _without(plain(column), called) in usual - {plain(column)})
    return next((column for column in columns if plain(column) in called), "") or next(both, "")


def _by_language(role: Role, columns: Sequence[str], _: Columns, language: Language) -> str:
    """The first column that is called like the language of the role, or has its name as one of its words."""
    if role not in _TAUGHT + _BRIDGE:
        return ""
    called = language_names(language)[role in _TAUGHT]
    whole = (column for column in columns if plain(column) in called)
    part = (column for column in columns if called & set(plain(column).split()))
    return next(whole, "") or next(part, "")


Look = Callable[[Role, Sequence[str], Columns, Language], str]
"""One way to find the column of a role among those that are free; empty if none is it."""


def _first(columns: Sequence[str], wanted: Iterable[str]) -> str:
    known = {plain(column): column for column in reversed(columns)}
    return next((known[plain(name)] for name in wanted if plain(name) in known), "")


def _without(name: str, words: Iterable[str]) -> str:
    return " ".join(word for word in name.split() if word not in words)


def _explain(missing: Sequence[Role], columns: Sequence[str], found: Mapping[Role, str], names: Columns, language: Language) -> str:
    said = []
    for role in missing:
        called = sorted(language_names(language)[role in _TAUGHT]) if role in _TAUGHT + _BRIDGE else []
        hints = (
            (column, did_you_mean(plain(column), [*getattr(names, role), *called])) for column in columns if column not in found.values()
        )
        near = next((f" ({column!r}{hint})" for column, hint in hints if hint.startswith("; did")), "")
        said.append(f"none of them is {role!r}{near}")
    return (
        f"columns: found {', '.join(map(repr, columns))}; {', and '.join(said)}. "
        f"Add the column's name to ingest.columns.{missing[0]}, or set it for this file under ingest.files"
    )
