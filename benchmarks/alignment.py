"""How well and how fast documents are aligned without embeddings: python -m benchmarks.alignment [FOLDER]

FOLDER holds ``dev/LANGUAGE-*.{src,tgt,gold}`` (one sentence a line; gold links ``[0, 1]:[2]``), perhaps ``dict/LANGUAGE.tsv``, and
``long/*.{src,tgt,gold}`` of growing length. Strict F1 counts as is usual in the field: precision over all links, recall over the gold
links with two sides. Times are CPU seconds of one core, beside two peers in the same run: lengths alone, by our own kernels, and
the method of Gale and Church (1993) as NLTK has it (``pip install -c constraints.txt -e '.[benchmarks]'``), which is quadratic and so
only asked for documents of up to 1,000 sentences.
"""

from __future__ import annotations

import argparse
import ast
import resource
import time
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from seshat.data.beads import Bead
from seshat.data.bootstrap import PASSES, align_corpus, align_part
from seshat.data.evidence import Knowledge, Model, Side

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "alignment"
BAND = 50
LONGEST_FOR_NLTK = 1_000
THRESHOLDS = (0.02, 0.1, 0.2, 0.5, 0.9, 0.99)
Links = set[tuple[tuple[int, ...], tuple[int, ...]]]
Document = tuple[list[str], list[str], Links]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args(arguments).folder
    corpora: dict[str, list[Document]] = {}
    for gold in sorted(folder.glob("dev/*.gold")):
        corpora.setdefault(gold.name.partition("-")[0], []).append(_document(gold))
    if not corpora:
        print(f"skipped: there are no documents in {folder}/dev")
        return
    align_corpus([(["a b", "c"], ["a", "b c"])], band=BAND)  # compiles the inner loops, or loads them
    if not find_spec("nltk"):
        print("NLTK is not installed: its columns hold a dash\n")
    _quality(corpora, folder)
    _passes(corpora)
    _thresholds(corpora)
    _growth(sorted(folder.glob("long/*.gold")))


def _quality(corpora: dict[str, list[Document]], folder: Path) -> None:
    print(f"{'strict F1':<12}{'NLTK':>10}{'lengths':>10}{'all':>10}{'dictionary':>12}")
    columns: list[list[tuple[Links, Links]]] = [[], [], [], []]
    for language, documents in corpora.items():
        by_nltk = [(gold, _by_nltk(source, target)) for source, target, gold in documents]
        found = [[_by_lengths(source, target) for source, target, _ in documents], _aligned(documents)]
        lines = folder / "dict" / f"{language}.tsv"
        if lines.is_file():
            found.append(_aligned(documents, [(cells[0], cells[1]) for line in _lines(lines) if len(cells := line.split("\t")) == 2]))
        scored = [by_nltk, *(_beside(documents, one) for one in found)]
        for column, one in zip(columns, [*scored, scored[2]][:4], strict=True):
            column += one
        print(f"{language:<12}" + _figures(scored))
    print(f"{'together':<12}" + _figures(columns), end="\n\n")


def _figures(scored: Sequence[Sequence[tuple[Links, Links]]]) -> str:
    figures = [f"{f1(one):.3f}" if any(found for _, found in one) else "-" for one in scored]
    return "".join(f"{figure:>{width}}" for figure, width in zip(figures, (10, 10, 10, 12), strict=False))


def _passes(corpora: dict[str, list[Document]]) -> None:
    for passes in range(PASSES + 1):
        scored = [pair for documents in corpora.values() for pair in _beside(documents, _aligned(documents, passes=passes))]
        print(f"strict F1 after {passes} passes with words: {f1(scored):.3f}")
    print()


def _thresholds(corpora: dict[str, list[Document]]) -> None:
    judged = []
    for documents in corpora.values():
        for (_, _, gold), beads in zip(documents, _aligned(documents), strict=True):
            judged += [(bead.score, _link(bead) in gold) for bead in beads if bead.source and bead.target]
    print(f"{'score below':<12}{'pairs':>8}{'of all':>8}{'right':>8}   {'right among the others':>8}")
    for threshold in THRESHOLDS:
        below, above = [right for score, right in judged if score < threshold], [right for score, right in judged if score >= threshold]
        print(f"{threshold:<12}{len(below):>8,}{len(below) / len(judged):>8.1%}{_share(below):>8.1%}{_share(above):>10.1%}")
    print()


def _growth(files: Iterable[Path]) -> None:
    print(f"{'sentences':<12}{'F1':>8}{'CPU s':>8}{'ms each':>9}{'pairs/s':>9}{'lengths/s':>11}{'NLTK/s':>9}{'NLTK F1':>9}{'peak MB':>9}")
    for source, target, gold in sorted(map(_document, files), key=lambda document: len(document[0])):
        start = time.process_time()
        _by_lengths(source, target)
        middle = time.process_time()
        [beads] = align_corpus([(source, target)], band=BAND)
        alone, seconds = middle - start, time.process_time() - middle
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{len(source):<12,}{f1([(gold, set(map(_link, beads)))]):>8.3f}{seconds:>8.1f}{1000 * seconds / len(source):>9.2f}"
            f"{len(beads) / seconds:>9,.0f}{len(beads) / alone:>11,.0f}{_nltk_columns(source, target, gold)}{memory:>9,.0f}"
        )


def _nltk_columns(source: Sequence[str], target: Sequence[str], gold: Links) -> str:
    if not find_spec("nltk") or max(len(source), len(target)) > LONGEST_FOR_NLTK:
        return f"{'-':>9}{'-':>9}"
    start = time.process_time()
    found = _by_nltk(source, target)
    return f"{len(found) / (time.process_time() - start):>9,.0f}{f1([(gold, found)]):>9.3f}"


def f1(pairs: Sequence[tuple[Links, Links]]) -> float:
    """Strict F1 of (gold, found) links, over all documents together."""
    right = sum(len(gold & found) for gold, found in pairs)
    both = sum(len({link for link in gold & found if all(link)}) for gold, found in pairs)
    precision = right / max(1, sum(len(found) for _, found in pairs))
    recall = both / max(1, sum(len({link for link in gold if all(link)}) for gold, _ in pairs))
    return 2 * precision * recall / max(1e-9, precision + recall)


def _aligned(documents: Sequence[Document], dictionary: Iterable[tuple[str, str]] = (), passes: int = PASSES) -> list[list[Bead]]:
    return align_corpus([(source, target) for source, target, _ in documents], dictionary, band=BAND, passes=passes)


def _by_nltk(source: Sequence[str], target: Sequence[str]) -> Links:
    """The links of NLTK: it gives pairs of sentences, and leaves out those that it aligns with nothing."""
    if not find_spec("nltk"):
        return set()
    from nltk.translate.gale_church import align_blocks

    groups: list[tuple[set[int], set[int]]] = []
    for i, j in align_blocks([len(text) for text in source], [len(text) for text in target]):
        if not groups or (i not in groups[-1][0] and j not in groups[-1][1]):
            groups.append((set(), set()))
        groups[-1][0].add(i)
        groups[-1][1].add(j)
    left = [((i,), ()) for i in range(len(source)) if not any(i in group[0] for group in groups)]
    right = [((), (j,)) for j in range(len(target)) if not any(j in group[1] for group in groups)]
    return {*((tuple(sorted(one)), tuple(sorted(other))) for one, other in groups), *left, *right}


def _by_lengths(source: Sequence[str], target: Sequence[str]) -> list[Bead]:
    sides = Side.of(source), Side.of(target)
    return align_part(Model.of(*sides, Knowledge.of(*sides)), range(len(source)), range(len(target)), band=BAND)


def _beside(documents: Sequence[Document], found: Sequence[Sequence[Bead]]) -> list[tuple[Links, Links]]:
    return [(gold, set(map(_link, beads))) for (_, _, gold), beads in zip(documents, found, strict=True)]


def _link(bead: Bead) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(bead.source), tuple(bead.target)


def _share(right: Sequence[bool]) -> float:
    return sum(right) / max(1, len(right))


def _document(gold: Path) -> Document:
    links = [line.split(":") for line in _lines(gold) if line.strip()]
    known = {(tuple(ast.literal_eval(link[0])), tuple(ast.literal_eval(link[1]))) for link in links}
    return _lines(gold.with_suffix(".src")), _lines(gold.with_suffix(".tgt")), known


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


if __name__ == "__main__":
    main()
