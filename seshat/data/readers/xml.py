"""XML as other programs export it: streamed record by record, without entities, network or endless trees."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import regex
from lxml import etree

from seshat.data.readers.content import RefusedError

_LIMITS = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_REGION = regex.compile(r"[A-Za-z]{2}|\d{3}")


def elements(data: bytes, root: str, tag: str, encoding: str = "") -> Iterator[Any]:
    """Every element called ``tag`` of a document whose root is called ``root``, whatever their namespace.

    An element is emptied as soon as the next one is asked for. Refused: what is not well-formed to its end, has another root,
    or declares entities of its own.
    """
    wanted = (f"{{*}}{root}", f"{{*}}{tag}")
    try:
        context = etree.iterparse(io.BytesIO(data), ("start", "end"), tag=wanted, encoding=encoding or None, **_LIMITS)
    except LookupError:
        raise RefusedError(f"encoding: {encoding!r} is not an encoding that XML can be read in; correct it under ingest.files") from None
    checked = False
    try:
        for event, element in context:
            if not checked:
                _check(element.getroottree(), root)
                checked = True
            if event == "end" and local_name(element) == tag:
                yield element
                _forget(element)
    except etree.XMLSyntaxError as error:
        said = context.error_log[0].message.strip() if len(context.error_log) else error.msg
        raise RefusedError(
            f"syntax: line {error.lineno}: not well-formed XML ({said}); if the file was cut off or edited by hand, export it again"
        ) from None
    if not checked:
        _check(context.root.getroottree(), root)


def local_name(element: Any) -> str:
    """The name of an element without its namespace; empty for what is none, such as a reference to an entity."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def without_region(code: str) -> str:
    """A language code in which ``es-PE`` and ``ES_ES`` are both ``es``; script, variant and private use (``qaa-x-tam``) stay."""
    language, *subtags = code.strip().replace("_", "-").split("-")
    if "x" not in (subtag.lower() for subtag in subtags):
        subtags = [subtag for subtag in subtags if not _REGION.fullmatch(subtag)]
    return "-".join([language.lower(), *subtags])


def _check(tree: Any, root: str) -> None:
    found = local_name(tree.getroot())
    if found != root:
        raise RefusedError(f"unreadable: not a {root.upper()} file, as it begins with <{found}>; export it as {root.upper()} again")
    declared = tree.docinfo.internalDTD
    if declared is not None and next(declared.iterentities(), None) is not None:
        raise RefusedError("entity: the file declares entities of its own, which are not read; export it again without them")


def _forget(element: Any) -> None:
    element.clear()
    parent = element.getparent()
    while element.getprevious() is not None:
        del parent[0]
