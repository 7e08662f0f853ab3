"""Search hyperparameters with Ray Tune; the best configuration is written as a YAML that `train` takes.

Examples:
    seshat tune --config configs/tuning/qlora.yaml root=workspaces/shipibo
    seshat tune root=workspaces/shipibo num_trials=8
"""

from seshat.cluster.connect import connect
from seshat.cluster.tune import tune
from seshat.command import main
from seshat.rights import read_rights
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import BASE, DIARY, on_files


@on_files(*BASE, *DIARY, "models/tuning")
def run(settings: Settings) -> Outcome:
    store = Store(settings.root)
    rights = read_rights(store.path(settings.data.raw))
    with connect(settings):
        return tune(settings.tuning, settings.language, settings.prompts, store, rights, settings.cluster.patience)


if __name__ == "__main__":
    main(run, __doc__, section="tuning", previews=True)
