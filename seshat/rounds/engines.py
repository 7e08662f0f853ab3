"""Who translates in a round: an adapter of the workspace, or phrases that are learnt from its training pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from seshat.config import Section
from seshat.engines.transformers_model import TransformersModel
from seshat.errors import StoreError
from seshat.evaluation.cases import seen
from seshat.examples import TRAINING, by_people, read_examples
from seshat.hints import Knowledge
from seshat.phrases.translator import VERSION, PhraseTranslator
from seshat.prompts import ChatTokenizer
from seshat.records import Example, digest
from seshat.store import Store
from seshat.translate import Translator, read_card
from seshat.withdrawals import read_withdrawals

ADAPTERS = "models/adapters"
TRAIN = f"{TRAINING}/train.jsonl"
PHRASES = "phrases"


@dataclass(frozen=True, slots=True)
class Said:
    """A translation."""

    text: str
    finished: bool = True
    """It ended by itself."""


class Engine(Protocol):
    """What translates in both directions."""

    def say(self, texts: Sequence[str], source: str, target: str) -> list[Said]:
        """The translation of each sentence, in order."""


class Speaker(Section):
    """Where an engine is loaded from, and what it is known by."""

    kind: Literal["model", "phrases"]
    name: str
    identity: str
    """The digest of all that its translations depend on."""
    data: str
    """SHA-256 of the ``train.jsonl`` that it learnt from."""
    train: str = ""
    """The path of that file, where it is learnt anew."""
    adapter: str = ""
    base: str = ""
    """Their folders."""

    def load(self) -> Engine:
        """Ready to speak."""
        if self.kind == "phrases":
            return PhraseEngine(list(read_examples(self.train)))
        card = read_card(self.adapter)
        model = TransformersModel(self.base, adapter=self.adapter)
        return ModelEngine(Translator(model, ChatTokenizer.load(self.adapter), card, Knowledge.read(self.adapter, card.hints)))


def phrases_speaker(store: Store) -> Speaker:
    """Phrases that learn from the training data on disk."""
    data = _train_sha256(store)
    return Speaker(kind="phrases", name=PHRASES, identity=digest("phrases", VERSION, data), data=data, train=store.path(TRAIN))


def model_speaker(store: Store, name: str, base: Callable[[], str]) -> Speaker:
    """The adapter ``name``; ``base`` says where its base model lies."""
    manifest = store.manifest(f"{ADAPTERS}/{name}")
    if manifest is None:
        raise StoreError(
            f"{store.path(ADAPTERS)}/{name} is not there or not complete, so nothing can translate: run 'make train' first, name another "
            "one with training.name, or take back_translate.engine=phrases"
        )
    adapter = store.path(f"{ADAPTERS}/{name}")
    read_withdrawals(store).refuse_model(read_card(adapter), store, adapter)
    sha256 = store.vouch(f"{ADAPTERS}/{name}/manifest.json").sha256
    data = manifest.inputs.get("train.jsonl", "")
    return Speaker(kind="model", name=name, identity=digest(name, sha256), data=data, adapter=adapter, base=base())


def _train_sha256(store: Store) -> str:
    if store.size(TRAIN) < 0:
        raise StoreError(f"{store.path(TRAIN)} is not there: run 'make format' first")
    return store.vouch(TRAIN).sha256


class ModelEngine:
    """A language model."""

    def __init__(self, translator: Translator) -> None:
        self._translator = translator

    def say(self, texts: Sequence[str], source: str, target: str) -> list[Said]:
        """As it answers in use."""
        return [Said(one.text, one.finished) for one in self._translator.translate(texts, source, target)]


class PhraseEngine:
    """Phrases of both directions, each learnt when it is first asked for."""

    def __init__(self, examples: Sequence[Example]) -> None:
        """``examples`` are those of training: back-translations teach the direction that they are for."""
        self._examples = examples
        self._translators: dict[str, PhraseTranslator] = {}

    def say(self, texts: Sequence[str], source: str, target: str) -> list[Said]:
        """By the phrase table."""
        direction = f"{source}-{target}"
        if direction not in self._translators:
            ours = [(one.source, one.answer) for one in self._examples if one.synthetic and one.direction == direction]
            pairs = seen(by_people(self._examples), direction, "translation")
            entries = seen(by_people(self._examples), direction, "dictionary")
            self._translators[direction] = PhraseTranslator.train([*pairs, *ours], entries=entries)
        return [Said(text) for text in self._translators[direction].translate(texts)]
