"""Learning to read an alphabet that no OCR engine knows: a new last layer for PP-OCR's recogniser.

What the recogniser sees in a line tells letters apart that it was never taught; only its last layer has no row for them. A new one
is learnt with CTC (Graves et al., 2006) on lines that people have corrected, each printed and scanned again and again by
``ocr_rendered.distort``, and on lines that are set in installed fonts: of the language's own texts, and of invented words, in which
rare letters are as frequent as others. Rows of letters that the recogniser knows begin as they are.

Legend of the shapes: B lines, T steps along a line, D features, A the alphabet and the blank before it.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from seshat.engines.ocr_learnt import BLANK, Card, Head
from seshat.engines.ppocr import Floats, LastLayer, PpOcrFeatures
from seshat.engines.weights import sha256
from seshat.errors import DataError
from seshat.training.ocr_lines import CorrectedLine, error_rate, tidy
from seshat.training.ocr_rendered import DIGITS, Typesetter, distort, invented
from seshat.training.ocr_settings import OcrLearning

log = logging.getLogger(__name__)

MARKS = (".", ",", ";", ":", "!", "?", "…", "()", "-–—", '"“”„«»', "'’ʼꞌ")
"""Each group looks alike: of a group, the characters that corrected lines use are the only ones, if they use any."""
_WIDEST = 42
"""Characters of a line that is set."""
_UNKNOWN = -4.0
"""The bias with which a letter begins that the recogniser does not know: it is rarely seen."""

Seen = tuple[str, Floats]
"""What stands in a line, and its features [T, D]."""


@dataclass(frozen=True)
class Learnt:
    """A last layer, and what it learnt from."""

    head: Head
    base: PpOcrFeatures
    num_lines: int
    num_rendered: int
    not_rendered: tuple[str, ...]
    """Letters that no font has."""
    seed: int

    def read(self, line: CorrectedLine) -> str:
        """What it reads."""
        return self.head.decode(self.base.read(line.image))[0]

    def card(self, language: str, held_out: Sequence[CorrectedLine]) -> Card:
        """The card, with the error rates before and after on lines that it did not learn from."""
        facts = Card(
            language=language,
            alphabet=self.head.alphabet,
            base=os.path.basename(self.base.path),
            base_sha256=sha256(self.base.path),
            rapidocr=importlib.metadata.version("rapidocr"),
            weights_sha256="",
            num_lines=self.num_lines,
            num_rendered=self.num_rendered,
            not_rendered=self.not_rendered,
            tested_on="nothing: no lines were held out",
            seed=self.seed,
        )
        if not held_out:
            return facts
        meant, known = [line.text for line in held_out], untrained(self.base.last_layer())
        before = error_rate([known.decode(self.base.read(line.image))[0] for line in held_out], meant)
        after = error_rate([self.read(line) for line in held_out], meant)
        said = f"{len(held_out)} corrected lines ({sum(map(len, meant))} characters) that were not learnt from"
        return facts.model_copy(update={"tested_on": said, "before": before, "after": after})


def learn(lines: Sequence[CorrectedLine], letters: Iterable[str], texts: Iterable[str], plan: OcrLearning) -> Learnt:
    """A last layer for the letters, from corrected lines, texts of the language, or neither: then from fonts and invented words."""
    written = [tidy(text) for text in texts]
    characters = alphabet([line.text for line in lines], tuple(letters) or set("".join(written)) - {" "})
    foreign = [text for text in written if not set(text).issubset(characters)]
    if foreign:
        log.warning("ocr-learn: %d of %d lines of text have characters that are not in the alphabet: left out", len(foreign), len(written))
    setter, base, rng = Typesetter(characters), PpOcrFeatures(), random.Random(plan.seed)
    missing = tuple(letter for letter in setter.missing if letter.strip())
    if missing:
        log.warning("ocr-learn: no installed font has %s: lines with them are not set", " ".join(missing))
    if not lines and not setter.num_fonts:
        raise DataError(
            "No installed font has most of the alphabet's letters, and there are no corrected lines: install a font for the language, "
            "for example with apt-get install fonts-noto-core, or give --lines"
        )
    printed = list(_printed(lines, base, plan, rng))
    rendered = list(_rendered(setter, characters, [line.text for line in lines] + written, base, plan, rng))
    log.info("ocr-learn: %d corrected lines, %d pictures of them, %d lines set", len(lines), len(printed), len(rendered))
    head = _fit(printed, rendered, characters, base.last_layer(), plan, rng)
    return Learnt(head, base, len(lines), len(rendered), missing, plan.seed)


def alphabet(written: Sequence[str], letters: Iterable[str]) -> tuple[str, ...]:
    """The characters to read: of the language's letters, small and large, of the corrected lines, digits and marks."""
    used = set("".join(written))
    listed = {character for letter in letters for form in (letter, letter.upper(), letter.capitalize()) for character in form}
    if not used and not listed:
        raise DataError("Nobody says what letters the language has: set language.alphabet, or give --lines")
    marks = {mark for group in MARKS for mark in (used.intersection(group) or group)}
    return tuple(sorted(used | listed | marks | set(DIGITS) | {" "}))


def untrained(layer: LastLayer) -> Head:
    """The recogniser's own last layer."""
    return Head(layer.characters[1:], np.ascontiguousarray(layer.weight.T), layer.bias)


def _printed(lines: Sequence[CorrectedLine], base: PpOcrFeatures, plan: OcrLearning, rng: random.Random) -> Iterable[Seen]:
    """Every line as it is, and distorted so often that there are ``num_prints``."""
    copies = max(1, plan.num_prints // len(lines) - 1) if lines else 0
    for line in lines:
        yield line.text, base.read(line.image)
        for _ in range(copies):
            yield line.text, base.read(distort(line.image, rng))


def _rendered(
    setter: Typesetter, characters: Sequence[str], texts: Sequence[str], base: PpOcrFeatures, plan: OcrLearning, rng: random.Random
) -> Iterable[Seen]:
    """Lines set in fonts: of texts and of invented words."""
    if not setter.num_fonts:
        return
    ready = [text for text in texts if text and setter.can_set(text) and set(text).issubset(characters)]
    known = [letter for letter in characters if setter.can_set(letter)]
    for _ in range(plan.num_rendered):
        text = _excerpt(rng.choice(ready), rng) if ready and rng.random() < 1 / 3 else invented(known, rng)
        shown = text if "—" in characters or rng.random() < 0.5 else _long_dashes(text)
        yield text, base.read(distort(setter.set(shown, rng), rng))


def _excerpt(text: str, rng: random.Random) -> str:
    """Some words in a row, as many as go on a line."""
    words = text.split()
    begin = rng.randrange(len(words)) if len(text) > _WIDEST else 0
    found = words[begin]
    for word in words[begin + 1 :]:
        if len(found) + len(word) >= _WIDEST:
            break
        found += f" {word}"
    return found[:_WIDEST].strip()


def _long_dashes(text: str) -> str:
    """Dashes between words as printers set them, where transcribers type hyphens."""
    return " ".join("—" if word == "-" else word for word in text.split(" "))


def _fit(
    printed: Sequence[Seen], rendered: Sequence[Seen], characters: Sequence[str], known: LastLayer, plan: OcrLearning, rng: random.Random
) -> Head:
    numbers = {character: number for number, character in enumerate(characters, BLANK + 1)}
    weight_AD, bias_A = _initial(characters, known)
    optimizer = torch.optim.AdamW([weight_AD, bias_A], lr=plan.rate, weight_decay=plan.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.rate, total_steps=plan.steps, pct_start=0.1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # for sums in one order: the same lines give the same weights
    try:
        for step in range(1, plan.steps + 1):
            pools = [printed if printed and (not rendered or rng.random() < plan.corrected_share) else rendered for _ in range(plan.batch)]
            loss = _loss([rng.choice(pool) for pool in pools], numbers, weight_AD, bias_A)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([weight_AD, bias_A], 5.0)
            optimizer.step()
            schedule.step()
            if step % 100 == 0 or step == plan.steps:
                log.info("ocr-learn: step %d of %d: loss %.4f", step, plan.steps, loss.item())
    finally:
        torch.set_num_threads(threads)
    return Head(tuple(characters), weight_AD.detach().numpy(), bias_A.detach().numpy())


def _loss(batch: Sequence[Seen], numbers: dict[str, int], weight_AD: torch.Tensor, bias_A: torch.Tensor) -> torch.Tensor:
    lengths_B = torch.tensor([len(features) for _, features in batch])
    features_BTD = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(features) for _, features in batch], batch_first=True)
    scores_TBA = (features_BTD @ weight_AD.T + bias_A).log_softmax(-1).transpose(0, 1)
    said = torch.tensor([numbers[character] for text, _ in batch for character in text])
    said_B = torch.tensor([len(text) for text, _ in batch])
    return torch.nn.functional.ctc_loss(scores_TBA, said, lengths_B, said_B, blank=BLANK, zero_infinity=True)


def _initial(characters: Collection[str], known: LastLayer) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows that the recogniser has; nothing for letters that it does not know."""
    columns = {character: column for column, character in enumerate(known.characters)}
    weight_AD = np.zeros((1 + len(characters), known.weight.shape[0]), dtype=np.float32)
    bias_A = np.full(1 + len(characters), _UNKNOWN, dtype=np.float32)
    for row, character in enumerate(("", *characters)):
        if character in columns:
            weight_AD[row], bias_A[row] = known.weight[:, columns[character]], known.bias[columns[character]]
    return torch.from_numpy(weight_AD).requires_grad_(), torch.from_numpy(bias_A).requires_grad_()
