"""Write data/training/{train,val,test}.jsonl: chat examples by task weights, split so that nothing leaks.

Examples:
    seshat format root=workspaces/shipibo language=configs/languages/shp.yaml
    seshat format format.val=0.05 format.test=0.05
"""

import posixpath

from seshat.cluster.data import run_step
from seshat.command import main
from seshat.config import to_yaml
from seshat.data import format as formatting
from seshat.rights import read_rights
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store


def run(settings: Settings) -> Outcome:
    store = Store(settings.root)
    step = formatting.step(
        settings.format,
        settings.prompts,
        settings.language,
        store,
        dictionary=settings.ocr.dictionary,
        settings_yaml=to_yaml(settings),
    )
    outcome = run_step(step, settings)
    files = formatting.publish(store, settings.format, read_rights(store.path(settings.data.raw)), settings.hints)
    rows = ", ".join(f"{posixpath.basename(file.path).removesuffix('.jsonl')} {file.rows:,}" for file in files.files)
    memory = files.notes["memory"]
    return outcome.model_copy(update={"note": f"{rows}; nearest training sentence: {memory}" if memory else rows})


if __name__ == "__main__":
    main(run, __doc__, previews=True)
