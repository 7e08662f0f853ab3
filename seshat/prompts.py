"""The one place where a prompt is built and tokenised: training, evaluation, serving and GGUF use the same ids.

The chat template of the tokenizer decides where the turns begin and end. What people wrote is encoded apart from the
template, with control tokens switched off, so that ``<|im_start|>`` in a text stays text.

Continued pretraining reads no chat but plain text: ``ChatTokenizer.document``.
"""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from seshat.config import Section
from seshat.errors import ConfigError, EngineError
from seshat.language import Language
from seshat.rights import Rights

Task = Literal["translation", "dictionary", "grammar", "morphology", "completion"]
BACK_TRANSLATED = "<BT> "
"""Begins the prompt of an example whose source a model wrote, and of nothing else: what such sources are like is then no reason to
expect the same of people's (Caswell, Chelba and Grangier, 2019, "Tagged Back-Translation")."""
TASKS: tuple[Task, ...] = ("translation", "dictionary", "grammar", "morphology", "completion")
CARD = "seshat.json"
"""The file beside every adapter, merged model and GGUF that says how to speak to it."""

# Private-use characters mark where a message goes while the chat template is cut into pieces.
_MESSAGE = "\ue000{}\ue001"
Cut = tuple[list[int], list[int], list[int]]
"""The ids before the system message, between it and the user's, and after that."""


class Prompts(Section):
    """What the user says for each task, in the bridge language; ``{text}``, ``{source}`` and ``{target}`` are filled in."""

    translation: str = "Traduce del {source} al {target}: {text}"
    dictionary: str = "¿Qué significa en {target} la palabra {source} «{text}»?"
    grammar: str = "Explica la gramática en {source}: {text}"
    morphology: str = "Separa en morfemas en {source}: {text}"
    completion: str = "Continúa en {source}: {text}"

    def instruction(self, task: Task, text: str, *, language: Language, source: str, target: str = "") -> str:
        """The user's message of a task; ``source`` and ``target`` are ISO 639-3 codes of the two languages."""
        names = {language.code: language.name, language.bridge.code: language.bridge.name, "": ""}
        for code in (source, target):
            if code not in names:
                raise ConfigError(f"{code!r} is neither {language.code} nor {language.bridge.code}: this model knows these two")
        template: str = getattr(self, task)
        filled = template.replace("{source}", names[source]).replace("{target}", names[target])
        return filled.replace("{text}", text)


class Hinting(Section):
    """What is told about a sentence to translate."""

    words: int = Field(0, ge=0)
    """The most words of a sentence that are explained, the rarest first; 0: none."""
    per_word: int = Field(2, ge=1)
    """The most translations of a word."""
    examples: int = Field(0, ge=0)
    """How many near examples are shown; 0: none."""
    tokens: int = Field(128, ge=8)
    """The most tokens of all hints of a prompt; what does not fit is left out from the end, so examples first."""
    frequent: float = Field(0.005, gt=0, le=1)
    """Words that make up more of the training text than this are not explained: the model knows them, and word lists do not."""
    weakest: float = Field(0.1, gt=0, le=1)
    """Links of the lexicon that are weaker than this are no translations."""
    nearest: float = Field(0.3, ge=0, le=1)
    """Examples that are less alike than this (the cosine of their n-grams) are not shown."""
    folds: int = Field(5, ge=2)
    """In how many parts the training pairs are cut, each of which gets its hints from the others."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Which share of the training examples goes without hints, so that the model can do without."""

    def __bool__(self) -> bool:
        return bool(self.words or self.examples)


class Card(Section):
    """What a model folder of ours says about itself."""

    name: str
    language: Language
    prompts: Prompts = Prompts()
    hints: Hinting = Hinting()
    """What is told about each sentence, in training and in use."""
    base: str
    """The name or folder of the base model."""
    base_sha256: str = ""
    """Over the weights of the base, by file name; an adapter is refused on another base."""
    max_seq_length: int = 512
    data: dict[str, str] = {}
    """SHA-256 of the training files, by name."""
    rights: Rights = Rights()
    without: tuple[str, ...] = ()
    """What had been withdrawn from the workspace when this was trained, so is not in it."""


class ChatTokenizer:
    """A tokenizer with its chat template: messages to ids, ids to text."""

    def __init__(self, tokenizer: Any) -> None:
        """``tokenizer`` is a fast tokenizer of transformers that has a chat template."""
        if not getattr(tokenizer, "chat_template", None):
            raise EngineError(f"{tokenizer.name_or_path}: the tokenizer has no chat template; use an instruction-tuned model")
        self.tokenizer = tokenizer
        self._cuts: dict[bool, Cut] = {}

    @classmethod
    def load(cls, folder: str) -> ChatTokenizer:
        """The tokenizer of a model folder."""
        if not os.path.isdir(folder):  # a name that is no folder would be looked for on the hub
            raise EngineError(f"{folder} is not a folder with a tokenizer; run 'make download-model'")
        from transformers import AutoTokenizer  # heavy

        try:
            return cls(AutoTokenizer.from_pretrained(folder))
        except (OSError, ValueError) as error:
            problem = str(error).strip().split("\n")[0]
            raise EngineError(f"{folder}: no tokenizer can be loaded ({problem}); run 'make download-model'") from None

    def turns(self, *, system: bool) -> tuple[str, str, str]:
        """What the template puts before the system message, between it and the user's, and after that, up to where the answer begins."""
        messages = [{"role": "system", "content": _MESSAGE.format("s")}] if system else []
        text = self._render([*messages, {"role": "user", "content": _MESSAGE.format("u")}], True)
        head, tail = self._split(text, "u", "user")
        return (*(self._split(head, "s", "system") if system else ("", head)), tail)

    def prompt(self, message: str, system: str = "") -> list[int]:
        """The ids of one user turn up to where the answer begins."""
        before, between, after = self._cut(bool(system))
        return [*before, *(self.text(system) if system else ()), *between, *self.text(message), *after]

    def answer(self, text: str) -> list[int]:
        """The ids of an answer with its end of turn: what is trained."""
        return [*self.text(text), self.end]

    def chat(self, message: Sequence[int], answer: Sequence[int]) -> tuple[list[int], list[int]]:
        """``prompt`` and ``answer`` of what was encoded before, without a system message."""
        _, before, after = self._cut(False)
        return [*before, *message, *after], [*answer, self.end]

    def document(self, text: Sequence[int]) -> tuple[list[int], list[int]]:
        """What begins a plain text that was encoded before, and the text with its end: the second is what is trained.

        It begins as the base's own texts did: with the tokenizer's first token, else with what fills up batches (in Qwen the
        token between two texts). It ends with the end of turn, because that is the one end that every reader stops at.
        """
        first = self.tokenizer.bos_token_id
        return [int(first) if first is not None else self.pad], [*text, self.end]

    def lost(self, text: str, ids: Sequence[int]) -> str:
        """What of a text does not come back from its ids, spaces and Unicode forms apart; empty if all does."""
        back = self.tokenizer.decode(list(ids), skip_special_tokens=False)
        if text == back:
            return ""
        there, back = _bare(text), _bare(back)
        return "" if there == back else "".join(dict.fromkeys(sign for sign in there if sign not in back)) or there

    def hinted(self, message: str, hints: Sequence[str], tokens: int) -> str:
        """A message with those hints before it, line by line, that come first and take at most so many tokens together."""
        sizes = itertools.accumulate(len(ids) + 1 for ids in self.texts(hints))
        fitting = [hint for hint, size in zip(hints, sizes, strict=True) if size <= tokens]
        return "\n".join([*fitting, message])

    def check(self) -> None:
        """Refuse a chat template that no prompt can be built with, before anything is."""
        self._cut(False)
        _ = self.end

    def text(self, text: str) -> list[int]:
        """The ids of what a person wrote: no control tokens, whatever it says."""
        return list(self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def texts(self, texts: Sequence[str]) -> list[list[int]]:
        """``text`` of many at once, in half the time."""
        return list(self.tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True)["input_ids"]) if texts else []

    def decode(self, ids: Sequence[int]) -> str:
        """The text of generated ids, without control tokens, without white space at the ends."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True)).strip()

    @cached_property
    def end(self) -> int:
        """The id that ends an answer: the first control token after an assistant's message in the template."""
        rendered = self._render([{"role": "user", "content": "u"}, {"role": "assistant", "content": _MESSAGE.format("a")}], False)
        tail = self.tokenizer.encode(self._split(rendered, "a", "assistant")[1], add_special_tokens=False)
        special = set(self.tokenizer.all_special_ids) | set(self.tokenizer.added_tokens_decoder)
        found = next((token for token in tail if token in special), self.tokenizer.eos_token_id)
        if found is None:
            raise EngineError(f"{self.tokenizer.name_or_path}: neither the chat template nor the tokenizer has an end of turn")
        return int(found)

    @property
    def pad(self) -> int:
        """The id that fills up batches; the end of turn where the tokenizer has none (masked, so it never matters)."""
        pad = self.tokenizer.pad_token_id
        return int(pad) if pad is not None else self.end

    def _cut(self, system: bool) -> Cut:
        """The template cut where the messages go, encoded once: without or with a system message."""
        if system not in self._cuts:
            first, second, third = (self.tokenizer.encode(piece, add_special_tokens=False) for piece in self.turns(system=system))
            self._cuts[system] = first, second, third
        return self._cuts[system]

    def _split(self, rendered: str, mark: str, role: str) -> tuple[str, str]:
        """What the template puts before and after a message, which has to be there."""
        before, *rest = rendered.split(_MESSAGE.format(mark))
        if len(rest) != 1:
            raise EngineError(
                f"{self.tokenizer.name_or_path}: the chat template drops, changes or repeats the {role}'s message; "
                "correct its chat_template, or use another instruction-tuned model"
            )
        return before, rest[0]

    def _render(self, messages: list[dict[str, str]], generation: bool) -> str:
        import jinja2

        try:
            return str(
                self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=generation, enable_thinking=False)
            )
        except jinja2.TemplateError as error:
            raise EngineError(
                f"{self.tokenizer.name_or_path}: the chat template does not take a {messages[0]['role']}'s message ({error}); "
                "correct its chat_template, or use another instruction-tuned model"
            ) from None


def _bare(text: str) -> str:
    """A text without white space, in the widest of Unicode's normal forms: what no tokenizer may lose."""
    return "".join(unicodedata.normalize("NFKC", text).split())
