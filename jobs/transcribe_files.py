"""Transcribe plain recordings: for people and for benchmarks; no configuration of a language is needed.

    python -m jobs.transcribe_files [--engine E] [key=value ...] --output DIR FILE...

The keys are those of the section transcribe (model=large-v3, vad=false, channels=split), execution=ray or local, and cluster.cpus. For
each FILE there is DIR/STEM.json with all that was heard, with times, words and doubts, and DIR/STEM.txt with what is trusted. What was
heard is kept in DIR/.seshat, and not listened to again. Exit 0: all files were heard, 1: some were not, 2: the command is wrong.
"""

import logging
import os
import sys

from seshat import plain
from seshat.cluster.connect import connect
from seshat.cluster.data import do_step
from seshat.data.transcribe_files import Bad, transcribe_files
from seshat.messages import say
from seshat.plain import Given, named, on_ray
from seshat.settings import Settings
from seshat.stage import Resources
from seshat.step import Step
from seshat.store import Store

DEFAULTS = ("words=true", "max_rejected=1")


def run(settings: Settings, given: Given) -> int:
    for noisy, level in (("faster_whisper", logging.WARNING), ("numba", logging.WARNING), ("transformers", logging.ERROR)):
        logging.getLogger(noisy).setLevel(level)
    store = Store(settings.root)
    asked = settings.transcribe

    def work(step: Step) -> None:
        ray = on_ray(settings, given, len(step.parts))
        if not ray and not given.names("resources"):  # nobody else works here
            [stage] = step.stages
            alone = stage.model_copy(update={"resources": Resources(cpus=os.cpu_count() or 1)})
            step = Step(step.name, (alone,), step.parts, max_rejected=step.max_rejected)
        do_step(step, store, "ray" if ray else "local", lambda: connect(settings))

    num_bad = 0
    for one in transcribe_files(asked, named(given.files), store, Store(str(given.output)), work):
        if isinstance(one, Bad):
            num_bad += 1
            say(f"{one.path}: {one.reason}", file=sys.stderr)
        else:
            say(one)
    return 1 if num_bad else 0


if __name__ == "__main__":
    sys.exit(plain.run(run, __doc__, section="transcribe", argv=sys.argv[1:], defaults=DEFAULTS))
