"""From a command line to settings, and from errors to exit codes: what all jobs share.

Exit codes: 0 good, 1 failed, 2 usage or configuration (nothing has run), 130 interrupted, 141 nobody reads any more.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.config import load, top_keys
from seshat.errors import ConfigError, SeshatError
from seshat.messages import LANGUAGES, Parser, chosen, say
from seshat.progress import LogHandler
from seshat.verbs import VERBS

if TYPE_CHECKING:
    from seshat.settings import Settings
    from seshat.step import Outcome

log = logging.getLogger(__name__)
_SETTING = re.compile(r"[a-z_][\w.]*=")
PIPELINE = "configs/data/pipeline.yaml"


Verb = Callable[..., "Outcome | None"]
"""Takes the settings, and by name what its own arguments ask for; without an outcome, what it printed is all."""
OURS = {"config", "debug", "lang", "overrides"}


def main(
    verb: Verb,
    doc: str | None,
    *,
    section: str = "",
    arguments: argparse.ArgumentParser | None = None,
    previews: bool = False,
    argv: Sequence[str] | None = None,
) -> None:
    """Run a verb as a program: read the configuration, run, print the outcome, and exit with its code.

    ``section`` is the part of the settings that ``--config`` may name alone, as in ``--config configs/training/x.yaml``;
    ``arguments`` are those of the verb itself, beside ``key=value``; one that ``previews`` says with --dry-run what it would do.
    """
    sys.exit(run(verb, doc, section=section, arguments=arguments, previews=previews, argv=sys.argv[1:] if argv is None else argv))


def run(
    verb: Verb,
    doc: str | None,
    *,
    section: str = "",
    arguments: argparse.ArgumentParser | None = None,
    previews: bool = False,
    argv: Sequence[str],
) -> int:
    """As ``main``, but give the exit code back."""
    try:
        argv = chosen(argv)
    except ConfigError as error:
        say(error, file=sys.stderr)
        return error.exit_code
    settings_of = _setting_words(argv, section)
    words = [word for place, word in enumerate(argv) if place not in settings_of]  # so that none is taken for what the verb itself asks for
    asked = parser(doc, section, arguments, previews).parse_intermixed_args(words)
    own = {name: value for name, value in vars(asked).items() if name not in OURS | ({"dry_run"} if previews else set())}
    prepare(debug=asked.debug)

    def work() -> int:
        settings = read_settings(asked.config, [*settings_of.values(), *asked.overrides], section)
        from seshat.cost import watching
        from seshat.settings import check_root
        from seshat.store import Store
        from seshat.summary import failing, record

        check_root(settings)
        if previews and asked.dry_run:
            return _preview(verb, settings, own)
        store = Store(settings.root)
        with watching() as peak, failing(name, store) if (name := verb_of(sys.argv[0])) else nullcontext():
            outcome = verb(settings, **own)
        if outcome is not None:
            record(outcome, store, peak.memory)
            say(outcome.funnel)
        return 0

    return answer(work, debug=asked.debug)


def _setting_words(argv: Sequence[str], section: str) -> dict[int, str]:
    """The words of a command line that set a key of the configuration, or of the section, by their places."""
    found = {place: word for place, word in enumerate(argv) if _SETTING.match(word)}
    if not found:
        return {}
    from seshat.settings import Settings

    known = set(Settings.model_fields)
    if section:
        known |= set(getattr(Settings.model_fields[section].annotation, "model_fields", ()))
    return {place: word for place, word in found.items() if word.partition("=")[0].partition(".")[0] in known}


def _preview(verb: Verb, settings: Settings, own: dict[str, Any]) -> int:
    from seshat.preview import WouldRun, preview

    try:
        with preview():
            outcome = verb(settings, **own)
    except WouldRun as would:
        say(would)
        return 0
    if outcome is not None:
        say(outcome.funnel)
    return 0


def answer(work: Callable[[], int], *, debug: bool = False) -> int:
    """The exit code of work, with what went wrong said in a sentence."""
    try:
        return work()
    except SeshatError as error:
        say(error, file=sys.stderr)
        if debug:
            traceback.print_exc()
        return error.exit_code
    except KeyboardInterrupt:
        say(f"Interrupted; nothing that was finished is lost. To go on: {typed()}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever reads what is printed has seen enough: seshat rejected align | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python would try once more when it ends
        return 141
    except Exception as error:
        say(f"Unexpected: {type(error).__name__}: {error}\nThis is a bug; --debug shows where it is.", file=sys.stderr)
        if debug:
            traceback.print_exc()
        return 1


def typed() -> str:
    """The command line of this process, to be typed again."""
    program, *rest = sys.argv
    verb = program if program.startswith("seshat ") else f"python -m jobs.{Path(program).stem}"
    return shlex.join([*verb.split(), *rest])


def verb_of(program: str) -> str:
    """The verb of a program's name, which is ``seshat align`` or ``.../jobs/align.py``; empty if it is none."""
    if program.startswith("seshat "):
        return program.removeprefix("seshat ")
    return next((verb for verb, (module, _) in VERBS.items() if os.path.join("jobs", f"{module}.py") in program), "")


def prepare(*, debug: bool = False) -> None:
    """Set what libraries read from the environment when they are imported, and who may write into the log."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait by spinning cost a busy machine ten times their work
    if not any(os.path.exists(device) for device in ("/dev/nvidia0", "/dev/kfd")):
        os.environ.setdefault("DS_ACCELERATOR", "cpu")  # transformers imports DeepSpeed to save a model, and that warns of having to guess
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, format="%(message)s", handlers=[LogHandler()])
    if limit := os.environ.pop("OMP_THREAD_LIMIT", ""):
        log.warning(
            "OMP_THREAD_LIMIT=%s is not passed on: PyTorch computes wrong numbers with it; OMP_NUM_THREADS does what is meant", limit
        )
    for noisy in ("httpx", "ray", "alembic", "mlflow", "filelock", "urllib3", "fsspec", "matplotlib", "faster_whisper"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it misses, on some processors, a kernel that training must not use


def read_settings(config: str, overrides: Sequence[str], section: str = "") -> Settings:
    """The settings of a configuration file, which may hold one section alone (then the pipeline's defaults are around it)."""
    from seshat.settings import Settings

    if not config:
        return load(Settings, PIPELINE, _placed(overrides, section))
    if section and not {"language", section} & top_keys(Path(config)):
        return load(Settings, PIPELINE, [f"{section}={config}", *_placed(overrides, section)])
    return load(Settings, config, _placed(overrides, section))


def _placed(overrides: Sequence[str], section: str) -> list[str]:
    """Overrides with the section put before keys that are not the pipeline's own: ``learning_rate=1e-4``."""
    from seshat.settings import Settings

    for override in overrides:
        if "=" not in override:
            raise ConfigError(f"command line: {override!r} is not key=value; write for example root=workspaces/mine")
    own = Settings.model_fields.keys()
    names = [override.partition("=")[0].partition(".")[0].strip() for override in overrides]
    return [override if not section or name in own else f"{section}.{override}" for name, override in zip(names, overrides, strict=True)]


def parser(doc: str | None, section: str, own: argparse.ArgumentParser | None, previews: bool) -> Parser:
    """The arguments of a verb: its own, and those that all have. The examples at the end of ``doc`` come last."""
    parents = [own] if own else []
    parser = Parser(**described(doc or ""), parents=parents)
    what = f"a pipeline, or its '{section}' section alone" if section else "a pipeline"
    parser.add_argument("--config", default="", metavar="FILE", help=f"YAML file of {what} (default {PIPELINE})")
    if previews:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and why; do nothing")
    parser.add_argument("--lang", metavar="CODE", help=f"the language of messages: {', '.join(LANGUAGES)}")  # taken away before
    parser.add_argument("--debug", action="store_true", help="show details and tracebacks")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="settings that win over the file: root=workspaces/mine")
    return parser


def described(doc: str) -> dict[str, Any]:
    """What a parser is told of a docstring: what it says, and the commands that it ends with, which are shown last."""
    said, begins, examples = doc.strip().partition("\n\nExamples:\n")
    epilog = f"examples:\n{examples}" if begins else ""
    return {"description": said, "epilog": epilog, "formatter_class": argparse.RawDescriptionHelpFormatter}
