"""Spanish verb forms: present, preterite, imperfect and future of regular and irregular verbs, in all six persons."""

from __future__ import annotations

from enum import Enum
from typing import Final

VERB_ENDINGS: Final = ("ar", "er", "ir", "ír")


class SpanishTense(Enum):
    """The four tenses that the sample's Spanish uses, all indicative."""

    PRESENT = "present"
    PRETERITE = "preterite"
    IMPERFECT = "imperfect"
    FUTURE = "future"


_PRESENT_ENDINGS = {
    "ar": ("o", "as", "a", "amos", "áis", "an"),
    "er": ("o", "es", "e", "emos", "éis", "en"),
    "ir": ("o", "es", "e", "imos", "ís", "en"),
}
_PRETERITE_ENDINGS = {
    "ar": ("é", "aste", "ó", "amos", "asteis", "aron"),
    "er": ("í", "iste", "ió", "imos", "isteis", "ieron"),
    "ir": ("í", "iste", "ió", "imos", "isteis", "ieron"),
}
_IMPERFECT_ENDINGS = {
    "ar": ("aba", "abas", "aba", "ábamos", "abais", "aban"),
    "er": ("ía", "ías", "ía", "íamos", "íais", "ían"),
    "ir": ("ía", "ías", "ía", "íamos", "íais", "ían"),
}
_FUTURE_ENDINGS = ("é", "ás", "á", "emos", "éis", "án")
_STRONG_ENDINGS = ("e", "iste", "o", "imos", "isteis", "ieron")
_HIATUS_ENDINGS = ("í", "íste", "yó", "ímos", "ísteis", "yeron")

_DIPHTHONG = {
    "e>ie": "querer pensar cerrar sembrar perder encender sentar despertar empezar calentar regar nevar",
    "o>ue": "poder dormir volver contar encontrar mover mostrar soñar probar llover recordar volar moler tronar",
    "e>i": "pedir servir seguir",
    "u>ue": "jugar",
    "i>í": "enviar",
}
_STEM_CHANGE = {lemma: change for change, lemmas in _DIPHTHONG.items() for lemma in lemmas.split()}

_PRESENT = {
    lemma: tuple(forms.split())
    for lemma, forms in {
        "ser": "soy eres es somos sois son",
        "estar": "estoy estás está estamos estáis están",
        "ir": "voy vas va vamos vais van",
        "dar": "doy das da damos dais dan",
        "ver": "veo ves ve vemos veis ven",
        "tener": "tengo tienes tiene tenemos tenéis tienen",
        "venir": "vengo vienes viene venimos venís vienen",
        "oír": "oigo oyes oye oímos oís oyen",
        "decir": "digo dices dice decimos decís dicen",
        "haber": "he has hay hemos habéis hay",  # third person: existential
        "sonreír": "sonrío sonríes sonríe sonreímos sonreís sonríen",
    }.items()
}
_FIRST_PERSON = {
    "hacer": "hago",
    "poner": "pongo",
    "salir": "salgo",
    "traer": "traigo",
    "saber": "sé",
    "caer": "caigo",
}
_PRETERITE = {
    lemma: tuple(forms.split())
    for lemma, forms in {
        "ser": "fui fuiste fue fuimos fuisteis fueron",
        "ir": "fui fuiste fue fuimos fuisteis fueron",
        "dar": "di diste dio dimos disteis dieron",
        "ver": "vi viste vio vimos visteis vieron",
        "sonreír": "sonreí sonreíste sonrió sonreímos sonreísteis sonrieron",
    }.items()
}
_STRONG = {
    "tener": "tuv", "estar": "estuv", "poder": "pud", "poner": "pus", "querer": "quis", "saber": "sup",
    "venir": "vin", "hacer": "hic", "andar": "anduv", "haber": "hub", "traer": "traj", "decir": "dij",
}  # fmt: skip
_IMPERFECT = {
    "ser": ("era", "eras", "era", "éramos", "erais", "eran"),
    "ir": ("iba", "ibas", "iba", "íbamos", "ibais", "iban"),
    "ver": ("veía", "veías", "veía", "veíamos", "veíais", "veían"),
}
_FUTURE_STEMS = {
    "tener": "tendr", "venir": "vendr", "poner": "pondr", "salir": "saldr", "poder": "podr", "saber": "sabr",
    "haber": "habr", "hacer": "har", "decir": "dir", "querer": "querr", "oír": "oir", "sonreír": "sonreir",
}  # fmt: skip


def conjugate(lemma: str, tense: SpanishTense, person: int) -> str:
    """The form of a verb; persons 0 to 5 are yo, tú, él, nosotros, vosotros, ellos. Reflexive pronouns are not added."""
    lemma = lemma.removesuffix("se")
    match tense:
        case SpanishTense.PRESENT:
            return _present(lemma, person)
        case SpanishTense.PRETERITE:
            return _preterite(lemma, person)
        case SpanishTense.IMPERFECT:
            return _imperfect(lemma, person)
        case SpanishTense.FUTURE:
            return _FUTURE_STEMS.get(lemma, lemma) + _FUTURE_ENDINGS[person]


def _present(lemma: str, person: int) -> str:
    if lemma in _PRESENT:
        return _PRESENT[lemma][person]
    stem, kind = _split(lemma)
    if person == 0 and lemma in _FIRST_PERSON:
        return _FIRST_PERSON[lemma]
    if person not in (3, 4):
        stem = _changed(stem, _STEM_CHANGE.get(lemma, ""))
        if lemma.endswith("uir") and not lemma.endswith("guir"):
            stem += "y"
    if person == 0:
        stem = _before_o(stem, lemma)
    return stem + _PRESENT_ENDINGS[kind][person]


def _preterite(lemma: str, person: int) -> str:
    if lemma in _PRETERITE:
        return _PRETERITE[lemma][person]
    if lemma in _STRONG:
        return _strong(_STRONG[lemma], person)
    stem, kind = _split(lemma)
    if kind == "ar":
        return (_before_e(stem) if person == 0 else stem) + _PRETERITE_ENDINGS[kind][person]
    if lemma.endswith("uir") and not lemma.endswith("guir"):
        return stem + (_HIATUS_ENDINGS if person in (2, 5) else _PRETERITE_ENDINGS[kind])[person]
    if stem[-1] in "aeo":
        return stem + _HIATUS_ENDINGS[person]
    if kind == "ir" and person in (2, 5):
        stem = _changed(stem, {"e>ie": "e>i", "e>i": "e>i", "o>ue": "o>u"}.get(_STEM_CHANGE.get(lemma, ""), ""))
    return stem + _PRETERITE_ENDINGS[kind][person]


def _strong(stem: str, person: int) -> str:
    if person == 2 and stem.endswith("c"):
        return stem[:-1] + "zo"
    if person == 5 and stem.endswith("j"):
        return stem + "eron"
    return stem + _STRONG_ENDINGS[person]


def _imperfect(lemma: str, person: int) -> str:
    if lemma in _IMPERFECT:
        return _IMPERFECT[lemma][person]
    stem, kind = _split(lemma)
    return stem + _IMPERFECT_ENDINGS[kind][person]


def _split(lemma: str) -> tuple[str, str]:
    return lemma[:-2], lemma[-2:].replace("í", "i")


def _changed(stem: str, change: str) -> str:
    """The stem with its last matching vowel changed, as in ``pens``, ``e>ie``: ``piens``."""
    if not change:
        return stem
    old, new = change.split(">")
    before, _, after = stem.rpartition(old)
    return before + new + after


def _before_o(stem: str, lemma: str) -> str:
    """The stem as it is spelt before o: sigo, recojo, conozco."""
    if lemma.endswith("guir"):
        return stem[:-1]
    if lemma.endswith(("ger", "gir")):
        return stem[:-1] + "j"
    if lemma.endswith(("cer", "cir")):
        return stem[:-1] + ("zc" if stem[-2] in "aeiou" else "z")
    return stem


def _before_e(stem: str) -> str:
    """The stem as it is spelt before e: busqué, llegué, empecé."""
    for ending, spelling in (("c", "qu"), ("g", "gu"), ("z", "c")):
        if stem.endswith(ending):
            return stem[:-1] + spelling
    return stem
