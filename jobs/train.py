"""Fine-tune the base model on data/training/train.jsonl with Ray Train; goes on from the newest checkpoint.

Examples:
    seshat train --config configs/training/qlora_qwen3_14b.yaml root=workspaces/shipibo
    seshat train root=workspaces/shipibo model=small name=first learning_rate=1e-3
"""

from seshat.cluster.connect import connect
from seshat.cluster.train import train
from seshat.command import main
from seshat.export.package import package
from seshat.preview import is_on
from seshat.rights import read_rights
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import BASE, DIARY, on_files


@on_files(*BASE, *DIARY, "models/adapters/{training.name}")
def run(settings: Settings) -> Outcome:
    store = Store(settings.root)
    rights = read_rights(store.path(settings.data.raw))
    outcome = train(
        settings.training,
        settings.language,
        settings.prompts,
        store,
        rights=rights,
        execution=settings.execution,
        session=lambda: connect(settings),
        patience=settings.cluster.patience,
    )
    if not is_on():
        package(store, settings.training.name)
    return outcome


if __name__ == "__main__":
    main(run, __doc__, section="training", previews=True)
