"""Spanish verb forms, regular and irregular, against the forms in any grammar book."""

from __future__ import annotations

import pytest

from seshat.sample.conjugation import SpanishTense, conjugate
from seshat.sample.lexicon import Lexicon, lexicon

PRESENT, PRETERITE, IMPERFECT, FUTURE = SpanishTense


@pytest.mark.parametrize(
    ("lemma", "tense", "forms"),
    [
        ("cantar", PRESENT, "canto cantas canta cantamos cantáis cantan"),
        ("comer", PRESENT, "como comes come comemos coméis comen"),
        ("vivir", PRESENT, "vivo vives vive vivimos vivís viven"),
        ("ser", PRESENT, "soy eres es somos sois son"),
        ("estar", PRESENT, "estoy estás está estamos estáis están"),
        ("tener", PRESENT, "tengo tienes tiene tenemos tenéis tienen"),
        ("hacer", PRESENT, "hago haces hace hacemos hacéis hacen"),
        ("traer", PRESENT, "traigo traes trae traemos traéis traen"),
        ("empezar", PRESENT, "empiezo empiezas empieza empezamos empezáis empiezan"),
        ("dormir", PRESENT, "duermo duermes duerme dormimos dormís duermen"),
        ("jugar", PRESENT, "juego juegas juega jugamos jugáis juegan"),
        ("pedir", PRESENT, "pido pides pide pedimos pedís piden"),
        ("seguir", PRESENT, "sigo sigues sigue seguimos seguís siguen"),
        ("construir", PRESENT, "construyo construyes construye construimos construís construyen"),
        ("conocer", PRESENT, "conozco conoces conoce conocemos conocéis conocen"),
        ("recoger", PRESENT, "recojo recoges recoge recogemos recogéis recogen"),
        ("enviar", PRESENT, "envío envías envía enviamos enviáis envían"),
        ("sonreír", PRESENT, "sonrío sonríes sonríe sonreímos sonreís sonríen"),
        ("mover", PRESENT, "muevo mueves mueve movemos movéis mueven"),
        ("calentar", PRESENT, "caliento calientas calienta calentamos calentáis calientan"),
        ("cantar", PRETERITE, "canté cantaste cantó cantamos cantasteis cantaron"),
        ("comer", PRETERITE, "comí comiste comió comimos comisteis comieron"),
        ("ir", PRETERITE, "fui fuiste fue fuimos fuisteis fueron"),
        ("dar", PRETERITE, "di diste dio dimos disteis dieron"),
        ("hacer", PRETERITE, "hice hiciste hizo hicimos hicisteis hicieron"),
        ("traer", PRETERITE, "traje trajiste trajo trajimos trajisteis trajeron"),
        ("venir", PRETERITE, "vine viniste vino vinimos vinisteis vinieron"),
        ("buscar", PRETERITE, "busqué buscaste buscó buscamos buscasteis buscaron"),
        ("llegar", PRETERITE, "llegué llegaste llegó llegamos llegasteis llegaron"),
        ("cruzar", PRETERITE, "crucé cruzaste cruzó cruzamos cruzasteis cruzaron"),
        ("leer", PRETERITE, "leí leíste leyó leímos leísteis leyeron"),
        ("caer", PRETERITE, "caí caíste cayó caímos caísteis cayeron"),
        ("construir", PRETERITE, "construí construiste construyó construimos construisteis construyeron"),
        ("dormir", PRETERITE, "dormí dormiste durmió dormimos dormisteis durmieron"),
        ("servir", PRETERITE, "serví serviste sirvió servimos servisteis sirvieron"),
        ("sonreír", PRETERITE, "sonreí sonreíste sonrió sonreímos sonreísteis sonrieron"),
        ("ser", IMPERFECT, "era eras era éramos erais eran"),
        ("vivir", IMPERFECT, "vivía vivías vivía vivíamos vivíais vivían"),
        ("amar", IMPERFECT, "amaba amabas amaba amábamos amabais amaban"),
        ("cantar", FUTURE, "cantaré cantarás cantará cantaremos cantaréis cantarán"),
        ("tener", FUTURE, "tendré tendrás tendrá tendremos tendréis tendrán"),
        ("querer", FUTURE, "querré querrás querrá querremos querréis querrán"),
        ("hacer", FUTURE, "haré harás hará haremos haréis harán"),
        ("sonreír", FUTURE, "sonreiré sonreirás sonreirá sonreiremos sonreiréis sonreirán"),
    ],
)
def test_the_six_persons(lemma: str, tense: SpanishTense, forms: str) -> None:
    assert [conjugate(lemma, tense, person) for person in range(6)] == forms.split()


@pytest.fixture(scope="module")
def words() -> Lexicon:
    return lexicon(1)


def test_every_verb_of_the_sample_is_an_infinitive_that_can_be_conjugated(words: Lexicon) -> None:
    verbs = [*words.verbs, *words.modals, *words.sky_verbs, *words.feelings]
    assert len(verbs) > 100
    for verb in verbs:
        assert verb.lemma.removesuffix("se").endswith(("ar", "er", "ir", "ír"))
        for tense in SpanishTense:
            forms = [conjugate(verb.lemma, tense, person) for person in range(6)]
            assert forms[5].endswith("n")
            assert forms[1].endswith(("s", "e"))
