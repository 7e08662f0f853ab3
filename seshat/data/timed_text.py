"""Sentences with their times as files for people's programs: ELAN (.eaf), Praat (.TextGrid), subtitles (.srt, .vtt)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from xml.sax.saxutils import escape, quoteattr

import regex

Format = Literal["eaf", "textgrid", "srt", "vtt"]
_CONTROLS = regex.compile(r"[^\P{C}\u200c\u200d]")
"""No text has them, and XML forbids them; joiners are letters to those who write them."""
FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True, slots=True)
class Line:
    """What is said between two moments of a recording."""

    text: str
    start: float
    """Seconds from the start of the recording."""
    end: float


Tiers = Mapping[str, Sequence[Line]]
"""Lines in the order of time, by the name of their tier (a language)."""


def write_timed(tiers: Tiers, form: Format, *, media: str = "", seconds: float = 0.0) -> str:
    """A file with all tiers; ``media`` is the recording beside it, of so many ``seconds``. Times are in whole milliseconds."""
    last = max([seconds, *(line.end for lines in tiers.values() for line in lines)])
    return _WRITERS[form]({name: _in_order(lines) for name, lines in tiers.items()}, media, last)


def extension(form: Format) -> str:
    """What the name of such a file ends in."""
    return {"textgrid": "TextGrid"}.get(form, form)


def _in_order(lines: Sequence[Line]) -> list[Line]:
    return sorted(
        (Line(" ".join(_CONTROLS.sub(" ", line.text).split()), max(0.0, line.start), max(line.start, line.end)) for line in lines),
        key=_start,
    )


def _start(line: Line) -> tuple[float, float]:
    return line.start, line.end


def _eaf(tiers: Mapping[str, list[Line]], media: str, seconds: float) -> str:
    """EAF 3.0; every annotation has its own two time slots."""
    slots: list[str] = []
    written: list[str] = []
    for name, lines in tiers.items():
        annotations = []
        for line in lines:
            first = len(slots) + 1
            slots += [
                f'<TIME_SLOT TIME_SLOT_ID="ts{first + side}" TIME_VALUE="{round(1_000 * time)}"/>'
                for side, time in enumerate((line.start, line.end))
            ]
            annotations.append(
                f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{first // 2 + 1}" TIME_SLOT_REF1="ts{first}" '
                f'TIME_SLOT_REF2="ts{first + 1}">\n<ANNOTATION_VALUE>{escape(line.text)}</ANNOTATION_VALUE>\n'
                "</ALIGNABLE_ANNOTATION></ANNOTATION>"
            )
        written.append(f'<TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID={quoteattr(name)}>\n' + "\n".join(annotations) + "\n</TIER>")
    place = quoteattr(f"./{media}")
    descriptor = f"<MEDIA_DESCRIPTOR MEDIA_URL={place} RELATIVE_MEDIA_URL={place} MIME_TYPE={quoteattr(_mime(media))}/>" if media else ""
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<ANNOTATION_DOCUMENT AUTHOR="" DATE="1970-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">',
            f'<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">{descriptor}</HEADER>',
            f"<TIME_ORDER>\n{chr(10).join(slots)}\n</TIME_ORDER>",
            *written,
            '<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>',
            "</ANNOTATION_DOCUMENT>",
            "",
        ]
    )


def _mime(media: str) -> str:
    return "audio/x-wav" if media.lower().endswith(".wav") else "unknown"


def _textgrid(tiers: Mapping[str, list[Line]], media: str, seconds: float) -> str:
    """The long format; what nobody says is an interval without text, and a line begins when the one before it has ended."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {seconds:.3f}", "tiers? <exists>"]
    lines += [f"size = {len(tiers)}", "item []:"]
    for number, (name, said) in enumerate(tiers.items(), 1):
        intervals = _filled(said, seconds)
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f"        name = {_quoted(name)}", "        xmin = 0"]
        lines += [f"        xmax = {seconds:.3f}", f"        intervals: size = {len(intervals)}"]
        for place, line in enumerate(intervals, 1):
            lines += [f"        intervals [{place}]:", f"            xmin = {line.start:.3f}", f"            xmax = {line.end:.3f}"]
            lines.append(f"            text = {_quoted(line.text)}")
    return "\n".join(lines) + "\n"


def _filled(lines: list[Line], seconds: float) -> list[Line]:
    """Intervals from the beginning to the end without a gap, as Praat wants them; a line of no length is left out."""
    found: list[Line] = []
    now = 0
    for line in [*lines, Line("", seconds, seconds)]:
        start, end = max(now, round(1_000 * line.start)), round(1_000 * line.end)
        if start > now:
            found.append(Line("", now / 1_000, start / 1_000))
            now = start
        if end > start:
            found.append(Line(line.text, start / 1_000, end / 1_000))
            now = end
    return found


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _srt(tiers: Mapping[str, list[Line]], media: str, seconds: float) -> str:
    said = sorted((line for lines in tiers.values() for line in lines), key=_start)
    return "".join(
        f"{number}\n{_clock(line.start, ',')} --> {_clock(line.end, ',')}\n{line.text}\n\n" for number, line in enumerate(said, 1)
    )


def _vtt(tiers: Mapping[str, list[Line]], media: str, seconds: float) -> str:
    said = sorted((line for lines in tiers.values() for line in lines), key=_start)
    return "WEBVTT\n\n" + "".join(f"{_clock(line.start, '.')} --> {_clock(line.end, '.')}\n{escape(line.text)}\n\n" for line in said)


def _clock(time: float, point: str) -> str:
    milliseconds = round(1_000 * time)
    seconds, minutes, hours = milliseconds // 1_000 % 60, milliseconds // 60_000 % 60, milliseconds // 3_600_000
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds % 1_000:03}"


_WRITERS: Mapping[Format, Callable[[Mapping[str, list[Line]], str, float], str]] = {
    "eaf": _eaf,
    "textgrid": _textgrid,
    "srt": _srt,
    "vtt": _vtt,
}
