"""Headers, footers and page numbers of a scan: what stands at the edge of page after page is no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex
from rapidfuzz.distance import Levenshtein

from seshat.records import Page

EDGE = 2
"""So many rows from the top and from the bottom of a page are looked at."""
_PAGES = 3
"""A line that stands on fewer pages may be a text that repeats itself."""
_SHARE = 0.2
"""The same as a share of the pages of the scan: left and right pages often have different headers, and chapters their own."""
_ALIKE = 0.75
"""How alike two readings of one header are, at least."""
_NUMBER = regex.compile(r"[\s\-–—.·|\[\]()]*(?:(?P<number>\d{1,4})|(?P<roman>[ivxlc]{1,7}))[\s\-–—.·|\[\]()]*", regex.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Candidate:
    page: int
    """Its place among the pages."""
    line: int
    key: str
    number: int | None
    """The offset of the number that the line is from the number of the page; None if it is no number."""
    roman: bool
    rank: int
    """Which row it is: 0, 1 from the top, -1, -2 from the bottom."""


def running_heads(pages: Sequence[Page]) -> dict[tuple[int, int], str]:
    """Which lines are not text, by their page (its place among those given) and line, with the reason why."""
    candidates = [one for place, page in enumerate(pages) for one in _edges(place, page)]
    least = max(_PAGES, _SHARE * len(pages))
    found: dict[tuple[int, int], str] = {}
    offsets = Counter(one.number for one in candidates if one.number is not None)
    romans = sum(one.roman for one in candidates)
    for one in candidates:
        if one.number is not None and offsets[one.number] >= least:
            found[one.page, one.line] = f"page number: it counts with {offsets[one.number]} pages"
        elif one.roman and romans >= _PAGES:
            found[one.page, one.line] = f"page number: one of {romans} in Roman numerals"
    for group in _alike([one for one in candidates if one.number is None and not one.roman and one.key]):
        standing = len({one.page for one in group})
        if standing >= least:
            found |= {(one.page, one.line): f"running head: it stands on {standing} pages" for one in group}
    return found


def _edges(place: int, page: Page) -> Iterator[_Candidate]:
    """The lines of the first and last rows of a page; in each of its columns, those at the height of the very first and last."""
    texts = [line for line in page.text.split("\n") if line]
    boxes = [page.boxes[start : start + 4] for start in range(0, len(page.boxes), 4)]
    if len(boxes) != len(texts) or len(texts) <= 2 * EDGE:
        return
    middles = [(box[1] + box[3]) / 2 for box in boxes]
    height = sorted(box[3] - box[1] for box in boxes)[len(boxes) // 2]
    rows: list[list[int]] = []
    for line in sorted(range(len(texts)), key=lambda line: middles[line]):
        if rows and middles[line] - middles[rows[-1][-1]] < 0.5 * height:
            rows[-1].append(line)
        else:
            rows.append([line])
    for rank in (*range(EDGE), *range(-EDGE, 0)):
        if len(rows) > 2 * EDGE:
            yield from (_candidate(place, line, texts[line], page.number, rank) for line in rows[rank])


def _candidate(place: int, line: int, text: str, number: int, rank: int) -> _Candidate:
    match = _NUMBER.fullmatch(text)
    digits = match["number"] if match else None
    key = regex.sub(r"[^\p{L}]+", "", text).lower()
    return _Candidate(place, line, key, int(digits) - number if digits else None, bool(match and match["roman"]), rank)


def _alike(candidates: Sequence[_Candidate]) -> Iterator[list[_Candidate]]:
    """Groups of lines at one edge that read alike, as far as an engine can be trusted with small print."""
    groups: list[list[_Candidate]] = []
    for one in candidates:
        fitting = (group for group in groups if (group[0].rank < 0) == (one.rank < 0) and _likeness(group[0].key, one.key) >= _ALIKE)
        group = next(fitting, None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    yield from groups


def _likeness(one: str, other: str) -> float:
    return float(Levenshtein.normalized_similarity(one, other))
