"""What ``seshat speech-train`` makes of a Whisper that has never heard the sentences: word and character errors before and after.

    python -m benchmarks.media_speech_train [--base FOLDER] [key=value of speech: ...]

Everything is synthesised by espeak-ng in the sample language. The base is a Whisper of 2 + 2 layers that learns 36 sentences here, and
nothing else (``--base`` keeps it for the next call). The workspace gets recordings of other voices, each of which reads some of 24 other
sentences, with the times that an alignment of the transcripts would have. Whole recordings are held out; their sentences are
trained on in other recordings, so this measures unheard recordings, not unheard sentences. Those are measured beside it.

A plumbing figure: so small a model learns sentences, and nothing about what a real Whisper makes of a real language follows.
"""

from __future__ import annotations

import argparse
import logging
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.make_speech_fixture import SEED, TIMES, synthesised
from seshat.cluster.speech_train import SpeechCard, speech_train
from seshat.config import load
from seshat.data.ingest import Ingest
from seshat.data.spoken import from_workspace
from seshat.engines.speech import SAMPLE_RATE, Samples
from seshat.evaluation.error_rates import MEASURES, Hearing, errors
from seshat.language import Language
from seshat.records import Utterance
from seshat.sample.grammar import Grammar
from seshat.sample.speech import VOICES, spoken_by, synthesise, write_wav
from seshat.store import Manifest, Store
from seshat.training.speech import Plan, SpeechTokens, save_transformers, train
from seshat.training.speech_run import CONVERTED, hear
from seshat.training.speech_settings import SpeechTraining
from seshat.training.strategy import Place
from seshat.training.whisper import convert

LANGUAGE = Language(code="qtm", name="tamuri", apostrophe="\u02bc")
NEW_VOICES = ("es+m1", "es+f1", "es+m5", "es+f3", "es+m7", "es+f5", "es-419+m4", "es-419+f2")
NUM_SENTENCES, NUM_RECORDINGS, EACH = 24, 48, 4
"""New sentences, recordings of them, and how many of the sentences each recording has."""
STEPS = 700
"""Of the base."""
ASKED = (
    *("name=benchmark", "language=''", "test=0.25", "beam_size=5", "use_gpu=false", "seed=1"),
    "lora={r: 32, alpha: 64, dropout: 0.0, target_modules: [q_proj, k_proj, v_proj, out_proj, fc1, fc2]}",
    *("learning_rate=4e-3", "per_device_train_batch_size=4", "gradient_accumulation_steps=1", "max_steps=320", "logging_steps=20"),
)


@dataclass(frozen=True)
class Clip:
    """An utterance outside any recording."""

    text: str
    sound: Samples

    @property
    def origin(self) -> str:
        return self.text

    recording = id = origin

    def samples(self) -> Samples:
        return self.sound


def main() -> None:
    """Make a base and recordings, train, and print what is misheard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, help="the folder of the base; made if it is not there")
    parser.add_argument("settings", nargs="*", metavar="key=value", help="settings of the section speech")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("seshat").setLevel(logging.INFO)
    torch.set_num_threads(1)
    grammar, rng = Grammar(SEED), random.Random(SEED)
    known = [sentence.text for sentence in spoken_by(grammar)]
    fitting = [
        one.text for one in grammar.sentences(2_000) if 3 <= len(one.text.split()) <= 6 and one.text.endswith(".") and "," not in one.text
    ]
    others = [text for text in dict.fromkeys(fitting) if text not in known]
    new, never = others[:NUM_SENTENCES], others[NUM_SENTENCES : 2 * NUM_SENTENCES]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        base = asked.base or root / "base"
        if not (base / "config.json").is_file():
            make_base(base, known, grammar, rng)
        store = Store(str(root))
        record(root, store, new, rng)
        speech = load(SpeechTraining, None, [f"model={base}", *ASKED, *asked.settings])
        material = from_workspace(store, str(root / "data" / "raw"), LANGUAGE, Ingest())
        clock = time.process_time()
        _, card = speech_train(speech, LANGUAGE, material, store, execution="local")
        seconds = time.process_time() - clock
        report(card, seconds, beside(root, base, never, speech, rng))


def make_base(folder: Path, known: Sequence[str], grammar: Grammar, rng: random.Random) -> None:
    """A Whisper that knows some sentences in four voices."""
    clock = time.process_time()
    tokens = SpeechTokens([sentence.text for sentence in grammar.sentences(2_000)])
    clips = list(synthesised(known, VOICES * (TIMES - 1), rng))
    folder.mkdir(parents=True, exist_ok=True)
    save_transformers(train(clips, tokens, Plan(steps=STEPS)), tokens, folder)
    print(f"base: {len(known)} sentences, {len(clips)} clips, {STEPS} steps in {time.process_time() - clock:.0f} s of processor time")


def record(root: Path, store: Store, sentences: Sequence[str], rng: random.Random) -> None:
    """Recordings of several sentences with pauses, and the utterances that an alignment of their transcripts gives."""
    audio = root / "data" / "raw" / "audio"
    audio.mkdir(parents=True)
    found = []
    for number in range(NUM_RECORDINGS):
        voice, speed, pitch = NEW_VOICES[number % len(NEW_VOICES)], rng.randint(115, 175), rng.randint(25, 75)
        parts, seconds = [], 0.0
        for text in rng.sample(list(sentences), EACH):
            pause, clip = (
                np.zeros(int(rng.uniform(0.4, 0.9) * SAMPLE_RATE), np.float32),
                synthesise(text, speed=speed, pitch=pitch, voice=voice),
            )
            start = seconds + len(pause) / SAMPLE_RATE
            seconds = start + len(clip) / SAMPLE_RATE
            parts += [pause, clip]
            found.append(utterance(f"audio/r{number:02}", text, start, seconds))
        write_wav(audio / f"r{number:02}.wav", np.concatenate(parts))
    line = store.commit("transcribe", "aligned", found, len(found))
    store.finish("data/processed/transcribe", Manifest(stage="transcribe", fingerprint="benchmark", parts=(line,)))


def utterance(name: str, text: str, start: float, end: float) -> Utterance:
    return Utterance(
        origin=f"{name}.wav#second={start:.2f}..{end:.2f}",
        collection="audio",
        name=name,
        text=text,
        language=LANGUAGE.code,
        start=round(start, 2),
        end=round(end, 2),
        confidence=1.0,
        engine="transcript",
    )


def beside(root: Path, base: Path, never: Sequence[str], speech: SpeechTraining, rng: random.Random) -> Iterator[str]:
    """The errors on sentences that neither the base nor the training has."""
    clips = [
        Clip(text, synthesise(text, speed=rng.randint(115, 175), pitch=rng.randint(25, 75), voice=NEW_VOICES[place % 8]))
        for place, text in enumerate(never)
    ]
    convert(str(base), str(root / "base-converted"))
    for name, folder in (("base", root / "base-converted"), ("trained", root / "models" / "speech" / speech.name / CONVERTED)):
        heard = hear(str(folder), clips, speech, Place())
        hearings = [Hearing(clip.recording, clip.text, text) for clip, text in zip(clips, heard, strict=True)]
        rates = (errors(measure, hearings, LANGUAGE).rate(resamples=speech.resamples, seed=speech.seed) for measure in MEASURES)
        yield f"  {name:<10}{'   '.join(map(str, rates))}"


def report(card: SpeechCard, seconds: float, unheard: Iterator[str]) -> None:
    print(
        f"trained on {card.num_utterances} utterances in {card.num_recordings} recordings; {seconds:.0f} s of processor time with hearing"
    )
    print(card)
    print(f"sentences that nobody was taught, {NUM_SENTENCES} of them:", *unheard, sep="\n")


if __name__ == "__main__":
    main()
