"""What the owners of a source allow, read from ``SOURCE.yaml``, and the strictest of several such permissions."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Iterable
from typing import Literal

from seshat.config import Section, load_text
from seshat.errors import ConfigError
from seshat.filesystem import below, filesystem_of

log = logging.getLogger(__name__)
AND = " | "
RECORD = "SOURCE.yaml"
CORRECTIONS = "corrections"
"""The raw folder of what speakers wrote in place of a translation of ours."""
REVIEWS = "reviews"
"""The raw folder of filled review sheets: marks, not material. What may be used of them comes out as corrections."""
Use = Literal["train", "publish_text", "publish_model", "serve_public", "commercial"]


class Consent(Section):
    """What may be done. The default holds for a folder without ``SOURCE.yaml``: work on this machine, nothing public."""

    train: bool = True
    publish_text: bool = False
    publish_model: bool = False
    serve_public: bool = False
    commercial: bool = False


class Source(Section):
    """The rights record of one raw folder."""

    title: str = ""
    steward: str = ""
    """The person or community who decides about the material."""
    licence: str = "unknown"
    consent: Consent = Consent()
    restrictions: tuple[str, ...] = ()
    withdrawal: str = ""
    """Whom to write to when the material must be withdrawn."""


class Rights(Section):
    """The rights of everything that went into a result: the strictest of the sources."""

    sources: dict[str, Source] = {}
    """By collection: the raw folder that holds the ``SOURCE.yaml``."""

    def forbidding(self, use: Use) -> list[str]:
        """The collections that do not allow a use."""
        return sorted(name for name, source in self.sources.items() if not getattr(source.consent, use))

    def refusal(self, use: Use) -> str:
        """Why a result may not be used so, naming the sources; empty if it may. What does not name its sources is for nobody."""
        if not self.sources:
            return "nobody says whose data it holds"
        names = self.forbidding(use)
        return f"the owners of {', '.join(names)} have not allowed that" if names else ""

    def only(self, collections: Iterable[str]) -> Rights:
        """The rights of some collections; one without a record gets the default, and a pair of two has those of both."""
        names = {name for collection in collections for name in owners(collection)}
        return Rights(sources={name: self.sources.get(name, Source()) for name in sorted(names)})

    def to_train(self, collections: Iterable[str]) -> Rights:
        """``only``, of what something is to learn from.

        Raises:
            ConfigError: If a source forbids training.
        """
        found = self.only(collections)
        if forbidden := found.forbidding("train"):
            raise ConfigError(
                f"SOURCE.yaml of {', '.join(forbidden)} forbids training: remove these folders, or ask their steward, "
                "and run 'make ingest' and all that follows again"
            )
        return found


def joined(*collections: str) -> str:
    """The collection of what was made from several: ``translations/shp | translations/spa``."""
    return AND.join(dict.fromkeys(owner for collection in collections for owner in owners(collection)))


def owners(collection: str) -> list[str]:
    """The raw folders behind the collection of a record: one, or those of both sides of an aligned pair."""
    return collection.split(AND)


def is_correction(collection: str) -> bool:
    """True for what speakers wrote in place of a translation of ours; not for a scan on which they corrected a line."""
    return owners(collection)[0].partition("/")[0] == CORRECTIONS


def read_source(folder: str) -> Source | None:
    """The rights record of a raw folder, None if there is none; a mistake in it is a ConfigError."""
    filesystem, base = filesystem_of(folder)
    try:
        with filesystem.open_input_stream(f"{base}/{RECORD}") as stream:
            text = stream.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    return load_text(Source, text, f"{folder}/{RECORD}")


def read_rights(raw: str) -> Rights:
    """The rights records of all folders below the raw folder; a top folder without one is warned about once."""
    files = [file for file in below(*filesystem_of(raw)) if "/" in file]
    found: dict[str, Source] = {}
    for folder in sorted({posixpath.dirname(file) for file in files if posixpath.basename(file) == RECORD}):
        if source := read_source(f"{raw}/{folder}"):
            found[folder] = source
    without = {file.partition("/")[0] for file in files if not any(file.startswith(f"{known}/") for known in found)}
    for name in sorted(without - {REVIEWS}):
        log.warning("%s/%s: no SOURCE.yaml: training here is allowed, publishing, public serving and commercial use are not", raw, name)
    return Rights(sources=found)
