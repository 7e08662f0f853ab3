"""XML documents that are small enough to be held whole, for formats whose parts refer to each other.

A hostile file can neither grow nor reach out: no entities, no network, no endless trees (W3C XML 1.0, as libxml2 reads it).
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from seshat.data.readers.content import Options, RefusedError

Element = Any
"""An element of lxml, which comes without types."""


def parse_xml(data: bytes, options: Options, *, root: str, program: str) -> Element:
    """The root element, without comments; refused if the bytes are no whole XML, have another root, or use entities."""
    again = f"export it from {program} again"
    try:
        parser = etree.XMLParser(
            encoding=options.encoding or None,
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
        )
        element = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise RefusedError(f"syntax: line {error.lineno}: not whole and well-formed XML ({error.msg}); {again}") from None
    except (LookupError, ValueError) as error:
        raise RefusedError(f"encoding: the XML cannot be decoded ({error}); {again}") from None
    declared = element.getroottree().docinfo.internalDTD
    if next(element.iter(etree.Entity), None) is not None or (declared is not None and next(declared.iterentities(), None) is not None):
        raise RefusedError(f"entity: the file declares or uses entities of its own, which {program} never writes; {again}")
    if element.tag != root:
        raise RefusedError(f"unreadable: the XML begins with <{element.tag}>, not with <{root}> as {program} writes it; {again}")
    return element


def inner_text(element: Element | None) -> str:
    """All text inside an element, with single spaces; empty if there is no element."""
    return "" if element is None else " ".join("".join(element.itertext()).split())
