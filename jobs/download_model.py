"""Fetch, link or build the base model; says what will be fetched and how large it is before it does.

Examples:
    seshat download-model
    seshat download-model root=workspaces/shipibo model=/models/Qwen3-14B
"""

import time

from seshat.command import main
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import BASE, on_files


@on_files(*BASE)
def run(settings: Settings) -> Outcome:
    from seshat.training.run import ensure_base  # loads torch

    start = time.monotonic()
    manifest, before = ensure_base(settings.training, settings.language, settings.prompts, Store(settings.root))
    note = f"{manifest.notes.get('model', '')} in {manifest.notes.get('folder', 'models/base')}"
    return Outcome(stage="download-model", seconds=time.monotonic() - start, done_before=before, note=note)


if __name__ == "__main__":
    main(run, __doc__, section="training", previews=True)
