"""Answer translations over HTTP: POST /translate, GET /languages, GET /health, and the page at /."""

from seshat.cluster.connect import connect
from seshat.command import main
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store


def run(settings: Settings) -> Outcome:
    from serve.app import run as serve  # loads Ray Serve

    with connect(settings):
        serve(settings.serving, Store(settings.root))
    return Outcome(stage="serve", note="stopped")


if __name__ == "__main__":
    main(run, __doc__, section="serving")
