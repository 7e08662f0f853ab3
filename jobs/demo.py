"""The translation page: what `serve` serves, opened in a browser where there is one.

Examples:
    seshat demo root=workspaces/shipibo
"""

import sys
import webbrowser

from seshat.cluster.connect import connect
from seshat.command import main
from seshat.config import environment
from seshat.settings import Settings
from seshat.step import Outcome


def run(settings: Settings) -> Outcome:
    from serve.app import run as serve  # loads Ray Serve
    from serve.models import workspace

    with connect(settings):
        serve(settings.serving, workspace(settings.serving, settings.root, settings.cluster.working_copies), when_ready=_open)
    return Outcome(stage="demo", note="stopped")


def _open(address: str) -> None:
    if sys.platform in ("darwin", "win32") or environment("DISPLAY") or environment("WAYLAND_DISPLAY"):
        webbrowser.open(address)


if __name__ == "__main__":
    main(run, __doc__, section="serving")
