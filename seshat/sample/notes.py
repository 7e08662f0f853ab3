"""Grammar notes of the dictionary, in Spanish as a teacher would write them: what each suffix does, with an example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from seshat.sample.lexicon import SUFFIXES, Lexicon
from seshat.sample.phonology import join


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An explanation of one suffix, as an entry of the dictionary."""

    suffix: str
    """With its hyphen: ``-pa``."""
    meaning: str
    explanation: str


# Gloss: meaning; explanation, in which {nouns or verbs}, their glosses after hyphens, are put into Tamuri.
_NOTES = {
    "PL": ("plural", "Marca el plural de los nombres: {perro} «perro», {perro-PL} «perros»."),
    "ACC": ("objeto directo", "Marca el acusativo, el objeto directo de un verbo: {pan} «pan», {pan-ACC} «pan» en «como pan»."),
    "DAT": ("a, hacia", "Marca el dativo, a quién o hacia dónde: {niña-DAT} «a la niña», {pueblo-DAT} «al pueblo»."),
    "LOC": ("en, por, sobre", "Marca el locativo, el lugar: {casa-LOC} «en la casa», {camino-LOC} «por el camino»."),
    "ABL": ("de, desde", "Marca el ablativo, el origen: {río-ABL} «del río». También compara: más grande que."),
    "INS": ("con", "Marca el instrumento y la compañía: {cuchillo-INS} «con el cuchillo», {abuela-POSS.1SG-INS} «con mi abuela»."),
    "GEN": ("de", "Marca el genitivo, el dueño, que va delante: {mujer-GEN} {casa} «la casa de la mujer»."),
    "POSS.1SG": ("mi", "Posesivo de primera persona, detrás del plural y delante del caso: {madre-POSS.1SG} «mi madre»."),
    "POSS.2SG": ("tu", "Posesivo de segunda persona: {perro-POSS.2SG} «tu perro», {perro-PL-POSS.2SG} «tus perros»."),
    "POSS.3": ("su", "Posesivo de tercera persona, de uno o de varios: {casa-POSS.3} «su casa»."),
    "POSS.1PL": ("nuestro", "Posesivo de primera persona del plural: {casa-POSS.1PL} «nuestra casa»."),
    "POSS.2PL": ("vuestro", "Posesivo de segunda persona del plural: {casa-POSS.2PL} «vuestra casa»."),
    "NEG": ("no", "Niega el verbo, delante del tiempo: {comer-PRS-3SG} «come», {comer-NEG-PRS-3SG} «no come»."),
    "PRS": ("presente", "Marca el presente: {cantar-PRS-3SG} «canta»."),
    "PST": ("pasado", "Marca el pasado: {cantar-PST-3SG} «cantó»."),
    "FUT": ("futuro", "Marca el futuro: {cantar-FUT-3SG} «cantará»."),
    "INF": ("infinitivo", "Forma el infinitivo delante de querer y poder: {comer-INF} {querer-PRS-1SG} «quiero comer»."),
    "Q": ("marca de pregunta", "Forma la pregunta al final del verbo: {comer-PRS-2SG-Q} «¿comes?»."),
    "WHEN": ("cuando", "Forma la oración con cuando, que va delante: {llover-PRS-3SG-WHEN} «cuando llueve»."),
    "BECAUSE": ("porque", "Forma la oración con porque, que va delante: {llover-PRS-3SG-BECAUSE} «porque llueve»."),
    "1SG": ("yo", "Primera persona: {comer-PRS-1SG} «como»."),
    "2SG": ("tú", "Segunda persona: {comer-PRS-2SG} «comes»."),
    "3SG": ("él, ella", "Tercera persona: {comer-PRS-3SG} «come»."),
    "1PL": ("nosotros", "Primera persona del plural, con la oclusiva final: {comer-PRS-1PL} «comemos»."),
    "2PL": ("vosotros", "Segunda persona del plural: {comer-PRS-2PL} «coméis»."),
    "3PL": ("ellos, ellas", "Tercera persona del plural: {comer-PRS-3PL} «comen»."),
}


def notes(words: Lexicon) -> Iterator[Note]:
    """One note for each suffix."""
    root = {concept.lemma: concept.root for concept in words.concepts() if concept.part in ("noun", "verb")}
    for gloss, (meaning, text) in _NOTES.items():
        yield Note(suffix=f"-{SUFFIXES[gloss]}", meaning=meaning, explanation=_filled(text, root))


def sandhi_note(root: str) -> str:
    """What happens to a root that ends in n."""
    return f"Delante de p y m, la n final se escribe m: {root}, {join((root, SUFFIXES['ACC']))}, {join((root, SUFFIXES['LOC']))}."


def _filled(text: str, root: dict[str, str]) -> str:
    pieces = text.split("{")
    return pieces[0] + "".join(_word(piece.partition("}")[0], root) + piece.partition("}")[2] for piece in pieces[1:])


def _word(cut: str, root: dict[str, str]) -> str:
    lemma, *suffixes = cut.split("-")
    return join((root[lemma], *(SUFFIXES[suffix] for suffix in suffixes)))
