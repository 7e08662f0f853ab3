"""The ``seshat`` command: it lists the verbs of ``jobs/`` and starts one; ``seshat align`` is ``python -m jobs.align``."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence

from seshat.config import did_you_mean

VERBS = {
    "ingest": ("ingest", "read dictionaries, transcriptions and translations from data/raw"),
    "ocr": ("ocr", "read scanned pages (optional)"),
    "lines": ("lines", "write a sheet of the lines of scans that are in doubt, for people to correct"),
    "ocr-files": ("ocr_files", "read plain scans: seshat ocr-files --output DIR FILE..."),
    "ocr-learn": ("ocr_learn", "teach OCR an alphabet that no engine knows: --lines DIR --output MODEL"),
    "transcribe": ("transcribe", "transcribe recordings (optional)"),
    "time-transcripts": ("time_transcripts", "when each sentence of a transcript is said: seshat time-transcripts --output DIR FOLDER"),
    "transcribe-files": ("transcribe_files", "plain recordings to JSON and TXT: seshat transcribe-files --output DIR FILE..."),
    "speech-train": ("speech_train", "teach a Whisper the language from recordings with transcripts (optional); --pairs TABLE"),
    "align": ("align", "align parallel documents into sentence pairs, and clean them"),
    "format": ("format", "write data/training/{train,val,test}.jsonl"),
    "data-stats": ("data_stats", "count and describe the training data"),
    "download-model": ("download_model", "fetch, link or build the base model"),
    "tokenizer-analysis": ("tokenizer_analysis", "how well the base model's tokenizer fits the language"),
    "tokenizer-extend": ("tokenizer_extend", "add tokens for the language to the base model (optional)"),
    "train": ("train", "fine-tune the base model"),
    "tune": ("tune", "search hyperparameters"),
    "eval": ("evaluate", "score on the held-out test set and write the report"),
    "diff": ("diff", "is a run better than another: seshat diff RUN_A RUN_B"),
    "review": ("review", "write a sheet for speakers and linguists; --read: say what the filled sheets say"),
    "export-gguf": ("export_gguf", "merge the adapter and write GGUF files"),
    "phrases": ("phrases", "make phrase-based translation a model that can be served"),
    "package": ("package", "write one file that brings a model to somebody else"),
    "apply": ("apply", "take such a file in, find its base, and serve it: seshat apply FILE"),
    "serve": ("serve", "answer translations over HTTP"),
    "api-key": ("api_key", "make a key for the HTTP endpoint: seshat api-key NAME"),
    "demo": ("demo", "open the translation page"),
    "check-gpu": ("check_gpu", "is a GPU there, and does torch use it"),
    "trace": ("trace", "where does this sentence come from: seshat trace ID"),
    "rejected": ("rejected", "what was rejected, and why: seshat rejected align --reason ratio"),
    "next": ("next_sentences", "choose the next sentences for speakers to translate"),
    "back-translate": ("back_translate", "translate text that nobody has, to train on what is good; --judge, --drop"),
    "withdraw": ("withdraw", "make the data without a source, and list what saw it: seshat withdraw SOURCE"),
    "clean-up": ("clean_up", "delete what later runs have replaced"),
    "pipeline": ("pipeline", "all of it, from raw material to GGUF, in one Ray session"),
}
"""The module in ``jobs`` and one line, by the name that users type."""


def main(argv: Sequence[str] | None = None) -> None:
    """Start a verb with the rest of the command line."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return
    verb, *rest = arguments
    if verb not in VERBS:
        print(f"seshat: no verb {verb!r}{did_you_mean(verb, VERBS)}", file=sys.stderr)
        sys.exit(2)
    module = f"jobs.{VERBS[verb][0]}"
    sys.argv = [f"seshat {verb}", *rest]
    runpy.run_module(module, run_name="__main__")


def usage() -> str:
    """All verbs with one line each."""
    lines = "\n".join(f"  {verb:<20} {line}" for verb, (_, line) in VERBS.items())
    return f"usage: seshat VERB [--config FILE] [key=value ...]\n\n{lines}\n\n'seshat VERB --help' says more."
