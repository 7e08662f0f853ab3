"""From a text to its translation: prompt, model, clean text. Evaluation, the HTTP service and the page all come through here.

A text is translated sentence by sentence, because that is what the model was trained on; its lines stay its lines.
"""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from seshat.confidence import Calibration
from seshat.engines.model import Completion, LanguageModel, Request, RequestModel
from seshat.errors import DataError, StoreError
from seshat.hints import KNOWLEDGE, Knowledge
from seshat.language import clean_spaces
from seshat.prompts import CARD, Card, ChatTokenizer

FLOOR = 32
"""The least number of tokens that an answer may take, so that short words with long translations fit."""
GROWTH = 3
"""How many tokens an answer may take for each token of its source: fertility differs up to 2.5-fold between languages."""
ANSWER_LIMIT = 256
"""The most tokens that a free answer (a dictionary entry, a grammar note) may take."""
_LINE_ENDS = re.compile(r"(\r\n|\r|\n)")


@dataclass(frozen=True, slots=True)
class Translation:
    """What became of one text."""

    text: str
    confidence: float
    """The model's mean probability of a token (geometric), from 0 to 1: how sure it was, not how right it is."""
    finished: bool
    """Every sentence ended by itself; if not, a translation was cut at its limit."""
    expected: float | None = None
    """The chrF++ to be expected, from 0 to 100: the mean of its sentences, by their length; None for a model without calibration."""
    alternatives: tuple[str, ...] = ()
    """Other translations, if they were asked for, the likeliest first."""


EMPTY = Translation(text="", confidence=1.0, finished=True)


def read_card(folder: str) -> Card:
    """What a folder of ours (adapter, merged model or GGUF) says about itself."""
    path = os.path.join(folder, CARD)
    try:
        with open(path, encoding="utf-8") as stream:
            return Card.model_validate_json(stream.read())
    except FileNotFoundError:
        raise StoreError(f"{path} is not there, so nobody knows how to speak to this model: run 'make train' first") from None
    except ValidationError as error:
        raise StoreError(f"{path} is not a model card of ours ({error.error_count()} errors): run 'make train' again") from None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Texts or messages on their way through the model."""

    requests: list[Request]
    """What the model is asked."""
    read: Callable[[Sequence[Completion]], list[Translation]]
    """What its completions of the requests say about each text or message, in their order."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A text cut for translation."""

    lines: list[list[str]]
    """The sentences of each line."""
    ends: list[str]
    """What stood after each line; empty after the last."""

    @property
    def sentences(self) -> list[str]:
        """All sentences in order."""
        return [sentence for line in self.lines for sentence in line]


class Translator:
    """A model that speaks, with its tokenizer and the card that says how to ask it."""

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: ChatTokenizer,
        card: Card,
        knowledge: Knowledge | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        """``knowledge`` is what the card's hints come from: a model that was trained with hints needs it.

        With a ``calibration``, translations tell what can be expected of them.
        """
        if card.hints and knowledge is None:
            raise StoreError(f"{card.name!r} was trained with hints, and what they come from ({KNOWLEDGE}) is not there")
        self.model = model
        self.tokenizer = tokenizer
        self.card = card
        self.knowledge = knowledge
        self.calibration = calibration

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """The translation of each text, in order, between two ISO 639-3 codes of the card; empty text gives empty text.

        A sentence that repeats within the call is translated once.
        """
        prepared = self.prepare(texts, source, target)
        return prepared.read(self.complete(prepared.requests))

    def prepare(self, texts: Sequence[str], source: str, target: str) -> Prepared:
        """``translate`` up to the model, for whoever asks it about more than these texts at once."""
        if source == target:
            raise DataError(f"source and target are both {source!r}: ask for two different languages")
        plans = [self._plan(text, source) for text in texts]
        sentences = list(dict.fromkeys(sentence for plan in plans for sentence in plan.sentences))
        told = self.knowledge.hints(sentences, source, target) if self.knowledge else [()] * len(sentences)
        requests = [self._request(sentence, hints, source, target) for sentence, hints in zip(sentences, told, strict=True)]

        def read(completions: Sequence[Completion]) -> list[Translation]:
            said = dict(zip(sentences, completions, strict=True))
            made = [self._join(plan, said) for plan in plans]
            worth = {sentence: self._expected(sentence, said[sentence], f"{source}-{target}") for sentence in sentences}
            return [replace(one, expected=_mean(plan, worth)) for one, plan in zip(made, plans, strict=True)]

        return Prepared(requests, read)

    def answer(self, messages: Sequence[str]) -> list[str]:
        """What the model says to each message, in order: dictionary lookups, grammar questions, completions."""
        prepared = self.prepare_messages(messages)
        return [one.text for one in prepared.read(self.complete(prepared.requests))]

    def pieces(self, text: str, source: str) -> list[tuple[str, str]]:
        """The sentences of a text, each with what stands between it and the next: ``translate`` of each, joined, is that of the text."""
        plan = self._plan(text, source)
        return [
            (sentence, end if place + 1 >= len(line) else " ")
            for line, end in zip(plan.lines, plan.ends, strict=True)
            for place, sentence in enumerate(line or [""])
        ]

    def message(self, message: str, system: str = "") -> Request:
        """A message as the model is asked, after what a ``system`` message says."""
        return Request(tuple(self.tokenizer.prompt(message, system)), ANSWER_LIMIT)

    def prepare_messages(self, messages: Sequence[str]) -> Prepared:
        """``answer`` up to the model."""
        requests = [self.message(message) for message in messages]
        return Prepared(requests, lambda completions: [self._translation(self.tokenizer.decode(one.ids), [one]) for one in completions])

    def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Ask the model, each request with its own limit.

        Limits are powers of two, so that there are few groups and a text's limit never depends on its neighbours.
        """
        stop = (self.tokenizer.end,)
        if isinstance(self.model, RequestModel):
            return self.model.complete(requests, stop=stop)
        done: dict[int, Completion] = {}
        for limit in sorted({request.limit for request in requests}):
            chosen = [index for index, request in enumerate(requests) if request.limit == limit]
            completions = self.model.generate([requests[index].ids for index in chosen], max_new_tokens=limit, stop=stop)
            done.update(zip(chosen, completions, strict=True))
        return [done[index] for index in range(len(requests))]

    def _plan(self, text: str, source: str) -> _Plan:
        pieces = [*_LINE_ENDS.split(text), ""]
        return _Plan([self._line(line, source) for line in pieces[::2]], pieces[1::2])

    def _line(self, line: str, source: str) -> list[str]:
        """The sentences of a line, none of them longer than the model was trained for."""
        language = self.card.language
        bridge = source == language.bridge.code
        # Apostrophes are letters in the taught language only: 'casa' in quotation marks is not.
        clean = clean_spaces(unicodedata.normalize("NFC", line)) if bridge else language.normalize(line)
        sentences = language.sentences(clean, bridge=bridge)
        return [piece for sentence in sentences for piece in self._cut(sentence, self._room)]

    @property
    def _room(self) -> int:
        """How many tokens of source leave room for the instruction and the answer in the length of training."""
        hints = self.card.hints.tokens if self.card.hints else 0
        return max(8, (self.card.max_seq_length - hints - 2 * FLOOR) // (1 + GROWTH))

    def _cut(self, sentence: str, room: int) -> Iterator[str]:
        """A sentence in pieces of at most ``room`` tokens, cut at a space near the middle where there is one."""
        if len(self.tokenizer.text(sentence)) <= room or len(sentence) < 2:
            yield sentence
            return
        middle = len(sentence) // 2
        space = sentence.rfind(" ", 1, middle + 1)
        place = space if space > 0 else middle
        for half in (sentence[:place].strip(), sentence[place:].strip()):
            if half:
                yield from self._cut(half, room)

    def _request(self, sentence: str, hints: Sequence[str], source: str, target: str) -> Request:
        language, prompts = self.card.language, self.card.prompts
        message = prompts.instruction("translation", sentence, language=language, source=source, target=target)
        message = self.tokenizer.hinted(message, hints, self.card.hints.tokens)
        wanted = max(FLOOR, GROWTH * len(self.tokenizer.text(sentence)))
        return Request(tuple(self.tokenizer.prompt(message)), 1 << (wanted - 1).bit_length())

    def _join(self, plan: _Plan, said: dict[str, Completion]) -> Translation:
        """Put the sentences back into the lines that they came from."""
        used = [said[sentence] for sentence in plan.sentences]
        if not used:
            return EMPTY
        lines = [" ".join(self.tokenizer.decode(said[sentence].ids) for sentence in line) for line in plan.lines]
        return self._translation("".join(line + end for line, end in zip(lines, plan.ends, strict=True)), used)

    def _expected(self, sentence: str, completion: Completion, direction: str) -> float | None:
        return self.calibration.expected(direction, sentence, completion.logprob) if self.calibration else None

    def _translation(self, text: str, used: Sequence[Completion]) -> Translation:
        counts = [len(completion.ids) + completion.finished for completion in used]
        total = sum(completion.logprob * count for completion, count in zip(used, counts, strict=True))
        return Translation(
            text=text,
            confidence=math.exp(total / sum(counts)) if sum(counts) else 0.0,
            finished=all(completion.finished for completion in used),
        )


def _mean(plan: _Plan, worth: Mapping[str, float | None]) -> float | None:
    """What can be expected of a text, from its sentences by their length; None without sentences, or if one of them is not known."""
    found = [(worth[sentence], len(sentence)) for sentence in plan.sentences]
    known = [(expected * length, length) for expected, length in found if expected is not None]
    return sum(one for one, _ in known) / sum(length for _, length in known) if known and len(known) == len(found) else None
