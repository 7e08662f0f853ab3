"""The part of the report that says what the model cannot do, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING

from seshat.evaluation import score_view
from seshat.evaluation.findings import Findings, Speaker
from seshat.evaluation.floors import SYSTEMS
from seshat.language import Language

if TYPE_CHECKING:
    from markupsafe import Markup

ORDER: tuple[Speaker, ...] = ("reference", *SYSTEMS)
LABELS: Mapping[Speaker, str] = {who: "people" if who == "reference" else score_view.LABELS[who] for who in ORDER}
NUM_NOISY = 8
_CODE = re.compile(r"`([^`]+)`")
_PIECE = re.compile(r"(?<![^\s(])-(?=\w)|(?<=\w)-(?![^\s,)])")
"""The hyphen of a word's beginning or ending, at which no line should break."""
NUM_INVENTED = 12


def findings_section(found: Findings, language: Language) -> str:
    """The sections as HTML: what people wrote in it is escaped, so it may stand in a page as it is."""
    from jinja2 import Environment, StrictUndefined

    template = (resources.files("seshat.evaluation") / "page" / "findings.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["said"] = _said
    parts = {(row.task, row.direction): place for place, row in reversed([*enumerate(found.rates)])}
    return environment.from_string(template).render(
        found=found,
        data=[one for one in found.advice if one.kind == "data"],
        training=[one for one in found.advice if one.kind == "training"],
        rates=sorted(found.rates, key=lambda row: (parts[row.task, row.direction], ORDER.index(row.speaker))),
        invented=[one.model_copy(update={"words": one.words[:NUM_INVENTED]}) for one in found.invented if one.words],
        weak=[one for one in found.groups if one.weak],
        noisy=[one for one in found.files if one.doubt][:NUM_NOISY],
        names={language.code: language.name, language.bridge.code: language.bridge.name},
        bridge=language.bridge.code,
        labels=LABELS,
    )


def _said(text: str) -> Markup:
    """A sentence as HTML: what stands between backticks is code."""
    from markupsafe import Markup, escape

    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(_PIECE.sub("\u2011", text)))))
