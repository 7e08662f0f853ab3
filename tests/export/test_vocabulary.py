"""llama.cpp reads our vocabulary as transformers does, and what it cannot read is refused."""

from __future__ import annotations

import pytest

from seshat.errors import EngineError
from seshat.export.vocabulary import GPT2, LLAMA3_SPLIT, QWEN_SPLIT, pre_tokenizer
from tests.export.conftest import Tiny
from tests.tiny_model import PAIRS

BYTE_LEVEL = {"type": "ByteLevel", "use_regex": False}


def split(pattern: str) -> dict[str, object]:
    return {"type": "Split", "pattern": {"Regex": pattern}}


@pytest.mark.parametrize(
    ("steps", "name"),
    [
        ([split(QWEN_SPLIT), BYTE_LEVEL], "qwen2"),
        ([split(LLAMA3_SPLIT), BYTE_LEVEL], "llama-bpe"),
        ([{"type": "ByteLevel", "use_regex": True}], GPT2),
    ],
)
def test_known_ways_to_cut_text_have_a_name(steps: list[dict[str, object]], name: str) -> None:
    assert pre_tokenizer({"pre_tokenizer": {"type": "Sequence", "pretokenizers": steps}}, "here") == name


@pytest.mark.parametrize("step", [split(r"\s+"), {"type": "Whitespace"}, None])
def test_an_unknown_way_is_refused(step: dict[str, object] | None) -> None:
    with pytest.raises(EngineError, match=r"here: llama\.cpp has no name"):
        pre_tokenizer({"pre_tokenizer": step}, "here")


@pytest.mark.parametrize("text", [*PAIRS, *PAIRS.values(), "¡Ay! 12.345 €, ʼñÑ… \n\n  fin 🙂", "<|im_end|>"])
@pytest.mark.heavy
def test_llamacpp_cuts_text_as_transformers_does(tiny: Tiny, text: str) -> None:
    from cyllama.llama import llama_cpp

    llama_cpp.disable_logging()
    llama_cpp.ggml_backend_load_all()
    model = llama_cpp.LlamaModel(tiny.gguf("F16"), llama_cpp.LlamaModelParams())  # its vocabulary dies with it
    vocabulary = model.get_vocab()
    assert vocabulary.tokenize(text, add_special=False, parse_special=False) == tiny.tokenizer.text(text)
    assert vocabulary.is_eog(tiny.tokenizer.end)
    assert vocabulary.is_control(tiny.tokenizer.end)


def test_the_file_says_what_it_is(tiny: Tiny) -> None:
    from gguf import GGUFReader

    fields = {name: field.contents() for name, field in GGUFReader(tiny.gguf("Q8_0")).fields.items()}
    assert fields["general.name"] == "tiny"
    assert fields["general.languages"] == ["qtm", "spa"]
    assert fields["general.license"] == "CC-BY-4.0"
    assert fields["tokenizer.chat_template"] == tiny.tokenizer.tokenizer.chat_template
    assert tiny.card.model_validate_json(fields["seshat.card"]) == tiny.card
