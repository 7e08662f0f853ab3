"""Transcribe plain recordings: STEM.json (all that was heard, with times, words and doubts) and STEM.txt (what is trusted).

Settings are those of the section 'transcribe' (model=large-v3 vad=false channels=split); no configuration is read, and no workspace
is needed. Exit 0: all files were heard, 1: some were not (what could be is written), 2: the command is wrong.
"""

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Sequence

from seshat.cluster.connect import connect
from seshat.cluster.data import do_step
from seshat.config import load
from seshat.data.transcribe_files import Bad, TranscribeFiles, transcribe_files
from seshat.errors import ConfigError, SeshatError
from seshat.language import Language
from seshat.settings import Settings
from seshat.step import Step
from seshat.store import Store

UNKNOWN = Language(code="und", name="")


def run(words: Sequence[str], output: str, engine: str) -> int:
    """Write what was heard; the number of inputs of which something could not be used."""
    overrides = [word for word in words if "=" in word and not os.path.exists(word)]
    files = list(dict.fromkeys(word for word in words if word not in overrides))
    settings = load(TranscribeFiles, None, [*([f"engine={engine}"] if engine else []), *overrides])
    if not files:
        raise ConfigError("no recordings: name one or more, as in 'seshat transcribe-files --output texts interview.mp3'")

    def work(step: Step, store: Store, placed: TranscribeFiles) -> None:
        session = Settings(root=store.root, language=UNKNOWN)
        do_step(step, store, "ray" if placed.execution == "ray" else "local", lambda: connect(session))

    num_bad = 0
    for one in transcribe_files(settings, files, os.path.abspath(output), work):
        if isinstance(one, Bad):
            num_bad += 1
            print(f"{one.path}: {one.reason}", file=sys.stderr)
        else:
            print(one)
    return num_bad


def main() -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as seshat.command does
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="+", metavar="FILE | key=value", help="recordings, and settings of the section 'transcribe'")
    parser.add_argument("--output", required=True, metavar="DIR", help="the folder for what was heard; made if it is not there")
    parser.add_argument("--engine", default="", help="the same as engine=ENGINE")
    parser.add_argument("--debug", action="store_true", help="show details and tracebacks")
    asked = parser.parse_intermixed_args()
    logging.basicConfig(level=logging.DEBUG if asked.debug else logging.INFO, format="%(message)s")
    for noisy in ("httpx", "ray", "filelock", "urllib3", "fsspec", "faster_whisper", "numba"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    logging.getLogger("seshat.data.listen").setLevel(logging.ERROR)  # what is bad is said once, with the file as it was given
    try:
        return 1 if run(asked.words, asked.output, asked.engine) else 0
    except SeshatError as error:
        print(error, file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on where this one stopped.", file=sys.stderr)
        code = 130
    except Exception as error:
        print(f"Unexpected: {type(error).__name__}: {error}\nThis is a bug; --debug shows where it is.", file=sys.stderr)
        code = 1
    if asked.debug:
        traceback.print_exc()
    return code


if __name__ == "__main__":
    sys.exit(main())
