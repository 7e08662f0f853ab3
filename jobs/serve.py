"""Answer translations over HTTP: POST /translate, GET /languages, GET /health, and the page at /.

Examples:
    seshat serve root=workspaces/shipibo
    seshat serve host=0.0.0.0 port=9000 keys=keys.txt
"""

from seshat.cluster.connect import connect
from seshat.command import main
from seshat.settings import Settings
from seshat.step import Outcome


def run(settings: Settings) -> Outcome:
    from serve.app import run as serve  # loads Ray Serve
    from serve.models import workspace

    with connect(settings):
        serve(settings.serving, workspace(settings.serving, settings.root, settings.cluster.working_copies))
    return Outcome(stage="serve", note="stopped")


if __name__ == "__main__":
    main(run, __doc__, section="serving")
