"""XML as other programs export it (W3C XML 1.0): streamed record by record, or held whole where parts refer to each other.

A hostile file can neither grow nor reach out: no entities, no network, no endless trees.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import regex
from lxml import etree

from seshat.data.readers.content import Options, RefusedError

Element = Any
"""An element of lxml, which comes without types."""

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
                _check(element.getroottree(), root, root.upper())
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
        _check(context.root.getroottree(), root, root.upper())


def parse_xml(data: bytes, options: Options, *, root: str, program: str) -> Element:
    """The root element of a document that is small enough to be held whole; refused as ``elements`` refuses."""
    again = f"export it from {program} again"
    try:
        element = etree.fromstring(data, etree.XMLParser(encoding=options.encoding or None, **_LIMITS))
    except etree.XMLSyntaxError as error:
        raise RefusedError(
            f"syntax: line {error.lineno}: not whole and well-formed XML ({error.msg}); export it from {program} again"
        ) from None
    except (LookupError, ValueError) as error:
        raise RefusedError(f"encoding: the XML cannot be decoded ({error}); {again}") from None
    _check(element.getroottree(), root, program)
    if next(element.iter(etree.Entity), None) is not None:
        raise RefusedError(f"entity: the file uses entities, which {program} never writes; {again}")
    return element


def inner_text(element: Element | None) -> str:
    """All text inside an element, with single spaces; empty if there is no element."""
    return "" if element is None else " ".join("".join(element.itertext()).split())


def local_name(element: Any) -> str:
    """The name of an element without its namespace; empty for what is none, such as a reference to an entity."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def without_region(code: str) -> str:
    """A language code in which ``es-PE`` and ``ES_ES`` are both ``es``; script, variant and private use (``qaa-x-tam``) stay."""
    language, *subtags = code.strip().replace("_", "-").split("-")
    if "x" not in (subtag.lower() for subtag in subtags):
        subtags = [subtag for subtag in subtags if not _REGION.fullmatch(subtag)]
    return "-".join([language.lower(), *subtags])


def _check(tree: Any, root: str, program: str) -> None:
    found = local_name(tree.getroot())
    if found != root:
        raise RefusedError(f"unreadable: no {program} file, as it begins with <{found}>, not with <{root}>; export it from {program} again")
    declared = tree.docinfo.internalDTD
    if declared is not None and next(declared.iterentities(), None) is not None:
        raise RefusedError(f"entity: the file declares entities of its own, which {program} never writes; export it again")


def _forget(element: Any) -> None:
    element.clear()
    parent = element.getparent()
    while element.getprevious() is not None:
        del parent[0]
