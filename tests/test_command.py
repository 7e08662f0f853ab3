"""What all jobs share: a command line becomes settings, and an error becomes a sentence and an exit code."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from seshat.cli import VERBS, usage
from seshat.command import main, read_settings, run
from seshat.errors import ConfigError, DataError, EngineError, SeshatError, StoreError
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.summary import SUMMARY

PIPELINE = "language: {code: qtm, name: tamuri}\ntraining: {learning_rate: 1e-3, lora: {r: 4}}\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that a user stands in."""
    (tmp_path / "configs" / "data").mkdir(parents=True)
    (tmp_path / "configs" / "data" / "pipeline.yaml").write_text(PIPELINE)
    (tmp_path / "qlora.yaml").write_text("inherit: base.yaml\nlora: {r: 64}\n")
    (tmp_path / "base.yaml").write_text("name: qlora\nlora: {alpha: 9}\n")
    (tmp_path / "all.yaml").write_text("inherit: configs/data/pipeline.yaml\ntraining: qlora.yaml\n")
    monkeypatch.chdir(tmp_path)
    level = logging.getLogger().level
    yield tmp_path
    logging.getLogger().setLevel(level)


def align(settings: Settings) -> Outcome:
    """A verb that works."""
    return Outcome(stage="align", rows_in=3, kept=2, rejected={"copy": 1}, note=settings.root)


def failing(error: BaseException) -> Callable[[Settings], Outcome]:
    """A verb that does not."""

    def verb(settings: Settings) -> Outcome:
        raise error

    return verb


# From files and arguments to settings


def test_without_a_file_the_pipeline_s_own_is_read() -> None:
    assert read_settings("", []).training.learning_rate == 1e-3


def test_a_file_may_be_the_whole_configuration() -> None:
    settings = read_settings("all.yaml", [], "training")
    assert (settings.training.name, settings.training.lora.r, settings.language.code) == ("qlora", 64, "qtm")


def test_a_file_may_be_one_section_with_the_pipeline_around_it() -> None:
    settings = read_settings("qlora.yaml", [], "training")
    assert (settings.training.name, settings.training.lora.r, settings.training.lora.alpha) == ("qlora", 64, 9)
    assert settings.language.code == "qtm"


def test_a_section_s_file_replaces_the_section_of_the_pipeline() -> None:
    assert read_settings("qlora.yaml", [], "training").training.learning_rate == read_settings("all.yaml", [], "").training.learning_rate


@pytest.mark.parametrize(
    ("overrides", "rate", "rank", "root"),
    [
        (["learning_rate=1e-4"], 1e-4, 64, "."),
        (["training.learning_rate=1e-4"], 1e-4, 64, "."),
        (["lora.r=2", "root=/ws"], None, 2, "/ws"),
    ],
)
def test_a_key_goes_to_the_verb_s_own_section_unless_the_pipeline_has_it(
    overrides: list[str], rate: float | None, rank: int, root: str
) -> None:
    settings = read_settings("qlora.yaml", overrides, "training")
    assert settings.training.learning_rate == (rate or read_settings("qlora.yaml", [], "training").training.learning_rate)
    assert (settings.training.lora.r, settings.root) == (rank, root)


def test_a_verb_without_a_section_takes_the_pipeline_s_keys_only() -> None:
    with pytest.raises(ConfigError, match=r"command line: learning_rate: unknown key"):
        read_settings("", ["learning_rate=1e-4"])


def test_a_mistake_in_a_section_s_file_names_that_file(project: Path) -> None:
    (project / "base.yaml").write_text("lerning_rate: 1")
    with pytest.raises(ConfigError, match=r"^base.yaml: training.lerning_rate: unknown key; did you mean 'learning_rate'\?$"):
        read_settings("qlora.yaml", [], "training")


# Verbs


def test_every_verb_has_its_job_and_its_line() -> None:
    lines = usage().splitlines()
    for verb, (module, line) in VERBS.items():
        assert find_spec(f"jobs.{module}") is not None
        assert f"  {verb:<20} {line}" in lines
    assert {"trace", "withdraw", "clean-up"} < VERBS.keys()


def test_a_verb_has_arguments_of_its_own_beside_settings(capsys: pytest.CaptureFixture[str]) -> None:
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("source")
    own.add_argument("--undo", action="store_true")
    heard: list[tuple[str, str, bool]] = []

    def verb(settings: Settings, *, source: str, undo: bool) -> None:
        heard.append((settings.root, source, undo))

    assert run(verb, "Verb.", arguments=own, argv=["scans", "root=ws", "--undo"]) == 0
    assert (heard, capsys.readouterr().out) == ([(str(Path("ws").absolute()), "scans", True)], "")
    with pytest.raises(SystemExit) as ended:
        run(verb, "Verb.", arguments=own, argv=["root=ws"])
    assert ended.value.code == 2, "a setting is never the verb's own word"
    assert "the following arguments are required: source" in capsys.readouterr().err
    assert run(verb, "Verb.", arguments=own, argv=["--undo", "root=ws", "scans"]) == 0, "nor behind a flag"
    assert heard[-1] == (str(Path("ws").absolute()), "scans", True)


# From outcomes and errors to exit codes


def test_a_verb_that_works_says_what_it_did_and_leaves_a_row(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(align, "Align.", argv=["root=ws"]) == 0
    assert capsys.readouterr().out.split()[0] == "align"
    assert Store(str(project / "ws")).size(SUMMARY) > 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SeshatError("It went wrong."), 1),
        (DataError("It went wrong."), 1),
        (StoreError("It went wrong."), 1),
        (EngineError("It went wrong."), 1),
        (ConfigError("It went wrong."), 2),
    ],
)
def test_an_error_is_a_sentence_and_a_code(error: SeshatError, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(error), "Align.", argv=[]) == code
    assert capsys.readouterr().err == "It went wrong.\n"


def test_a_surprise_says_that_it_is_a_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(ZeroDivisionError("x")), "Align.", argv=[]) == 1
    assert capsys.readouterr().err == "Unexpected: ZeroDivisionError: x\nThis is a bug; --debug shows where it is.\n"


@pytest.mark.parametrize("error", [DataError("It went wrong."), ZeroDivisionError("It went wrong.")])
def test_debug_shows_where_it_went_wrong(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(failing(error), "Align.", argv=["--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_no_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["seshat align", "root=my work"])
    assert run(failing(KeyboardInterrupt()), "Align.", argv=[]) == 130
    assert "To go on: seshat align 'root=my work'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--config", "gone.yaml"], "gone.yaml: cannot be read"),
        (["root"], "command line: 'root' is not key=value"),
        (["rooot=a", "algin.band=3"], "command line: rooot: unknown key; did you mean 'root'?"),
        (["align.band=3"], "command line: align.band: input should be greater than or equal to 10 (found 3)"),
    ],
)
def test_a_wrong_configuration_is_code_2_and_nothing_has_run(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    assert run(failing(AssertionError("it ran")), "Align.", argv=argv) == 2
    assert said in capsys.readouterr().err
    assert not (project / "reports").exists()


@pytest.mark.parametrize(
    "argv", [["root=ws", "--config", "all.yaml", "align.band=11"], ["--config", "all.yaml", "root=ws", "align.band=11"]]
)
def test_settings_may_stand_before_and_after_options(argv: list[str], project: Path) -> None:
    def verb(settings: Settings) -> Outcome:
        assert (settings.align.band, settings.root) == (11, str(project / "ws"))
        return Outcome(stage="align")

    assert run(verb, "Align.", argv=argv) == 0


def test_an_unknown_option_is_a_mistake_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(align, "Align.", argv=["--colour"])
    assert caught.value.code == 2
    assert "unrecognized arguments: --colour" in capsys.readouterr().err


def test_help_names_the_verb_and_its_section(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(align, "Fine-tune the base model.", section="training", argv=["--help"])
    said = capsys.readouterr().out
    assert caught.value.code == 0
    assert "Fine-tune the base model." in said
    assert "'training' section alone" in " ".join(said.split())


@pytest.mark.parametrize(("verb", "code"), [(align, 0), (failing(ConfigError("No.")), 2)])
def test_a_program_exits_with_its_code(verb: Callable[[Settings], Outcome], code: int) -> None:
    with pytest.raises(SystemExit) as caught:
        main(verb, "Align.", argv=[])
    assert caught.value.code == code


@pytest.mark.parametrize(
    "argv", [["root=/w", "b", "--files", "c", "d"], ["b", "root=/w", "--files", "c", "d"], ["b", "--files", "c", "d", "root=/w"]]
)
def test_settings_may_stand_anywhere(argv: list[str]) -> None:
    arguments = argparse.ArgumentParser(add_help=False)
    arguments.add_argument("stage")
    arguments.add_argument("--files", nargs="+", default=[])
    seen: list[tuple[str, str, list[str]]] = []

    def verb(settings: Settings, *, stage: str, files: list[str]) -> None:
        seen.append((settings.root, stage, files))

    assert run(verb, "A verb.", arguments=arguments, argv=argv) == 0
    assert seen == [("/w", "b", ["c", "d"])]
