"""Plain recordings and transcripts of any place, for people who want files with times and no pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seshat.data.doubts import Guards
from seshat.data.readers import SOUND, RefusedError, open_raw
from seshat.data.readers.audio import decode
from seshat.data.time_transcripts import Aligner, Timed, judged, timed
from seshat.data.timed_text import Format, Line, extension, write_timed
from seshat.data.transcripts import TRANSCRIPTS, beside, read_transcripts
from seshat.engines.speech import SAMPLE_RATE
from seshat.errors import ConfigError, DataError
from seshat.language import Language
from seshat.records import RawFile

KINDS = (*TRANSCRIPTS, ".csv", ".tsv")
_TEXT = "text"
"""The tier of what is in no language that is named."""
_NOTES = "notes"
"""The tier of doubts; our own readers know that it is no text."""
_LONGEST = 24 * 3_600.0


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one recording."""

    recording: Path
    sentences: tuple[tuple[Timed, str], ...] = ()
    """With the doubt about each, empty if there is none."""
    seconds: float = 0.0
    refused: str = ""
    """Why there are none."""

    def __str__(self) -> str:
        if self.refused:
            return f"{self.recording}: refused: {self.refused}"
        doubts = [f"\n  {one.span.start:.2f}..{one.span.end:.2f}: {why}" for one, why in self.sentences if why]
        ways = ", ".join(sorted({one.way for one, _ in self.sentences}))
        return f"{self.recording}: {len(self.sentences)} sentences (by {ways}), {len(doubts)} doubtful{''.join(doubts)}"


def spoken(code: str) -> Language:
    """A language of which only its code is known."""
    try:
        return Language(code=code, name=code)
    except ValueError:
        raise ConfigError(f"--language {code}: not a code of ISO 639-3, three small letters such as shp") from None


def pairs(arguments: Iterable[str], language: Language) -> dict[Path, list[Path]]:
    """The recordings that are named, with their transcripts: by stem among files and folders, or as ``RECORDING=TRANSCRIPT``.

    A recording without one is there too. Two recordings of the same stem are a ConfigError, as their results would be one file.
    """
    files: set[str] = set()
    named: dict[Path, list[Path]] = {}
    for argument in arguments:
        recording, _, transcript = argument.partition("=")
        if Path(argument).is_dir():
            files |= {path.as_posix() for path in Path(argument).iterdir() if path.is_file()}
        elif transcript and not Path(argument).exists():
            named.setdefault(Path(recording), []).append(Path(transcript))
        else:
            files.add(Path(argument).as_posix())
    known = beside(files, language, folder="", kinds=KINDS)
    found = {Path(file): [Path(text) for text in known.get(file, ())] for file in sorted(files) if file.lower().endswith(SOUND)}
    found |= named
    stems = [path.stem for path in found]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise ConfigError(f"two recordings are called {twice[0]!r}, and their results would be one file: align them in two runs")
    if not found:
        raise ConfigError("there is no recording among the files: name FILE.wav and FILE.txt, a folder with both, or FILE.wav=OTHER.txt")
    return found


def tell(found: dict[Path, list[Path]], aligner: Aligner, language: Language) -> Iterator[Told]:
    """Align each recording; one that cannot be is told with the reason."""
    for recording, transcripts in found.items():
        try:
            yield _told(recording, transcripts, aligner, language)
        except DataError as error:
            yield Told(recording, refused=str(error))


def _told(recording: Path, transcripts: Sequence[Path], aligner: Aligner, language: Language) -> Told:
    if not transcripts:
        raise RefusedError(f"transcript: there is none; put it beside the recording as {recording.stem}.txt, or write {recording}=FILE")
    samples = decode(open_raw(_raw(recording)), max_seconds=_LONGEST)
    sentences = timed(samples, read_transcripts([_raw(path) for path in transcripts], language), aligner)
    return Told(recording, tuple(judged(sentences, samples, aligner, Guards())), len(samples) / SAMPLE_RATE)


def write(told: Told, folder: Path, formats: Sequence[Format]) -> list[Path]:
    """Files with the sentences of a recording on a tier for each language; doubts are on a tier of their own, but in no subtitles."""
    tiers: dict[str, list[Line]] = {}
    for one, why in told.sentences:
        line = Line(one.sentence.text, one.span.start, min(one.span.end, told.seconds))
        tiers.setdefault(one.sentence.code or _TEXT, []).append(line)
        if why:
            tiers.setdefault(_NOTES, []).append(replace(line, text=why))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for form in formats:
        shown = tiers if form in ("eaf", "textgrid") else {name: lines for name, lines in tiers.items() if name != _NOTES}
        path = folder / f"{told.recording.stem}.{extension(form)}"
        path.write_text(write_timed(shown, form, media=told.recording.name, seconds=told.seconds), encoding="utf-8")
        written.append(path)
    return written


def _raw(path: Path) -> RawFile:
    return RawFile(origin=path.as_posix(), collection="", path=str(path.absolute()), sha256="")
