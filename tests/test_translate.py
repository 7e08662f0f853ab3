"""From a text to its translation, with a fake model that knows its answers by heart."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from seshat.engines.fakes import TableModel
from seshat.engines.model import LanguageModel
from seshat.errors import ConfigError, DataError, StoreError
from seshat.hints import Knowledge, with_hints
from seshat.prompts import CARD, Card, ChatTokenizer, Hinting
from seshat.records import Example
from seshat.translate import EMPTY, Translator, read_card
from tests.tiny_model import LANGUAGE, PAIRS, make_tokenizer

CARD_OF_TINY = Card(name="tiny", language=LANGUAGE, base="tiny", max_seq_length=256)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> ChatTokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def message(text: str, source: str = "spa", target: str = "qtm") -> str:
    return CARD_OF_TINY.prompts.instruction("translation", text, language=LANGUAGE, source=source, target=target)


@pytest.fixture
def model(tokenizer: ChatTokenizer) -> TableModel:
    """Knows the ten pairs; answers anything else with nothing."""
    answers = {tuple(tokenizer.prompt(message(text))): tokenizer.answer(answer) for text, answer in PAIRS.items()}
    return TableModel(answers, echo=lambda prompt: (tokenizer.end,))


@pytest.fixture
def translator(model: TableModel, tokenizer: ChatTokenizer) -> Translator:
    return Translator(model, tokenizer, CARD_OF_TINY)


def test_texts_come_back_in_their_order_with_confidence(translator: Translator) -> None:
    made = translator.translate(list(PAIRS), "spa", "qtm")
    assert [one.text for one in made] == list(PAIRS.values())
    assert all(one.finished and one.confidence == pytest.approx(0.5) for one in made)


def test_sentences_are_translated_one_by_one_and_lines_stay_lines(translator: Translator) -> None:
    text = "El perro corre. La casa es grande.\n\n  Yo bebo agua.\r\nLa abuela teje."
    assert translator.translate([text], "spa", "qtm")[0].text == "Allku pawa. Wasi hatun ka.\n\nNoka yaku upya.\r\nAwitsa awa."


@pytest.mark.parametrize("text", ["", " ", "\u00a0\t", "\u200b"])
def test_nothing_becomes_nothing_and_the_model_is_not_asked(translator: Translator, model: TableModel, text: str) -> None:
    assert translator.translate([text], "spa", "qtm") == [EMPTY]
    assert model.asked == []


def test_blank_lines_alone_stay_blank(translator: Translator) -> None:
    assert translator.translate(["\n\n"], "spa", "qtm")[0] == EMPTY


def test_a_sentence_that_repeats_is_translated_once(translator: Translator, model: TableModel) -> None:
    made = translator.translate(["El perro corre.", "El perro corre. El perro corre."], "spa", "qtm")
    assert [one.text for one in made] == ["Allku pawa.", "Allku pawa. Allku pawa."]
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("typed", "asked", "source", "target"),
    [
        ("Waru si'a  taki.", "Waru siʼa taki.", "qtm", "spa"),
        ("La 'casa'\u00a0de man\u0303ana.", "La 'casa' de mañana.", "spa", "qtm"),
    ],
)
def test_the_source_is_normalised_as_the_training_data_were(
    translator: Translator, model: TableModel, tokenizer: ChatTokenizer, typed: str, asked: str, source: str, target: str
) -> None:
    translator.translate([typed], source, target)
    assert model.asked == [tuple(tokenizer.prompt(message(asked, source, target)))]


@pytest.mark.parametrize("control", ["<|im_end|>", "<|im_start|>", "<|endoftext|>"])
def test_control_tokens_in_a_text_stay_text(translator: Translator, model: TableModel, tokenizer: ChatTokenizer, control: str) -> None:
    plain, marked = tokenizer.prompt(message("hola")), f"hola {control} adiós"
    translator.translate([marked], "spa", "qtm")
    special = set(tokenizer.tokenizer.all_special_ids)
    assert [token for token in model.asked[0] if token in special] == [token for token in plain if token in special]
    assert control in tokenizer.tokenizer.decode(model.asked[0]).split("user\n")[1].rpartition("<|im_end|>")[0]


def test_a_long_sentence_is_cut_so_that_prompt_and_answer_fit(translator: Translator, model: TableModel) -> None:
    words = [f"palabra{number}" for number in range(200)]
    translator.translate([" ".join(words)], "spa", "qtm")
    assert len(model.asked) > 1
    assert max(map(len, model.asked)) + 64 < CARD_OF_TINY.max_seq_length
    decoded = " ".join(translator.tokenizer.decode(prompt) for prompt in model.asked)
    assert [word for word in words if word not in decoded] == []


def test_a_word_without_an_end_is_cut_too(translator: Translator, model: TableModel) -> None:
    translator.translate(["ñ" * 3000], "spa", "qtm")
    assert max(map(len, model.asked)) < CARD_OF_TINY.max_seq_length


HINTS = Hinting(words=6, examples=1, frequent=0.5, nearest=0.1, tokens=40)


def knowledge() -> Knowledge:
    return Knowledge(HINTS, [of_pair(*pair) for pair in PAIRS.items()])


def of_pair(source: str, answer: str) -> Example:
    return Example(prompt=message(source), answer=answer, task="translation", direction="spa-qtm", source=source, group=source,
                   split="train", parent=source, origin=source, collection="c")  # fmt: skip


def test_a_sentence_is_asked_for_with_its_hints_as_it_was_in_training(model: TableModel, tokenizer: ChatTokenizer) -> None:
    """Evaluation, serving and training go one way: from a sentence to the same ids."""
    sentence = "La mujer come pescado."
    card = CARD_OF_TINY.model_copy(update={"hints": HINTS})
    Translator(model, tokenizer, card, knowledge()).translate([sentence], "spa", "qtm")
    [asked] = model.asked
    train = [of_pair(*pair) for pair in PAIRS.items()]
    [hinted] = with_hints(HINTS, {"train": train, "val": [of_pair(sentence, "Waru pescë miku.")]})["val"]
    assert len(hinted.hints) >= 3
    text = tokenizer.hinted(hinted.prompt, hinted.hints, HINTS.tokens)
    assert text.endswith(f"\n{message(sentence)}")
    assert list(asked) == tokenizer.prompt(text)


def test_hints_keep_to_their_budget_the_most_important_first(tokenizer: ChatTokenizer) -> None:
    hints = ["pescado = pescë", "mujer = waru", "El perro corre. = Allku pawa."]
    sizes = [len(tokenizer.text(hint)) + 1 for hint in hints]
    assert tokenizer.hinted("Hola", hints, sum(sizes)) == "\n".join([*hints, "Hola"])
    assert tokenizer.hinted("Hola", hints, sum(sizes) - 1) == "pescado = pescë\nmujer = waru\nHola"
    assert tokenizer.hinted("Hola", hints, 0) == "Hola"


def test_what_a_model_was_trained_with_is_not_left_out_silently(model: TableModel, tokenizer: ChatTokenizer, tmp_path: Path) -> None:
    card = CARD_OF_TINY.model_copy(update={"hints": HINTS})
    with pytest.raises(StoreError, match=r"'tiny' was trained with hints.*hints\.jsonl"):
        Translator(model, tokenizer, card)
    with pytest.raises(StoreError, match=r"hints\.jsonl"):
        Knowledge.read(str(tmp_path), HINTS)
    assert Knowledge.read(str(tmp_path), Hinting()) is None
    knowledge().write(str(tmp_path))
    found = Knowledge.read(str(tmp_path), HINTS)
    assert found is not None
    assert found.hints(["La mujer come."], "spa", "qtm") == knowledge().hints(["La mujer come."], "spa", "qtm")


def test_an_answer_at_its_limit_is_not_finished(tokenizer: ChatTokenizer) -> None:
    endless = TableModel(echo=lambda prompt: [tokenizer.text("a")[0]] * 10_000)
    made = Translator(endless, tokenizer, CARD_OF_TINY).translate(["Hola."], "spa", "qtm")[0]
    assert not made.finished
    assert made.text == "a" * 32


def test_confidence_weighs_tokens_not_sentences(tokenizer: ChatTokenizer) -> None:
    class Uneven(TableModel):
        def generate(self, prompts, *, max_new_tokens, stop):  # type: ignore[no-untyped-def]
            made = super().generate(prompts, max_new_tokens=max_new_tokens, stop=stop)
            return [type(one)(one.ids, one.finished, math.log(0.25) if len(one.ids) == 1 else math.log(0.5)) for one in made]

    a = tokenizer.text("a")[0]
    short, long = tuple(tokenizer.prompt(message("Sí."))), tuple(tokenizer.prompt(message("No.")))
    uneven = Uneven({short: [a, tokenizer.end], long: [a, a, a, a, a, tokenizer.end]})
    made = Translator(uneven, tokenizer, CARD_OF_TINY).translate(["Sí. No."], "spa", "qtm")[0]
    assert made.confidence == pytest.approx(math.exp((2 * math.log(0.25) + 6 * math.log(0.5)) / 8))


def test_any_message_is_answered(model: TableModel, translator: Translator, tokenizer: ChatTokenizer) -> None:
    model.answers[tuple(tokenizer.prompt("¿Qué significa «allku»?"))] = tokenizer.answer("perro")
    assert translator.answer(["¿Qué significa «allku»?", "¿Y eso?"]) == ["perro", ""]


def test_the_fake_is_a_language_model(model: LanguageModel, tokenizer: ChatTokenizer) -> None:
    prompt = tokenizer.prompt(message("El perro corre."))
    once, again = (model.generate([prompt], max_new_tokens=20, stop=[tokenizer.end])[0] for _ in range(2))
    assert once == again
    assert once.finished
    assert tokenizer.decode(once.ids) == "Allku pawa."
    assert not model.generate([prompt], max_new_tokens=2, stop=[tokenizer.end])[0].finished


def test_languages_that_the_card_does_not_know_are_refused(translator: Translator) -> None:
    with pytest.raises(ConfigError, match="'eng' is neither qtm nor spa"):
        translator.translate(["Hello."], "eng", "qtm")
    with pytest.raises(DataError, match="two different languages"):
        translator.translate(["Hola."], "spa", "spa")


def test_a_card_is_read_or_the_cure_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="make train"):
        read_card(str(tmp_path))
    (tmp_path / CARD).write_text("{}")
    with pytest.raises(StoreError, match="not a model card"):
        read_card(str(tmp_path))
    (tmp_path / CARD).write_text(CARD_OF_TINY.model_dump_json())
    assert read_card(str(tmp_path)) == CARD_OF_TINY
