"""What reviewers would say instead, as pairs for the next round: ``data/raw/corrections``, which ``make ingest`` reads.

Only what a reviewer allowed to be used. Every returned file has a file of its own there, so that it can be withdrawn alone
(``seshat withdraw``), and each line says from which row of which sheet it is and who wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import regex

from seshat.review.returned import Marked, Returned
from seshat.review.sheet import Row, Sheet
from seshat.rights import CORRECTIONS
from seshat.store import Store

END = "-review.jsonl"
"""How its files end: not like one that people name by its language."""
_NO_NAME = regex.compile(r"[^\p{L}\p{N}]+")


def write_corrections(raw: Store, returned: Returned, sheets: Mapping[str, Sheet]) -> list[Row]:
    """Write the pairs of every returned file, and delete what an earlier reading made of it; the rows that were corrected.

    ``raw`` is the raw folder. A better answer to another task is no pair, and stays in ``marks.jsonl``.
    """
    rows = {row.id: row for sheet in sheets.values() for row in sheet.rows}
    lines: dict[str, list[str]] = {_file(sheet, file): [] for sheet in sheets for file in returned.files}
    corrected = []
    for one in returned.marked:
        row = rows[one.row]
        if one.consent and row.task == "translation" and one.correction not in ("", row.answer):
            lines[_file(one.sheet, one.file)].append(_line(one, row, sheets[one.sheet]))
            corrected.append(row)
    for name, found in lines.items():
        if found:
            raw.write(name, "".join(f"{line}\n" for line in found).encode())
        else:
            raw.remove(name)
    return corrected


def _line(one: Marked, row: Row, sheet: Sheet) -> str:
    source, _, target = row.direction.partition("-")
    sides = {source: row.source, target: one.correction}
    pair = {code: sides[code] for code in (sheet.language.code, sheet.language.bridge.code)}
    where = {
        "corrected_side": target,
        "instead_of": row.answer,
        "reviewer": one.reviewer,
        "sheet": one.file,
        "place": one.place,
        "sheet_row": row.id,
    }
    return json.dumps(pair | where, ensure_ascii=False)


def _file(sheet: str, file: str) -> str:
    return f"{CORRECTIONS}/{sheet}-{_NO_NAME.sub('-', file).strip('-')}{END}"
