"""The fonts of the sample's pages, which come with matplotlib: DejaVu has all letters of Tamuri, STIX looks like Times."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Literal

from seshat.errors import EngineError

Font = Literal["DejaVuSerif", "DejaVuSans", "STIXGeneral"]


def font_path(font: Font) -> Path:
    """The font's file. The package is only looked up, not imported: that would take a second."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise EngineError("the sample's pages are set in DejaVu, which comes with matplotlib: run 'make install'")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{font}.ttf"
