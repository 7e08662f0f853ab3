"""Sentences: the same for the same seed, correct in both languages, one translation each."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from seshat.sample.grammar import Grammar, Sentence
from seshat.sample.lexicon import Noun, Verb, lexicon
from seshat.sample.meaning import Argument, Clause, Meaning, NounPhrase, Quality, Tense
from seshat.sample.phonology import join

WORDS = lexicon(1)
NOUN = {noun.lemma: noun for noun in WORDS.nouns}
VERB = {verb.lemma: verb for verb in WORDS.verbs}
ADJECTIVE = {adjective.lemma: adjective for adjective in WORDS.adjectives}
OTHER = WORDS.others
MANNER = {manner.lemma: manner for verb in WORDS.verbs for manner in verb.manners}


def the(lemma: str, *, many: bool = False, whose: int | None = None, adjective: str = "") -> NounPhrase:
    return NounPhrase(noun=NOUN[lemma], plural=many, possessor=whose, adjective=ADJECTIVE[adjective] if adjective else None)


def one(lemma: str) -> NounPhrase:
    return NounPhrase(noun=NOUN[lemma], determiner=OTHER["uno"])


def clause(lemma: str, tense: Tense = Tense.PRESENT, **parts: object) -> Clause:
    verb = OTHER[lemma] if lemma in OTHER else VERB[lemma]
    assert isinstance(verb, Verb)
    return Clause(verb=verb, tense=tense, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("meaning", "translation", "gloss"),
    [
        (
            Meaning(main=clause("comer", subject=the("niña"), object=the("pan"))),
            "La niña come pan.",
            "niña pan-ACC comer-PRS-3SG",
        ),
        (
            Meaning(main=clause("ver", Tense.PAST, subject=0, object=the("maestra"))),
            "Vi a la maestra.",
            "maestra-ACC ver-PST-1SG",
        ),
        (
            Meaning(main=clause("ver", Tense.PAST, subject=3, negated=True, object=the("pescador", many=True, whose=None))),
            "No vimos a los pescadores.",
            "pescador-PL-ACC ver-NEG-PST-1PL",
        ),
        (
            Meaning(
                main=clause(
                    "dar", Tense.FUTURE, subject=1, object=one("hacha"), arguments=(Argument(preposition="a", phrase=the("pescador")),)
                )
            ),
            "Darás un hacha al pescador.",
            "uno hacha-ACC pescador-DAT dar-FUT-2SG",
        ),
        (
            Meaning(main=clause("beber", subject=the("vaca", many=True, whose=0), object=the("agua", adjective="frío"))),
            "Mis vacas beben agua fría.",
            "vaca-PL-POSS.1SG frío agua-ACC beber-PRS-3PL",
        ),
        (
            Meaning(
                main=clause("ser", Tense.PAST, subject=the("casa", many=True), predicate=Quality(adjective=ADJECTIVE["blanco"], very=True))
            ),
            "Las casas eran muy blancas.",
            "casa-PL muy blanco COP-PST-3PL",
        ),
        (
            Meaning(main=clause("ser", subject=the("agua"), predicate=Quality(adjective=ADJECTIVE["frío"]))),
            "El agua está fría.",
            "agua frío COP-PRS-3SG",
        ),
        (
            Meaning(
                main=clause("ser", subject=the("tortuga"), predicate=Quality(adjective=ADJECTIVE["lento"], than=the("mono"))),
            ),
            "La tortuga es más lenta que el mono.",
            "tortuga mono-ABL más lento COP-PRS-3SG",
        ),
        (
            Meaning(main=clause("haber", Tense.PAST, subject=one("pez"), arguments=(Argument(preposition="en", phrase=the("río")),))),
            "Había un pez en el río.",
            "uno pez río-LOC haber-PST-3SG",
        ),
        (
            Meaning(main=clause("bañarse", subject=the("niño", many=True), modal=WORDS.modals[0])),
            "Los niños quieren bañarse.",
            "niño-PL bañarse-INF querer-PRS-3PL",
        ),
        (
            Meaning(
                main=clause(
                    "ir", subject=the("padre", whose=1), question=OTHER["cuándo"], arguments=(Argument(preposition="a", phrase=the("mar")),)
                )
            ),
            "¿Cuándo va tu padre al mar?",
            "cuándo padre-POSS.2SG mar-DAT ir-PRS-3SG-Q",
        ),
        (
            Meaning(
                main=clause("llorar", Tense.PAST, subject=the("niña")),
                link="porque",
                other=clause("ser", Tense.PAST, subject=the("niña"), silent=True, predicate=Quality(adjective=ADJECTIVE["cansado"])),
            ),
            "La niña lloró porque estaba cansada.",
            "cansado COP-PST-3SG-BECAUSE niña llorar-PST-3SG",
        ),
        (
            Meaning(
                main=clause("cantar", subject=the("padre", whose=0)),
                link="y",
                other=clause("invitar", subject=2, object=the("hijo", whose=2)),
            ),
            "Mi padre canta e invita a su hijo.",
            "padre-POSS.1SG cantar-PRS-3SG y hijo-POSS.3-ACC invitar-PRS-3SG",
        ),
    ],
)
def test_a_meaning_has_one_sentence_in_each_language(meaning: Meaning, translation: str, gloss: str) -> None:
    said = Grammar(1).say(meaning)
    assert (said.translation, said.gloss) == (translation, gloss)


def test_the_same_seed_says_the_same(sentences: list[Sentence]) -> None:
    assert Grammar(1).sentences(300) == sentences[:300]


def test_sentences_are_unique_on_both_sides_and_across_streams() -> None:
    grammar = Grammar(1)
    said = grammar.sentences(800) + grammar.sentences(800, stream=2)
    assert len({s.text for s in said}) == len({s.translation for s in said}) == 1_600


def test_the_words_are_their_morphemes_after_the_sandhi(sentences: list[Sentence]) -> None:
    for sentence in sentences:
        words = sentence.text.lower().replace(",", "").rstrip(".?").split()
        assert [join(cut.split("-")) for cut in sentence.morphemes.split()] == words
        assert [cut.count("-") for cut in sentence.morphemes.split()] == [cut.count("-") for cut in sentence.gloss.split()]


def test_every_sentence_ends_in_its_verb(sentences: list[Sentence]) -> None:
    finite = re.compile(r"-(PRS|PST|FUT)-[123](SG|PL)(-Q)?$")
    assert [s.gloss for s in sentences if not finite.search(s.gloss.split()[-1])] == []


def test_questions_are_marked_in_both_languages(sentences: list[Sentence]) -> None:
    for sentence in sentences:
        asked = sentence.gloss.endswith("-Q")
        assert sentence.text.endswith("?" if asked else ".")
        assert (sentence.translation.startswith("¿"), sentence.translation.endswith("?")) == (asked, asked)


def test_the_spanish_has_contractions_and_clean_spaces(sentences: list[Sentence]) -> None:
    wrong = re.compile(r"\b(?:de|a) el\b|  | [.,?]|\by (?:i|hi(?!e))|\b(\w+) \1\b|\bla (?:agua|hacha|águila)\b|\buna (?:hacha|águila)\b")
    assert [s.translation for s in sentences if wrong.search(s.translation.lower())] == []
    assert all(re.fullmatch(r"¿?[A-ZÁÉÍÓÚ][a-záéíóúñü, ]*[.?]", s.translation) for s in sentences)


def test_articles_and_nouns_agree(sentences: list[Sentence]) -> None:
    gender = {form: noun for noun in WORDS.nouns for form in (noun.lemma, noun.plural)}
    both = {adjective.lemma for adjective in WORDS.adjectives}
    for sentence in sentences:
        for article, word in re.findall(r"\b(el|la|los|las|un|una)\b ([a-záéíóúñü]+)", sentence.translation.lower()):
            noun = gender.get(word)
            if noun is None or word in both:
                continue
            assert _article_fits(article, noun, word), (article, word, sentence.translation)


def _article_fits(article: str, noun: Noun, word: str) -> bool:
    many = word == noun.plural and noun.plural != noun.lemma
    feminine = noun.gender == "f" and (many or not noun.stressed_a)
    return article == (("las" if many else "la") if feminine else ("los" if many else "el")) or (
        not many and article == ("una" if feminine else "un")
    )


def test_sentences_are_short_and_frequent_words_are_much_more_frequent(sentences: list[Sentence]) -> None:
    lengths = Counter(len(s.translation.split()) for s in sentences)
    assert 0.75 < sum(lengths[n] for n in range(3, 10)) / len(sentences) < 0.97
    counts = Counter(cut.split("-")[0] for s in sentences for cut in s.morphemes.split())
    assert counts.most_common(10)[-1][1] > 8 * counts.most_common()[len(counts) // 2][1]


def test_copying_the_spanish_is_worth_nothing(sentences: list[Sentence]) -> None:
    shared = sum(len(set(s.text.lower().split()) & set(s.translation.lower().split())) for s in sentences)
    assert shared < 0.01 * sum(len(s.text.split()) for s in sentences)
