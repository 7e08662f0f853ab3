"""One way from a message to ids, in which what people write is never control."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.errors import ConfigError, EngineError
from seshat.prompts import TASKS, ChatTokenizer, Prompts, Task
from tests.tiny_model import CONTROL, LANGUAGE, make_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> ChatTokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


# Instructions


PROMPTS = Prompts(translation="{source} > {target}: {text}", completion="{text} ({source})")


@pytest.mark.parametrize(
    ("task", "source", "target", "said"),
    [
        ("translation", "spa", "qtm", "español > tamo: ama"),
        ("translation", "qtm", "spa", "tamo > español: ama"),
        ("completion", "qtm", "", "ama (tamo)"),
    ],
)
def test_an_instruction_names_the_languages_as_the_bridge_calls_them(task: Task, source: str, target: str, said: str) -> None:
    assert PROMPTS.instruction(task, "ama", language=LANGUAGE, source=source, target=target) == said


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_message_of_its_own_that_holds_the_text(task: Task) -> None:
    said = {task: Prompts().instruction(task, "ama", language=LANGUAGE, source="qtm", target="spa") for task in TASKS}
    assert said[task].count("ama") == 1
    assert "{" not in said[task]
    assert list(said.values()).count(said[task]) == 1


@pytest.mark.parametrize("text", ["{source}", "{target} {text}", "{", "{0}", "%s"])
def test_braces_in_a_text_stay(text: str) -> None:
    said = PROMPTS.instruction("translation", text, language=LANGUAGE, source="spa", target="qtm")
    assert said == f"español > tamo: {text}"


@pytest.mark.parametrize(("source", "target"), [("eng", "qtm"), ("qtm", "eng")])
def test_a_language_that_the_model_does_not_know_is_refused(source: str, target: str) -> None:
    with pytest.raises(ConfigError, match="'eng' is neither qtm nor spa"):
        Prompts().instruction("translation", "ama", language=LANGUAGE, source=source, target=target)


# Ids


def test_a_prompt_is_the_chat_template_up_to_the_answer(tokenizer: ChatTokenizer) -> None:
    said = tokenizer.tokenizer.decode(tokenizer.prompt("ama ʼa"), skip_special_tokens=False)
    assert said == "<|im_start|>user\nama ʼa<|im_end|>\n<|im_start|>assistant\n"


def test_a_system_message_goes_where_the_template_puts_it(tokenizer: ChatTokenizer) -> None:
    said = tokenizer.tokenizer.decode(tokenizer.prompt("ama", system="sé breve"), skip_special_tokens=False)
    assert said == "<|im_start|>system\nsé breve<|im_end|>\n<|im_start|>user\nama<|im_end|>\n<|im_start|>assistant\n"


def test_an_answer_ends_with_the_end_of_turn(tokenizer: ChatTokenizer) -> None:
    assert tokenizer.tokenizer.convert_ids_to_tokens(tokenizer.end) == "<|im_end|>"
    assert tokenizer.answer("ama") == [*tokenizer.text("ama"), tokenizer.end]
    assert tokenizer.decode(tokenizer.answer(" ama ")) == "ama"


@given(text=st.lists(st.sampled_from([*CONTROL, "<|im_", "end|>", "\n", "assistant", "ʼ", "ñ", "日"]), max_size=8).map("".join))
def test_what_people_write_is_never_control(tokenizer: ChatTokenizer, text: str) -> None:
    ids = tokenizer.text(text)
    assert not set(ids) & set(tokenizer.tokenizer.all_special_ids)
    assert tokenizer.tokenizer.decode(ids, skip_special_tokens=False) == text
    assert tokenizer.prompt(text).count(tokenizer.end) == 1


def test_a_tokenizer_without_a_chat_template_is_refused(tokenizer: ChatTokenizer) -> None:
    bare = deepcopy(tokenizer.tokenizer)
    bare.chat_template = None
    with pytest.raises(EngineError, match="the tokenizer has no chat template; use an instruction-tuned model"):
        ChatTokenizer(bare)


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_folder_without_a_tokenizer_names_the_make_that_fetches_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(EngineError, match=r"tokenizer.*; run 'make download-model'$"):
        ChatTokenizer.load(str(tmp_path / name))


def with_template(tokenizer: ChatTokenizer, template: str, **changes: object) -> ChatTokenizer:
    changed = deepcopy(tokenizer.tokenizer)
    changed.chat_template = template
    for name, value in changes.items():
        setattr(changed, name, value)
    return ChatTokenizer(changed)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ messages[-1].content }}", ""),
        ("{{ messages[-1].content | trim }}", ""),
        ("hola", "drops, changes or repeats the user's message"),
        ("{{ messages[-1].content | upper }}", "drops, changes or repeats the user's message"),
        ("{{ messages[-1].content * 2 }}", "drops, changes or repeats the user's message"),
        ("{{ messages[0].content }}", "drops, changes or repeats the assistant's message"),
        ("{{ raise_exception('no') }}", r"does not take a user's message \(no\)"),
    ],
)
def test_a_template_that_loses_a_message_is_refused(tokenizer: ChatTokenizer, template: str, said: str) -> None:
    changed = with_template(tokenizer, template)
    if said:
        with pytest.raises(EngineError, match=f"{said}.*another instruction-tuned model"):
            changed.check()
    else:
        changed.check()
        assert changed.prompt("ama") == changed.text("ama")


def test_a_template_without_an_end_of_turn_needs_a_tokenizer_with_one(tokenizer: ChatTokenizer) -> None:
    bare = "{{ messages[-1].content }}"
    assert with_template(tokenizer, bare).end == tokenizer.tokenizer.eos_token_id
    with pytest.raises(EngineError, match="neither the chat template nor the tokenizer has an end of turn"):
        with_template(tokenizer, bare, eos_token=None).check()


def test_a_template_that_takes_no_system_message_is_refused_where_there_is_one(tokenizer: ChatTokenizer) -> None:
    strict = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[-1].content }}"
    changed = with_template(tokenizer, strict)
    assert changed.prompt("ama") == changed.text("ama")
    with pytest.raises(EngineError, match="does not take a system's message"):
        changed.prompt("ama", system="sé breve")


def test_many_texts_at_once_are_what_each_is_alone(tokenizer: ChatTokenizer) -> None:
    texts = ["ama ʼa", "", "<|im_end|> dicho", "日 ñ"]
    assert tokenizer.texts(texts) == [tokenizer.text(text) for text in texts]
    assert tokenizer.texts([]) == []
    prompt, answer = tokenizer.chat(*tokenizer.texts(["ama", "siʼa"]))
    assert (prompt, answer) == (tokenizer.prompt("ama"), tokenizer.answer("siʼa"))


@pytest.mark.parametrize(("first", "begins"), [(None, "<|endoftext|>"), ("<|im_start|>", "<|im_start|>")])
def test_a_plain_text_has_no_template_around_it(tokenizer: ChatTokenizer, first: str | None, begins: str) -> None:
    changed = with_template(tokenizer, tokenizer.tokenizer.chat_template, bos_token=first)
    before, trained = changed.document(changed.text("ama ʼa"))
    assert [tokenizer.tokenizer.decode(ids) for ids in (before, trained)] == [begins, "ama ʼa<|im_end|>"]


@pytest.mark.parametrize(("kept", "lost"), [("abc", ""), ("ac", "b"), ("bac", "abc"), (" a  b c ", ""), ("ａｂｃ", "")])
def test_what_does_not_come_back_from_ids_is_named(tokenizer: ChatTokenizer, kept: str, lost: str) -> None:
    assert tokenizer.lost("abc", tokenizer.text(kept)) == lost
