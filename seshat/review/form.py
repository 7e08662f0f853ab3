"""What a reviewer is asked, in Spanish and in English: the columns of a sheet, the questions and their scales.

Accuracy is XSTS, the scale of Licht et al. (2022, "Consistent Human Evaluation of Machine Translation across Language Pairs"),
in our words: it compares meaning with the source, needs no reference, and was made for languages with few resources. The other
scales have five levels too, so that all read alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Mark = Literal["accuracy", "forms", "culture", "explanation"]
LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages of the form."""

    es: str
    en: str

    def __str__(self) -> str:
        return f"{self.es} · {self.en}"


@dataclass(frozen=True, slots=True)
class Question:
    """A mark from 1 (worst) to 5."""

    title: Words
    ask: Words
    levels: tuple[Words, ...]
    """What each of ``LEVELS`` means, from 1 on."""


QUESTIONS: Mapping[Mark, Question] = {
    "accuracy": Question(
        Words("Exactitud", "Accuracy"),
        Words("¿Dice lo mismo que el original?", "Does it say the same as the source?"),
        (
            Words("Dice otra cosa, o menos de la mitad.", "Says something else, or less than half of it."),
            Words(
                "Comparte detalles, pero algo importante cambia o falta.", "Shares details, but something important differs or is missing."
            ),
            Words("Casi lo mismo; cambia o falta algo sin importancia.", "Nearly the same; something unimportant differs or is missing."),
            Words("Lo mismo con otras palabras; solo cambian matices.", "The same in other words; only shades differ."),
            Words("Exactamente lo mismo, también en el tono.", "Exactly the same, in tone too."),
        ),
    ),
    "forms": Question(
        Words("Formas", "Word forms"),
        Words("¿Están bien los sufijos, prefijos y formas de las palabras?", "Are suffixes, prefixes and word forms right?"),
        (
            Words("Casi ninguna forma está bien.", "Hardly any form is right."),
            Words("Muchas están mal; cuesta entender.", "Many are wrong; it is hard to understand."),
            Words("Varias están mal, pero se entiende.", "Several are wrong, but one understands."),
            Words("Un solo descuido.", "A single slip."),
            Words("Todas están bien.", "All are right."),
        ),
    ),
    "culture": Question(
        Words("Modismos y cultura", "Idioms and culture"),
        Words(
            "¿Lo diría así un hablante? Solo si hay modismos o temas propios de la cultura.",
            "Would a speaker say it so? Only where there are idioms or matters of the culture.",
        ),
        (
            Words("Equivocado u ofensivo.", "Wrong, or it offends."),
            Words("Se pierde el sentido del modismo o de la costumbre.", "The sense of the idiom or custom is lost."),
            Words("Se entiende, pero es literal o extraño.", "One understands, but it is literal or strange."),
            Words("Natural, con un detalle extraño.", "Natural, with one strange detail."),
            Words("Como lo diría un hablante.", "As a speaker would say it."),
        ),
    ),
    "explanation": Question(
        Words("Explicación", "Explanation"),
        Words("¿Es correcta la explicación o el análisis gramatical?", "Is the grammar explanation or analysis right?"),
        (
            Words("Falsa.", "False."),
            Words("Más falsa que correcta.", "More false than right."),
            Words("Correcta a medias.", "Half right."),
            Words("Correcta, pero falta un detalle.", "Right, but a detail is missing."),
            Words("Correcta y completa.", "Right and complete."),
        ),
    ),
}

ASKED: Mapping[str, tuple[Mark, ...]] = {
    "translation": ("accuracy", "forms", "culture"),
    "dictionary": ("accuracy", "forms"),
    "grammar": ("explanation",),
    "morphology": ("explanation",),
    "completion": ("forms", "culture"),
}
"""Which marks make sense for which task; others may be given too."""

TASK_WORDS: Mapping[str, Words] = {
    "translation": Words("traducción", "translation"),
    "dictionary": Words("diccionario", "dictionary"),
    "grammar": Words("gramática", "grammar"),
    "morphology": Words("morfología", "morphology"),
    "completion": Words("continuación", "continuation"),
}

COLUMNS: Mapping[str, Words] = {
    "id": Words("Fila", "Row"),
    "direction": Words("Dirección", "Direction"),
    "task": Words("Tarea", "Task"),
    "source": Words("Original", "Source"),
    "reference": Words("Referencia", "Reference"),
    "answer": Words("Respuesta", "Answer"),
    **{name: Words(f"{one.title.es} (1-5)", f"{one.title.en} (1-5)") for name, one in QUESTIONS.items()},
    "invented": Words("Palabras inventadas", "Invented words"),
    "correction": Words("Mejor así", "Better so"),
    "comment": Words("Comentario", "Comment"),
    "reviewer": Words("Nombre", "Name"),
    "consent": Words("Se puede usar (sí/no)", "May be used (sí/no)"),
}
"""The columns of a sheet in their order; the reference only where the settings show it."""

ANSWERS = (*QUESTIONS, "invented", "correction", "comment")
"""The columns that a reviewer fills in row by row."""

YES, NO = "sí", "no"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would take for a formula."""
GUARD = "\u200b"
"""A space of no width that stands before such a text in a CSV file; it is dropped when the file comes back."""

HELP: Mapping[str, Words] = {
    "title": Words("Revisión de la lengua", "Language review"),
    "intro": Words(
        "Un programa escribió estas respuestas. Lea el original y la respuesta, y ponga notas de 1 (mal) a 5 (bien). "
        "Deje vacío lo que no pueda juzgar o no venga al caso. No hace falta terminar: también sirve una parte.",
        "A program wrote these answers. Read source and answer, and give marks from 1 (bad) to 5 (good). "
        "Leave empty what you cannot judge or what does not apply. You need not finish: a part helps too.",
    ),
    "blind": Words(
        "Unas respuestas las escribió un programa y otras una persona; no decimos cuáles. Lea el original y la respuesta, y ponga notas "
        "de 1 (mal) a 5 (bien). Deje vacío lo que no pueda juzgar o no venga al caso. No hace falta terminar: también sirve una parte.",
        "Programs wrote some of these answers, people others; we do not say which. Read source and answer, and give marks from 1 (bad) "
        "to 5 (good). Leave empty what you cannot judge or what does not apply. You need not finish: a part helps too.",
    ),
    "invented": Words(
        "Copie las palabras que no existen en la lengua, separadas por comas. Vacío: ninguna.",
        "Copy the words that do not exist in the language, with commas between them. Empty: none.",
    ),
    "correction": Words(
        "Si lo diría de otra manera, escríbalo entero. No cambie el original ni la respuesta.",
        "If you would say it another way, write all of it. Change neither source nor answer.",
    ),
    "comment": Words("Lo que quiera decirnos.", "Whatever you want to tell us."),
    "reviewer": Words("Su nombre o sus iniciales, si quiere.", "Your name or initials, if you like."),
    "consent": Words(
        "¿Podemos usar sus textos de «Mejor así» para enseñar al programa? Sin un «sí» no se usan.",
        "May we use what you write under “Better so” to teach the program? Without a “sí” it is not used.",
    ),
}


def columns(*, reference: bool) -> dict[str, str]:
    """The header of each column of a sheet, by its key, in order."""
    return {key: str(words) for key, words in COLUMNS.items() if reference or key != "reference"}
