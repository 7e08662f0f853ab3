"""From where a record came to a link: a page of a PDF, a second of a recording, a file, as a browser opens them from a page of ours."""

from __future__ import annotations

import os
import posixpath
import re
from typing import Any
from urllib.parse import quote

from seshat.filesystem import is_remote
from seshat.store import Store

RAW = "data/raw"
"""The raw folder, where nobody has set another."""
SIDES = " | "
"""Between the origins of the two sides of a pair."""
_SECOND = re.compile(r"second=([\d.]+)\.\.([\d.]+)")
_PAGE = re.compile(r"page=(\d+)")


class Origins:
    """The raw files of a workspace, as they are linked from one of its pages."""

    def __init__(self, store: Store, raw: str, page: str) -> None:
        """``raw`` is the raw folder, ``page`` the name of the page. What lies in an object store or is gone is named and not linked."""
        near = not is_remote(store.root) and not is_remote(raw)
        self._there = frozenset(os.path.relpath(name, raw) for name in store.names(raw)) if near else frozenset[str]()
        self._folder = os.path.relpath(store.path(raw), os.path.dirname(store.path(page))) if near else ""

    def markup(self, origin: str) -> Any:
        """The origin for a template: each side of it is a link where its file is there."""
        from markupsafe import Markup

        sides = [
            Markup('<a class="origin" href="{}">{}</a>').format(address, side)
            if (address := self.address(side))
            else Markup("{}").format(side)
            for side in origin.split(SIDES)
        ]
        return Markup(SIDES).join(sides)

    def address(self, origin: str) -> str:
        """Relative to the page; empty without a file. Pages are named as PDF does (RFC 8118), seconds as Media Fragments (W3C) are."""
        path, _, place = origin.partition("#")
        if posixpath.normpath(path) not in self._there:
            return ""
        address = quote(f"{self._folder}/{path}")
        if found := _SECOND.search(place):
            return f"{address}#t={found[1]},{found[2]}"
        if path.lower().endswith(".pdf") and (found := _PAGE.search(place)):
            return f"{address}#page={found[1]}"
        return address
