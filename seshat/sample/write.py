"""Write the sample: raw material in every format of the guide, and the gold answers beside it."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from seshat.sample import speech
from seshat.sample.dictionary import write_dictionary
from seshat.sample.documents import Translated, clean, translated, wrapped
from seshat.sample.formats import write_csv, write_docx, write_pdf, write_text
from seshat.sample.grammar import BRIDGE, LANGUAGE, NAME, Grammar, Sentence
from seshat.sample.keyboard import LEFT_QUOTE, RIGHT_QUOTE, TYPEWRITER, carelessly, typed
from seshat.sample.lexicon import Lexicon
from seshat.sample.phonology import GLOTTAL
from seshat.sample.scans import Printed, Scanner, columns, pages, save_image, save_pdf
from seshat.sample.sources import write_source

log = logging.getLogger(__name__)

_EXAMPLES, _ROWS, _TABLE, _SCANNED, _POSTER = 420, 1_300, 400, 60, 9
_DOCUMENTS = {
    "cuento": ("Cuento", 360),
    "viaje": ("El viaje", 300),
    "pueblo": ("El pueblo", 300),
    "cosecha": ("La cosecha", 240),
    "familia": ("La familia", 280),
    "mercado": ("El mercado", 240),
}
"""Stems of the translated documents: title and number of sentences."""
_READERS = {f"lecturas-{number}": (f"Lecturas {number}", 1_000) for number in range(1, 9)}
"""The same of schoolbooks: the longest text of many a small language is one book that was translated whole."""
_MONOLINGUAL, _NEWS = 300, 6_000
_GLOSSED = 0.8
"""Share of the transcribed rows that were analysed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReport:
    """What was written, and what could not be."""

    num_pairs: int
    """Sentences with a translation, over all formats."""
    num_files: int
    left_out: dict[str, str] = field(default_factory=dict)
    """Folders that are not there, and why."""


@dataclass(frozen=True, slots=True)
class _Contents:
    """The sentences of the sample, by the place where they go."""

    lexicon: Lexicon
    spoken: list[Sentence]
    examples: list[Sentence]
    rows: list[Sentence]
    table: list[Sentence]
    documents: dict[str, list[Sentence]]
    """Schoolbooks among them."""
    scanned: list[Sentence]
    poster: list[Sentence]
    monolingual: list[Sentence]
    news: list[Sentence]

    def pairs(self) -> list[tuple[str, Sentence]]:
        """Every sentence with a translation, and where it stands."""
        places = {
            "audio": self.spoken,
            "dictionary": self.examples,
            "transcriptions/relatos.csv": self.rows,
            "transcriptions/conversaciones.docx": self.table,
            **{f"translations/{stem}": sentences for stem, sentences in self.documents.items()},
            "scans/relato": self.scanned,
            "scans/cartel": self.poster,
        }
        return [(place, sentence) for place, sentences in places.items() for sentence in sentences]


def write(raw: Path, gold: Path, *, seed: int = 1) -> SampleReport:
    """Write all raw folders and the gold answers. The same seed gives the same bytes. Without espeak-ng there is no audio."""
    contents = _contents(Grammar(seed))
    _dictionary(raw / "dictionary", contents, random.Random(seed + 1))
    _transcriptions(raw / "transcriptions", contents, random.Random(seed + 2))
    _translations(raw / "translations", gold, contents, random.Random(seed + 3))
    _scans(raw / "scans", gold, contents, seed + 4)
    left_out = _audio(raw / "audio", gold, contents, random.Random(seed + 5))
    _gold_tables(gold, contents)
    num_files = sum(path.is_file() for path in raw.rglob("*"))
    log.info("sample: %d pairs in %d files, seed %d", len(contents.pairs()), num_files, seed)
    return SampleReport(num_pairs=len(contents.pairs()), num_files=num_files, left_out=left_out)


def _contents(grammar: Grammar) -> _Contents:
    spoken = speech.spoken_by(grammar)
    sizes = [_EXAMPLES, _ROWS, _TABLE, _SCANNED, _POSTER, *(number for _, number in _DOCUMENTS.values())]
    pairs = iter(grammar.sentences(sum(sizes)))
    examples, rows, table, scanned, poster, *documents = ([next(pairs) for _ in range(size)] for size in sizes)
    monolingual, news = grammar.sentences(_MONOLINGUAL, stream=1), grammar.sentences(_NEWS, stream=2)
    books = iter(grammar.sentences(sum(number for _, number in _READERS.values()), stream=3))
    readers = {stem: [next(books) for _ in range(number)] for stem, (_, number) in _READERS.items()}
    return _Contents(
        lexicon=grammar.lexicon,
        spoken=spoken,
        examples=examples,
        rows=rows,
        table=table,
        documents={**dict(zip(_DOCUMENTS, documents, strict=True)), **readers},
        scanned=scanned,
        poster=poster,
        monolingual=monolingual,
        news=news,
    )


def _dictionary(folder: Path, contents: _Contents, rng: random.Random) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_source(folder, "Diccionario tamuri-español")
    write_dictionary(folder, contents.lexicon, contents.examples, rng)


def _transcriptions(folder: Path, contents: _Contents, rng: random.Random) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_source(folder, "Relatos y conversaciones en tamuri")
    rows = [[NAME, "español", "glosa", "analisis"]]
    for sentence in contents.rows:
        analysed = rng.random() < _GLOSSED
        cells = [carelessly(sentence.text, rng), sentence.translation]
        rows.append([*cells, *([sentence.gloss, carelessly(sentence.morphemes, rng)] if analysed else ["", ""])])
    write_csv(folder / "relatos.csv", rows)
    table = [["Tamuri", "Castellano"], *([typed(s.text, RIGHT_QUOTE), s.translation] for s in contents.table)]
    write_docx(folder / "conversaciones.docx", title="Conversaciones", table=table)
    monolingual = "\n\n".join(_runs([typed(s.text, TYPEWRITER) for s in contents.monolingual], rng)) + "\n"
    write_text(folder / f"monolingual.{LANGUAGE}.txt", monolingual)


def _translations(folder: Path, gold: Path, contents: _Contents, rng: random.Random) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_source(folder, "Textos traducidos")
    y = contents.lexicon.others["y"].root
    titles = {stem: title for stem, (title, _) in (_DOCUMENTS | _READERS).items()}
    for number, (stem, sentences) in enumerate(contents.documents.items()):
        document = translated(stem, titles[stem], sentences, y, rng)
        taught, bridge = f"{stem}.{LANGUAGE}", f"{stem}.{BRIDGE}"
        match number % 3:
            case 0:
                _write_texts(folder, document, decomposed=number > 0)
            case 1:
                write_docx(folder / f"{taught}.docx", [typed(text, RIGHT_QUOTE) for text in document.texts()])
                write_docx(folder / f"{bridge}.docx", document.translations())
            case _:
                write_pdf(folder / f"{taught}.pdf", [typed(text, GLOTTAL) for text in document.texts()], title=document.title)
                write_pdf(folder / f"{bridge}.pdf", document.translations(), title=document.title)
        _gold_alignment(gold, document)
    news = "\n".join(_runs([sentence.translation for sentence in contents.news], rng)) + "\n"
    write_text(folder / f"noticias.{BRIDGE}.txt", news)


def _write_texts(folder: Path, document: Translated, *, decomposed: bool) -> None:
    """Plain text: one side wrapped by an editor, or one paragraph a line; the second document has its letters taken apart."""
    texts = [typed(text, LEFT_QUOTE if decomposed else TYPEWRITER, decomposed=decomposed) for text in document.texts()]
    width = 72 if decomposed else 10_000
    write_text(folder / f"{document.stem}.{LANGUAGE}.txt", wrapped(texts, width=width))
    write_text(folder / f"{document.stem}.{BRIDGE}.txt", wrapped(document.translations(), width=width))


def _scans(folder: Path, gold: Path, contents: _Contents, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_source(folder, "Páginas escaneadas")
    rng = random.Random(seed)
    story = clean("relato", "Relato", contents.scanned, rng)
    poster = clean("cartel", "Cartel", contents.poster, rng)
    word_list = [f"{concept.root} – {concept.lemma}" for concept in rng.sample(contents.lexicon.nouns, 64)]
    for document in (story, poster):
        _gold_alignment(gold, document)
    printed = {
        f"relato.{LANGUAGE}.pdf": pages(story.texts()),
        f"relato.{BRIDGE}.pdf": pages(story.translations()),
        f"cartel.{LANGUAGE}.png": pages(poster.texts()),
        f"cartel.{BRIDGE}.jpg": pages(poster.translations()),
        "diccionario.png": [columns(word_list, height=32)],
    }
    for number, (name, leaves) in enumerate(printed.items()):
        _scan(folder / name, leaves, gold, seed * 100 + number)


def _scan(path: Path, leaves: Sequence[Printed], gold: Path, seed: int) -> None:
    noise = np.random.Generator(np.random.PCG64(seed))
    crooked = random.Random(seed)
    images = [Scanner(skew=crooked.uniform(-1.8, 1.8), shadow=crooked.uniform(0.1, 0.35), rng=noise).scan(leaf) for leaf in leaves]
    if path.suffix == ".pdf":
        save_pdf(path, images)
    else:
        save_image(path, images[0])
    (gold / "pages").mkdir(parents=True, exist_ok=True)
    write_text(gold / "pages" / f"{path.name}.txt", "\f".join(leaf.text + "\n" for leaf in leaves))


def _audio(folder: Path, gold: Path, contents: _Contents, rng: random.Random) -> dict[str, str]:
    if not speech.available():
        reason = "espeak-ng is not installed; 'make install' says how to get it"
        log.warning("sample: no recordings: %s", reason)
        return {"audio": reason}
    folder.mkdir(parents=True, exist_ok=True)
    write_source(folder, "Grabaciones sintetizadas")
    rows = ["file\ttext\ttranslation"]
    for number, sentence in enumerate(contents.spoken, 1):
        voice = speech.VOICES[number % len(speech.VOICES)]
        samples = speech.synthesise(sentence.text, speed=rng.choice((120, 140, 160)), pitch=rng.choice((35, 50, 65)), voice=voice)
        name = f"grabacion-{number:02}.{'wav' if number % 2 else 'flac'}"
        (speech.write_wav if number % 2 else speech.write_flac)(folder / name, samples)
        rows.append(f"{name}\t{sentence.text}\t{sentence.translation}")
    write_text(gold / "transcripts.tsv", "\n".join(rows) + "\n")
    return {}


def _gold_alignment(gold: Path, document: Translated) -> None:
    """The links, and the sentences that they number, one a line."""
    for folder in ("alignment", "sentences"):
        (gold / folder).mkdir(parents=True, exist_ok=True)
    beads = [bead for paragraph in document.paragraphs for bead in paragraph]
    write_text(gold / "alignment" / f"{document.stem}.tsv", "\n".join(document.links()) + "\n")
    texts = [text for bead in beads for text in bead.texts]
    translations = [text for bead in beads for text in bead.translations]
    write_text(gold / "sentences" / f"{document.stem}.{LANGUAGE}.txt", "\n".join(texts) + "\n")
    write_text(gold / "sentences" / f"{document.stem}.{BRIDGE}.txt", "\n".join(translations) + "\n")


def _gold_tables(gold: Path, contents: _Contents) -> None:
    """All pairs with their analysis, and where each stands."""
    rows = ["place\ttext\ttranslation\tmorphemes\tgloss"]
    rows += ["\t".join((place, s.text, s.translation, s.morphemes, s.gloss)) for place, s in contents.pairs()]
    write_text(gold / "morphemes.tsv", "\n".join(rows) + "\n")


def _runs(sentences: Sequence[str], rng: random.Random) -> list[str]:
    """Paragraphs of three to seven sentences."""
    paragraphs: list[str] = []
    start = 0
    while start < len(sentences):
        stop = start + rng.randint(3, 7)
        paragraphs.append(" ".join(sentences[start:stop]))
        start = stop
    return paragraphs
