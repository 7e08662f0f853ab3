"""Teaching a Whisper the language, under Ray Train or in this process: from what the workspace has to a model that transcribes."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from seshat.cluster.board import Here, OnRay, fitted, hang_up, stop_signal, told
from seshat.cluster.data import Execution, Session
from seshat.cluster.events import Event
from seshat.cluster.train import device_here, reason, shares, wants_gpu
from seshat.config import Section, to_yaml
from seshat.data.spoken import Material, check_enough, repeated, split
from seshat.engines.download import local_folder
from seshat.engines.weights import weights_sha256
from seshat.errors import DivergedError, EngineError, SeshatError, StoppedError
from seshat.evaluation.error_rates import MEASURES, NORMALISED, Change, Hearing, Rate, caution, change, errors
from seshat.language import Language
from seshat.preview import about_to_make
from seshat.progress import Progress
from seshat.records import digest
from seshat.rights import Rights
from seshat.stage import PATIENCE
from seshat.step import Outcome
from seshat.store import Manifest, Store
from seshat.training import speech_run
from seshat.training.speech_run import CONVERTED, MERGED, Result, Said, SpeechJob
from seshat.training.speech_settings import SPEECH, SpeechTraining
from seshat.training.strategy import Place
from seshat.training.whisper import Base, Targets
from seshat.withdrawals import SPEECH_CARD
from seshat.working_copy import address_of, discard, fetch

log = logging.getLogger(__name__)
VERSION = 1
HEARD, REJECTED = "held_out.jsonl", "rejected.txt"


class SpeechCard(Section):
    """What a recogniser of ours says about itself."""

    name: str
    language: str
    """The code of the language that it was taught."""
    heard_as: str
    """As which of Whisper's languages; what ``transcribe.language`` must be. Empty for a Whisper of one language."""
    base: str
    base_sha256: str
    data: dict[str, str]
    """SHA-256 of the recordings, by origin, and under ``utterances`` the name of all sounds and texts."""
    texts: tuple[str, ...]
    """The tables, or recordings with aligned transcripts, that say what is said, by origin."""
    num_utterances: int
    """That were trained on."""
    num_recordings: int
    held_out: tuple[str, ...]
    """The recordings that were not trained on."""
    num_repeated: int
    """Held-out utterances that say what an utterance in training says."""
    rejected: dict[str, int]
    rights: Rights
    without: tuple[str, ...] = ()
    """What had been withdrawn from the workspace when this was trained, so is not in it."""
    normalised: str = NORMALISED
    before: tuple[Rate, ...] = ()
    """Error rates of the base on the held-out recordings."""
    after: tuple[Rate, ...] = ()
    changes: tuple[Change, ...] = ()
    caution: str = ""

    def __str__(self) -> str:
        rates = [f"  {'base':<10}{'   '.join(map(str, self.before))}", f"  {'trained':<10}{'   '.join(map(str, self.after))}"]
        said = f"{self.after[0].num_utterances} utterances in {self.after[0].num_recordings} recordings that were not trained on"
        known = f"{self.num_repeated} of these utterances say what was also trained on" if self.num_repeated else ""
        heading = f"errors on {said}, in percent with 95 % intervals ({self.normalised})"
        return "\n".join(filter(None, [heading, *rates, *(f"  {'change':<10}{one}" for one in self.changes), known, self.caution]))


def speech_train(
    speech: SpeechTraining,
    language: Language,
    material: Material,
    store: Store,
    *,
    rights: Rights | None = None,
    without: Sequence[str] = (),
    execution: Execution = "ray",
    session: Session = nullcontext,
    patience: float = PATIENCE,
) -> tuple[Outcome, SpeechCard]:
    """Train a recogniser, or go on with one, or find that it is there."""
    started = time.monotonic()
    job, card, rejected = prepare(speech, language, material, store, rights=rights, without=without)
    folder = f"{SPEECH}/{speech.name}"
    name = digest("speech-train", VERSION, json.dumps(speech.decides(), sort_keys=True), language.model_dump_json(), job.base_sha256,
                  card.data["utterances"], card.rights.model_dump_json())  # fmt: skip
    number = len(job.trained) + len(job.held_out)
    kept = {"rows_in": number + sum(card.rejected.values()), "kept": number}
    if store.done(folder, name):
        known = SpeechCard.model_validate_json(store.read(f"{folder}/{SPEECH_CARD}"))
        return Outcome(stage="speech-train", **kept, done_before=True, note=_how(folder, known)), known
    about_to_make("speech-train", folder, store)
    if store.manifest(folder):
        log.info("speech-train: settings or data have changed since %s was finished: it is made anew", folder)
        discard(store.path(folder))
    speech_run.start(job)
    log.info("speech-train: %d utterances to learn from, %d held out, %d steps", len(job.trained), len(job.held_out), job.steps)
    result = _on_ray(job, session, patience) if execution == "ray" else _here(job)
    fetch(job.folder)
    card = judged(card, job.held_out, result, language, speech)
    _commit(store, folder, name, card, job, result, rejected)
    return Outcome(stage="speech-train", **kept, seconds=time.monotonic() - started, note=_how(folder, card)), card


def prepare(
    speech: SpeechTraining,
    language: Language,
    material: Material,
    store: Store,
    *,
    rights: Rights | None = None,
    without: Sequence[str] = (),
) -> tuple[SpeechJob, SpeechCard, Sequence[str]]:
    """Look at base and data, and say what the worker has to do, and what is not used; all that can be refused is refused here."""
    base = Base.read(_base_folder(speech.model, store))
    targets = Targets(base, speech.language)
    fits = tuple(one for one in material.spoken if targets.fits(one.text))
    rejected = [f"tokens: the text is longer than Whisper can write; {one.origin}" for one in material.spoken if not targets.fits(one.text)]
    material = Material(fits, (*material.rejected, *rejected))
    check_enough(material, recordings=speech.least_recordings, utterances=speech.least_utterances)
    allowed = (rights or Rights()).to_train({one.collection for one in material.spoken})
    trained, held_out = split(material, share=speech.test, salt=speech.salt)
    sha256 = weights_sha256(base.folder)
    job = SpeechJob(speech, base, sha256, store.path(f"{SPEECH}/{speech.name}"), trained, held_out)
    card = SpeechCard(
        name=speech.name,
        language=language.code,
        heard_as=speech.language if base.multilingual else "",
        base=speech.model if not os.path.isabs(speech.model) else os.path.basename(speech.model.rstrip("/")),
        base_sha256=sha256,
        data={one.file.origin: one.recording for one in material.spoken} | {"utterances": digest(*(one.id for one in material.spoken))},
        texts=tuple(sorted({one.origin.partition("#")[0] for one in material.spoken})),
        num_utterances=len(trained),
        num_recordings=len({one.recording for one in trained}),
        held_out=tuple(sorted({one.file.origin for one in held_out})),
        num_repeated=repeated(trained, held_out),
        rejected=material.counts,
        rights=allowed,
        without=tuple(without),
    )
    return job, card, material.rejected


def judged(card: SpeechCard, held_out: Sequence[Said], result: Result, language: Language, speech: SpeechTraining) -> SpeechCard:
    """The card with what the base and the trained model make of the held-out recordings."""
    drawing = {"resamples": speech.resamples, "seed": speech.seed}
    sides = [
        [Hearing(one.recording, one.text, text) for one, text in zip(held_out, heard, strict=True)]
        for heard in (result.before, result.after)
    ]
    both = [[errors(measure, side, language) for measure in MEASURES] for side in sides]
    before, after = (tuple(one.rate(**drawing) for one in side) for side in both)
    changes = tuple(change(old, new, **drawing) for old, new in zip(*both, strict=True))
    return card.model_copy(update={"before": before, "after": after, "changes": changes, "caution": caution(len(card.held_out))})


def _base_folder(model: str, store: Store) -> str:
    """The folder of a base: one of this machine, or what came from the hub before. Nothing is downloaded."""
    if folder := local_folder(model, store):
        return os.path.abspath(folder)
    from huggingface_hub import snapshot_download

    try:
        return str(snapshot_download(model, local_files_only=True))
    except (OSError, ValueError):
        raise EngineError(
            f"speech.model: {model} is neither a folder with a Whisper in transformers' format nor fetched from the hub: run "
            f"'.venv/bin/hf download {model}', or give a folder"
        ) from None


def _commit(store: Store, folder: str, fingerprint: str, card: SpeechCard, job: SpeechJob, result: Result, rejected: Sequence[str]) -> None:
    """Write the card, what was heard, and what was not used, and vouch for all of it."""
    rows = zip(job.held_out, result.before, result.after, strict=True)
    heard = [{"origin": one.origin, "said": one.text, "before": before, "after": after} for one, before, after in rows]
    store.write(f"{folder}/{HEARD}", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in heard).encode())
    store.write(f"{folder}/{SPEECH_CARD}", card.model_dump_json(indent=1).encode())
    store.write(f"{folder}/{REJECTED}", "".join(f"{sentence}\n" for sentence in rejected).encode())
    wanted = tuple(f"{folder}/{name}" for name in (f"{MERGED}/", f"{CONVERTED}/", SPEECH_CARD, HEARD, REJECTED))
    manifest = Manifest(
        stage="speech-train",
        fingerprint=fingerprint,
        inputs={**card.data, "base": card.base_sha256},
        settings=to_yaml(job.speech),
        files=tuple(store.vouch(file) for file in store.names(folder) if file.startswith(wanted)),
        rows_in=sum(card.rejected.values()) + len(job.trained) + len(job.held_out),
        kept=len(job.trained) + len(job.held_out),
        rejected=card.rejected,
        notes={"base_sha256": card.base_sha256, "steps": str(job.steps)},
    )
    store.finish(folder, manifest)


def _how(folder: str, card: SpeechCard) -> str:
    language = f" transcribe.language={card.heard_as}" if card.heard_as else ""
    return f"{folder}  use it: transcribe.model={folder}/{CONVERTED}{language}"


@contextmanager
def _teller(job: SpeechJob) -> Iterator[Callable[[Event], None]]:
    """Tells the user how far a run is."""
    with Progress() as progress:

        def tell(event: Event) -> None:
            if event.numbers:
                said = "  ".join(f"{name} {value:.4g}" for name, value in event.numbers.items())
                progress(f"speech-train: step {event.step} of {job.steps}  {said}")

        yield tell


def _here(job: SpeechJob) -> Result:
    """In this process."""
    device = device_here(job.speech.run)
    with stop_signal() as stopping, _teller(job) as tell:
        return speech_run.work(job, Place(device=device), Here(tell, None, stopping))


def _on_ray(job: SpeechJob, session: Session, patience: float) -> Result:
    """One worker of Ray Train, which is started again where it is lost, and then goes on from the newest checkpoint."""
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.train.v2.api.exceptions import TrainingFailedError

    with session():
        gpu, training = wants_gpu(job.speech.run), job.speech.run
        board = hang_up()
        trainer = TorchTrainer(
            _worker,
            train_loop_config={"job": ray.put(job), "threads": max(1, int(training.cpus_per_worker)), "gpu": gpu, "board": board},
            scaling_config=ScalingConfig(num_workers=1, use_gpu=gpu, resources_per_worker=shares(training, 1, gpu, patience)),
            torch_config=TorchConfig(backend="nccl" if gpu else "gloo"),
            run_config=RunConfig(
                name=digest(json.dumps(job.identity, sort_keys=True)),
                storage_path=os.path.join(address_of(job.folder), "ray"),
                failure_config=FailureConfig(max_failures=training.max_failures),
            ),
        )
        try:
            with stop_signal() as stopping, _teller(job) as tell, told(board, tell, stopping):
                result = fitted(trainer, stopping)
        except TrainingFailedError as error:
            raise reason(error) from error
    if isinstance(result, SeshatError):
        raise result
    assert isinstance(result, Result)
    return result


def _worker(config: dict[str, Any]) -> Result | SeshatError:
    """What Ray runs; an error that is raised, Ray would try again."""
    import ray
    from ray.train.torch import get_device

    torch.set_num_threads(config["threads"])
    device = get_device() if config["gpu"] else torch.device("cpu")
    listener = OnRay(0, config["board"])
    try:
        return speech_run.work(ray.get(config["job"]), Place(device=device), listener)
    except (DivergedError, StoppedError) as error:
        return error
    finally:
        listener.close()
