"""Subtitles (SubRip .srt, WebVTT .vtt): a paragraph for each, with the seconds during which it is shown."""

from __future__ import annotations

import html

import regex

from seshat.data.readers.content import Content, Options, Paragraph, Reader, RefusedError
from seshat.data.readers.encoding import decode
from seshat.language import clean_spaces

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
_TIMES = regex.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}(?:[ \t].*)?")
_MARKUP = regex.compile(r"</?(?:[biuc]|font|ruby|rt|v|lang|\d+:[\d:.]+)(?:[ .][^>]*)?>|\{\\[^}]*\}", regex.IGNORECASE)
"""Italics and colours, voices and the times inside a line."""
_SPEAKER = regex.compile(r"^[-–—]\s+")


def read_subtitles(data: bytes, options: Options) -> Content:
    """What is shown, without markup; notes, styles and numbers are not read, and neither is a subtitle without text."""
    text, encoding = decode(data, options.encoding)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    paragraphs = []
    place = 0
    while place < len(lines):
        times = _TIMES.fullmatch(lines[place])
        place += 1
        if times is None:
            continue
        shown = []
        while place < len(lines) and lines[place].strip() and not _TIMES.fullmatch(lines[place]):
            shown.append(_SPEAKER.sub("", html.unescape(_MARKUP.sub("", lines[place])).strip()))
            place += 1
        if place < len(lines) and lines[place].strip() and shown and shown[-1].isdecimal():
            shown.pop()  # the number of the next one, where no empty line stands before it
        said = clean_spaces(" ".join(shown))
        if said:
            start, end = _seconds(times.groups()[:4]), _seconds(times.groups()[4:])
            paragraphs.append(Paragraph(said, f"second={start:.2f}..{end:.2f}"))
    if not paragraphs:
        raise RefusedError("empty: the file holds no subtitle with times such as '00:00:01,000 --> 00:00:02,500'")
    found = tuple(paragraphs)
    return Content(paragraphs=found, lines=found, remarks=() if encoding.startswith("utf-8") else (f"read as {encoding}",))


def _seconds(time: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, part = (value or "0" for value in time)
    return float(3_600 * int(hours) + 60 * int(minutes) + int(seconds) + int(part) / 10 ** len(part))


READERS = (Reader(extensions=(".srt", ".vtt"), read=read_subtitles),)
