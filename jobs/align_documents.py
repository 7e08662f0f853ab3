"""Align plain files, one sentence a line: for people and for benchmarks; no configuration is needed.

    python -m jobs.align_documents LIST.tsv [--dictionary D.tsv]

LIST has a line for each document, source<TAB>target<TAB>output, with paths relative to where you stand; all documents of a LIST share
one lexicon. D has lines source<TAB>target. An output line is [0, 1]:[2]:score: the numbers of the sentences, from 0.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from seshat.data.beads import Bead
from seshat.data.bootstrap import align_corpus
from seshat.errors import DataError, SeshatError
from seshat.messages import Parser, say

BAND = 50


def main(argv: Sequence[str] | None = None) -> int:
    """Align, write every output, and return the exit code."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path, metavar="LIST.tsv")
    parser.add_argument("--dictionary", type=Path, metavar="D.tsv")
    parser.add_argument("--band", type=int, default=BAND, help="how many sentences to look to either side (default %(default)s)")
    arguments = parser.parse_args(argv)
    try:
        rows = _table(arguments.list, 3)
        documents = [(_lines(Path(source)), _lines(Path(target))) for source, target, _ in rows]
        dictionary = [(source, target) for source, target in _table(arguments.dictionary, 2)] if arguments.dictionary else []
        found = align_corpus(documents, dictionary, band=arguments.band)
        for (_, _, output), beads in zip(rows, found, strict=True):
            Path(output).parent.mkdir(parents=True, exist_ok=True)
            Path(output).write_text("".join(map(_link, beads)), encoding="utf-8")
    except SeshatError as error:
        say(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        say(f"{error.filename}: cannot be written ({error.strerror})", file=sys.stderr)
        return 1
    num_sentences = sum(len(side) for document in documents for side in document)
    say(f"align_documents: {len(documents)} documents, {num_sentences:,} sentences, {sum(map(len, found)):,} links")
    return 0


def _link(bead: Bead) -> str:
    return f"{list(bead.source)}:{list(bead.target)}:{bead.score:.4f}\n"


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be opened ({error.strerror}); paths in LIST are relative to where you stand") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8 ({error}); save it again as UTF-8") from None
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _table(path: Path, width: int) -> list[list[str]]:
    rows = []
    for number, line in enumerate(_lines(path), 1):
        cells = line.rstrip("\r").split("\t")
        if not line.strip():
            continue
        if len(cells) != width or not all(cells[:2]):
            raise DataError(f"{path}, line {number}: {len(cells)} columns where {width} should be, with a tab between them")
        rows.append(cells)
    if not rows:
        raise DataError(f"{path} holds no lines; write {width} columns with a tab between them")
    return rows


if __name__ == "__main__":
    sys.exit(main())
