"""What an engine takes for something else, learnt from lines that were corrected, and put right in lines that were not.

The rules are found one after the other, each the one that then mends most (transformation-based learning; Brill, 1995). It costs
nothing, needs a few dozen lines, and cannot tell two letters apart that the engine reads alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import regex

from seshat.language import words

MIN_LINES = 2
"""A rule has to mend lines that did not suggest it: one that only a single line speaks for would mend nothing but that line."""
MIN_GAIN = 2
"""Edits that a rule saves, after those that it costs elsewhere."""
_CONTEXTS = ((0, 0), (1, 0), (0, 1), (1, 1))
_EDGE = "\n"
"""Stands before and behind a line, where there is no letter."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Between these letters, what was read means something else."""

    read: str
    meant: str
    before: str = ""
    after: str = ""
    """The letters around it; empty: any."""

    def __str__(self) -> str:
        around = f" ({self.before}_{self.after})" if self.before or self.after else ""
        return f"{self.read} → {self.meant or 'nothing'}{around}".replace(_EDGE, "|")


@dataclass(frozen=True, slots=True)
class Change:
    """What a rule did at one place."""

    place: int
    """Characters before it, as the line was when the rule came to it."""
    rule: Rule


@dataclass(frozen=True, slots=True)
class Confusions:
    """Rules in the order in which they are applied."""

    rules: tuple[Rule, ...] = ()

    def apply(self, line: str) -> tuple[str, tuple[Change, ...]]:
        """The line put right, and every change that was made. The caller keeps the line as it was read."""
        text, changes = f"{_EDGE}{line}{_EDGE}", list[Change]()
        for rule in self.rules:
            changes += [Change(place - 1, rule) for place in _places(rule, text)]
            text = _replaced(rule, text)
        return text.strip(_EDGE), tuple(changes)


def learn(pairs: Iterable[tuple[str, str]]) -> Confusions:
    """Rules from lines as they were read and as they should read; none if nothing is confused twice."""
    lines = [(f"{_EDGE}{read}{_EDGE}", f"{_EDGE}{meant}{_EDGE}") for read, meant in pairs]
    rules: list[Rule] = []
    while (best := _best(lines)) is not None:
        rules.append(best)
        lines = [(_replaced(best, read), meant) for read, meant in lines]
    return Confusions(tuple(rules))


def pairs_from_words(lines: Iterable[str], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """For each word read that is no known one, the only known word that is nearest to it: what to learn from where nobody has corrected.

    Words of fewer than four letters, and those that differ in more than a third of their letters, say nothing.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    vocabulary = sorted({word.lower() for word in known})
    read = Counter(word.lower() for line in lines for word in words(line))
    for word, count in sorted(read.items()):
        if len(word) < 4 or word in vocabulary:
            continue
        near = process.extract(word, vocabulary, scorer=Levenshtein.distance, limit=2, score_cutoff=len(word) // 3)
        if near and (len(near) == 1 or near[0][1] < near[1][1]):
            yield from [(word, near[0][0])] * count


def _best(lines: Sequence[tuple[str, str]]) -> Rule | None:
    """The rule that saves most edits; of equal ones the one that asks for least around it, then the first in the alphabet."""
    from rapidfuzz.distance import Levenshtein

    edits = [Levenshtein.distance(read, meant) for read, meant in lines]
    suggested: dict[Rule, set[int]] = {}
    for index, (read, meant) in enumerate(lines):
        for rule in _suggestions(read, meant) if edits[index] else ():
            suggested.setdefault(rule, set()).add(index)
    best: tuple[int, int, str] | None = None
    found = None
    for rule, where in suggested.items():
        if len(where) < MIN_LINES:
            continue
        gain = 0
        for index, (read, meant) in enumerate(lines):
            if rule.before + rule.read + rule.after in read:
                gain += edits[index] - Levenshtein.distance(_replaced(rule, read), meant)
        key = (-gain, len(rule.before + rule.after), str(rule))
        if gain >= MIN_GAIN and (best is None or key < best):
            best, found = key, rule
    return found


def _suggestions(read: str, meant: str) -> Iterator[Rule]:
    """Rules that would mend one of the differences, with and without the letters around it.

    Where a letter was passed over, the rule replaces its neighbour by both.
    """
    from rapidfuzz.distance import Levenshtein

    merged: list[list[int]] = []
    for block in Levenshtein.opcodes(read, meant):
        begin, end, start, stop = block.src_start, block.src_end, block.dest_start, block.dest_end
        if block.tag == "equal":
            continue
        if merged and merged[-1][1] == begin:
            merged[-1][1], merged[-1][3] = end, stop
        else:
            merged.append([begin, end, start, stop])
    for begin, end, start, stop in merged:
        for left, right in ((0, 0),) if end > begin else ((1, 0), (0, 1)):
            first, last = begin - left, end + right
            what = Rule(read[first:last], meant[start - left : stop + right])
            if _EDGE in what.read:
                continue
            for before, after in _CONTEXTS:
                if first >= before and last + after <= len(read):
                    yield Rule(what.read, what.meant, read[first - before : first], read[last : last + after])


def _places(rule: Rule, text: str) -> list[int]:
    return [match.start() for match in _pattern(rule).finditer(text)]


def _replaced(rule: Rule, text: str) -> str:
    return str(_pattern(rule).sub(lambda _: rule.meant, text))


def _pattern(rule: Rule) -> regex.Pattern[str]:
    before, read, after = map(regex.escape, (rule.before, rule.read, rule.after))
    return regex.compile(f"(?<={before}){read}(?={after})")
