"""The vocabulary of a byte-level BPE tokenizer as GGUF metadata, so that llama.cpp cuts text just as transformers does."""

from __future__ import annotations

import json
import os
from typing import Any

from seshat.errors import EngineError
from seshat.prompts import ChatTokenizer

QWEN_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3_SPLIT = QWEN_SPLIT.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
PRE_TOKENIZERS = {QWEN_SPLIT: "qwen2", LLAMA3_SPLIT: "llama-bpe"}
"""The regular expressions that llama.cpp knows, by its own names for them; it cannot be given a new one."""
GPT2 = "gpt-2"
"""The name of what ``ByteLevel`` does by itself in the tokenizers library."""


def add_vocabulary(writer: Any, folder: str, vocabulary_size: int) -> None:
    """Write tokens, merges, kinds, the ends and the chat template of the tokenizer in ``folder`` into a GGUF file.

    Ids that the model has and the tokenizer does not (Qwen pads its embeddings) become unused tokens.
    """
    data = _read(folder)
    tokenizer = ChatTokenizer.load(folder)
    tokens, kinds = _tokens(data, vocabulary_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer(data, folder))
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in data["model"]["merges"]])
    writer.add_eos_token_id(tokenizer.end)
    writer.add_pad_token_id(tokenizer.pad)
    begin = tokenizer.tokenizer.bos_token_id
    if begin is not None:
        writer.add_bos_token_id(int(begin))
    writer.add_add_bos_token(False)  # the chat template says what a prompt begins with
    writer.add_chat_template(tokenizer.tokenizer.chat_template)


def pre_tokenizer(data: dict[str, Any], folder: str) -> str:
    """llama.cpp's name for how a tokenizer cuts text before it merges bytes."""
    step = data.get("pre_tokenizer") or {}
    steps = step.get("pretokenizers", [step])
    patterns = [each["pattern"].get("Regex", "") for each in steps if each.get("type") == "Split"]
    byte_level = [each for each in steps if each.get("type") == "ByteLevel"]
    if not patterns and byte_level and byte_level[-1].get("use_regex", True):
        return GPT2
    if len(patterns) == 1 and patterns[0] in PRE_TOKENIZERS:
        return PRE_TOKENIZERS[patterns[0]]
    raise EngineError(
        f"{folder}: llama.cpp has no name for the way this tokenizer cuts text ({patterns or steps}); "
        f"it knows {', '.join([*PRE_TOKENIZERS.values(), GPT2])}"
    )


def _read(folder: str) -> dict[str, Any]:
    path = os.path.join(folder, "tokenizer.json")
    if not os.path.isfile(path):
        raise EngineError(f"{path} is not there: only models with a fast tokenizer can be written as GGUF")
    with open(path, encoding="utf-8") as stream:
        data: dict[str, Any] = json.load(stream)
    if data["model"].get("type") != "BPE" or data["model"].get("byte_fallback"):
        raise EngineError(f"{path}: only byte-level BPE vocabularies can be written as GGUF, and this is {data['model'].get('type')}")
    return data


def _tokens(data: dict[str, Any], size: int) -> tuple[list[str], list[int]]:
    from gguf import TokenType

    tokens = [f"[PAD{place}]" for place in range(size)]
    kinds = [int(TokenType.UNUSED)] * size
    for token, place in data["model"]["vocab"].items():
        tokens[place], kinds[place] = token, int(TokenType.NORMAL)
    for added in data["added_tokens"]:
        kind = TokenType.CONTROL if added["special"] else TokenType.USER_DEFINED
        tokens[added["id"]], kinds[added["id"]] = added["content"], int(kind)
    return tokens, kinds
