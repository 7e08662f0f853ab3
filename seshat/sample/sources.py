"""The rights record that every raw folder holds."""

from __future__ import annotations

from pathlib import Path

from seshat.sample.formats import write_text

_RECORD = """\
# The sample was made by a program: nobody's words are in it, and anything may be done with it.
title: {title}
steward: Seshat
licence: CC0-1.0
consent:
  train: true
  publish_text: true
  publish_model: true
  serve_public: true
  commercial: true
restrictions: []
withdrawal: Not needed; write to the maintainers of Seshat all the same if something is wrong.
"""


def write_source(folder: Path, title: str) -> None:
    """Write ``SOURCE.yaml``."""
    write_text(folder / "SOURCE.yaml", _RECORD.format(title=title))
