"""The whole configuration: one section for each verb, assembled from the rooms that define them."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field

from seshat.config import PathSetting, Section, environment
from seshat.data.align import Align
from seshat.data.clean import Clean
from seshat.data.format import Format
from seshat.data.ingest import Ingest
from seshat.data.next_sentences import NextSentences
from seshat.data.ocr import Ocr
from seshat.data.tokenizer import TokenizerAnalysis
from seshat.data.transcribe import Transcribe
from seshat.errors import ConfigError
from seshat.evaluation.settings import Evaluation
from seshat.export.settings import Export
from seshat.language import Language
from seshat.prompts import Hinting, Prompts
from seshat.review.settings import Review
from seshat.rounds.settings import BackTranslate
from seshat.serving import Serving
from seshat.stage import PATIENCE
from seshat.training.ocr_settings import OcrLearning
from seshat.training.settings import Training, Tuning
from seshat.training.speech_settings import SpeechTraining
from seshat.working_copy import PLACE


class Cluster(Section):
    """Where Ray runs."""

    address: str = "local"
    """``local`` starts Ray on this machine; ``auto`` joins the one that runs here; else an address. A submitted job joins its own."""
    cpus: int = Field(0, ge=0, description="cores of a local session; 0: all")
    dashboard: bool = True
    """Watch a local session on 127.0.0.1:8265."""
    working_copies: str = PLACE
    """Where each machine keeps what it needs as files of a workspace in an object store, such as models: a folder with room for them."""
    patience: float = Field(PATIENCE, ge=0)
    """Seconds that a node may take to come that a step needs; where an autoscaler starts machines with GPUs, some 900."""
    worker_logs: bool = False
    """Show what workers print."""


class Data(Section):
    """Where raw material is."""

    raw: PathSetting = "data/raw"
    sample: bool = False
    """Write the embedded sample language into the workspace's raw folder before ingest, if that is the language."""
    sample_seed: int = 1
    """Another seed gives another language with the same grammar."""


class Settings(Section):
    """Everything that a YAML file of the pipeline may set."""

    root: PathSetting = "."
    """The workspace: a folder or an object-store address; other relative paths are relative to it."""
    language: Language
    prompts: Prompts = Prompts()
    hints: Hinting = Hinting()
    execution: Literal["ray", "local"] = "ray"
    """Where data stages run: through Ray Data, or in this process."""
    cluster: Cluster = Cluster()
    data: Data = Data()
    ingest: Ingest = Ingest()
    ocr: Ocr = Ocr()
    ocr_learn: OcrLearning = OcrLearning()
    transcribe: Transcribe = Transcribe()
    speech: SpeechTraining = SpeechTraining()
    align: Align = Align()
    clean: Clean = Clean()
    format: Format = Format()
    tokenizer: TokenizerAnalysis = TokenizerAnalysis()
    training: Training = Training()
    tuning: Tuning = Tuning()
    evaluation: Evaluation = Evaluation()
    review: Review = Review()
    export: Export = Export()
    next: NextSentences = NextSentences()
    back_translate: BackTranslate = BackTranslate()
    serving: Serving = Serving()


def check_root(settings: Settings) -> None:
    """Refuse a file, and a relative root where the job runs on a cluster: there the working directory is a temporary copy of the code."""
    if os.path.isfile(settings.root):
        raise ConfigError(f"root: {settings.root} is a file: name the folder of the workspace, which is made if it is not there")
    in_job = bool(environment("RAY_JOB_CONFIG_JSON_ENV_VAR"))  # set by Ray for the entry point of a submitted job
    remote = (environment("RAY_ADDRESS") or settings.cluster.address) not in ("local", "")
    if (in_job or remote) and not (os.path.isabs(settings.root) or "://" in settings.root):
        raise ConfigError(
            f"root: {settings.root!r} is relative, and a submitted job runs in a temporary copy of this folder: "
            "set root to an absolute path or an object-store address, for example root=/data/shipibo"
        )
