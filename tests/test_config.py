"""Settings from YAML and the command line: what people write, and what they are told when it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

from seshat.config import PathSetting, Section, TableFile, flat, load, to_yaml, top_keys
from seshat.errors import ConfigError


class Lora(Section):
    r: int = 8
    alpha: float = 16.0


class Train(Section):
    learning_rate: float = 2e-4
    precision: str = "lora"
    lora: Lora = Lora()
    weights: dict[str, float] = {}
    files: tuple[PathSetting, ...] = ()


class Study(Section):
    root: PathSetting = "."
    name: str
    train: Train = Train()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a user."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, **files: str) -> Path:
    """YAML files by name; the path of the first, as a user would type it."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Path(f"{next(iter(files)).replace('__', '/')}.yaml")


def message(folder: Path, overrides: tuple[str, ...] = (), **files: str) -> str:
    """What a user is told about files that are wrong."""
    path = write(folder, **files)
    with pytest.raises(ConfigError) as caught:
        load(Study, path, overrides)
    return str(caught.value)


# What is wrong is said with its file, its key and a cure


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("name: a\ntrain: {lerning_rate: 1}", "study.yaml: train.lerning_rate: unknown key; did you mean 'learning_rate'?"),
        ("name: a\ntrain: {lora: {rank: 1}}", "study.yaml: train.lora.rank: unknown key; known here: alpha, r"),
        ("train: {}", "study.yaml: name: is missing; this key must be set"),
        ("name: a\ntrain: {learning_rate: fast}", "study.yaml: train.learning_rate: input should be a valid number"),
        ("name: a\ntrain: {weights: {x: heavy}}", "study.yaml: train.weights.x: input should be a valid number"),
        ("name: a\ntrain: 3", "study.yaml: train: input should be a valid dictionary"),
        ("name: a\nname: b", "study.yaml:2: not valid YAML: found duplicate key"),
        ("name: [a", "study.yaml:1: not valid YAML"),
        ("- name", "study.yaml: must hold keys with values, not a list"),
        ("inherit: [a, b]", "study.yaml: inherit: must be the name of one YAML file beside this one"),
        ("inherit: gone.yaml", "study.yaml: inherit: gone.yaml: cannot be read"),
        ("inherit: study.yaml\nname: a", "study.yaml: inherit: study.yaml inherits from this file in its turn"),
        ("name: a\ntrain: gone.yaml", "study.yaml: train: no file 'gone.yaml', neither beside study.yaml nor in"),
    ],
)
def test_a_mistake_names_its_file_its_key_and_the_cure(folder: Path, yaml: str, said: str) -> None:
    assert message(folder, study=yaml).startswith(said)


def test_all_mistakes_of_a_file_are_shown_at_once(folder: Path) -> None:
    lines = message(folder, study="nmae: a\ntrain: {learning_rate: fast, lora: {r: many}}").split("\n")
    assert [line.split(": ")[1] for line in lines] == ["name", "train.learning_rate", "train.lora.r", "nmae"]


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"study": "inherit: base.yaml", "base": "name: a\ntrain: {lora: {r: x}}"}, "base.yaml"),
        ({"study": "name: a\ntrain: qlora.yaml", "qlora": "lora: {r: x}"}, "qlora.yaml"),
        ({"study": "name: a\ntrain: qlora.yaml", "qlora": "inherit: base.yaml", "base": "lora: {r: x}"}, "base.yaml"),
        ({"study": "inherit: base.yaml\ntrain: {lora: {r: x}}", "base": "name: a\ntrain: {lora: {r: 1}}"}, "study.yaml"),
        ({"study": "name: a\ntrain: new.yaml", "new": "lora: {alpha: x}"}, "new.yaml"),
    ],
)
def test_a_mistake_names_the_file_that_holds_it(folder: Path, files: dict[str, str], named: str) -> None:
    assert message(folder, **files).startswith(f"{named}: train.lora.")


def test_a_key_that_a_section_lacks_is_looked_for_in_the_section_s_own_file(folder: Path) -> None:
    class Outer(Section):
        study: Study

    write(folder, outer="study: study.yaml", study="train: {}")
    with pytest.raises(ConfigError, match=r"^study\.yaml: study\.name: is missing"):
        load(Outer, "outer.yaml")


def test_a_mistake_on_the_command_line_says_so(folder: Path) -> None:
    said = message(folder, ("train.lora.r=many", "train.larning_rate=1"), study="name: a")
    assert "command line: train.lora.r: input should be a valid integer" in said
    assert "command line: train.larning_rate: unknown key; did you mean 'learning_rate'?" in said


@pytest.mark.parametrize("override", ["train.lora.r", "=3", "train.lora.r: 3"])
def test_an_override_without_key_and_value_is_refused(folder: Path, override: str) -> None:
    assert "is not key=value" in message(folder, (override,), study="name: a")


# What is right


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("train.learning_rate=1e-4", 1e-4),
        ("train.learning_rate=2", 2.0),
        ("train.precision=no", "no"),
        ("train.precision=on", "on"),
        ("train.precision='1e-4'", "1e-4"),
        ("train.precision=a=b", "a=b"),
        ("train.lora.r=64", 64),
        ("train.weights={a: 1, b: 2}", {"a": 1.0, "b": 2.0}),
    ],
)
def test_a_value_of_the_command_line_is_what_it_looks_like(folder: Path, override: str, value: object) -> None:
    settings = load(Study, write(folder, study="name: a"), [override])
    here: object = settings
    for part in override.partition("=")[0].split("."):
        here = getattr(here, part)
    assert here == value


def test_yaml_is_version_1_2(folder: Path) -> None:
    settings = load(Study, write(folder, study="name: no\ntrain: {learning_rate: 1e-4, precision: off}"))
    assert (settings.name, settings.train.learning_rate, settings.train.precision) == ("no", 1e-4, "off")


def test_a_child_wins_key_by_key_over_its_parent(folder: Path) -> None:
    path = write(
        folder,
        study="inherit: base.yaml\ntrain: {lora: {r: 64}, weights: {b: 3}}",
        base="inherit: first.yaml\ntrain: {lora: {alpha: 4}}",
        first="name: first\ntrain: {lora: {r: 1, alpha: 1}, weights: {a: 1, b: 2}}",
    )
    assert load(Study, path).train == Train(lora=Lora(r=64, alpha=4), weights={"a": 1, "b": 3})


def test_an_override_wins_and_leaves_what_is_beside_it(folder: Path) -> None:
    path = write(folder, study="name: a\ntrain: {lora: {r: 64, alpha: 3}}")
    assert load(Study, path, ["train.lora.r=2"]).train.lora == Lora(r=2, alpha=3)


@pytest.mark.parametrize(
    ("files", "overrides"),
    [
        ({"conf__study": "name: a\ntrain: qlora.yaml", "conf__qlora": "precision: beside"}, ()),
        ({"conf__study": "name: a\ntrain: other/qlora.yaml", "other__qlora": "precision: beside"}, ()),
        ({"conf__study": "name: a\ntrain: qlora.yaml", "conf__qlora": "precision: beside", "qlora": "precision: here"}, ()),
        ({"conf__study": "name: a\ntrain: {learning_rate: 9}", "other__qlora": "precision: beside"}, ("train=other/qlora.yaml",)),
    ],
    ids=["beside the file", "from the working directory", "beside the file first", "on the command line"],
)
def test_a_section_may_be_the_path_of_a_file(folder: Path, files: dict[str, str], overrides: tuple[str, ...]) -> None:
    assert load(Study, write(folder, **files), overrides).train == Train(precision="beside")


def test_a_path_in_yaml_stays_relative_and_a_typed_one_is_relative_to_the_user(folder: Path) -> None:
    path = write(folder, study="name: a\nroot: workspaces/a\ntrain: {files: [dev.txt]}")
    written = load(Study, path)
    typed = load(Study, path, ["root=workspaces/b", "train.files=[a.txt, /b.txt, s3://bucket/c.txt]"])
    assert (written.root, written.train.files) == ("workspaces/a", ("dev.txt",))
    assert typed.root == str(folder / "workspaces/b")
    assert typed.train.files == (str(folder / "a.txt"), "/b.txt", "s3://bucket/c.txt")


def test_an_empty_path_stays_empty(folder: Path) -> None:
    assert load(Study, write(folder, study="name: a"), ['root=""']).root == ""


def test_a_file_may_say_nothing(folder: Path) -> None:
    assert load(Train, write(folder, train="# all as it is\n")) == Train()


def test_the_effective_configuration_reads_back(folder: Path) -> None:
    settings = load(Study, write(folder, study="name: ʼja\ntrain: {weights: {a: 1e-9}}"), ["root=here", "train.precision=no"])
    assert load(Study, write(folder, saved=to_yaml(settings))) == settings


def test_settings_cannot_be_changed(folder: Path) -> None:
    settings = load(Study, write(folder, study="name: a"))
    with pytest.raises(ValueError, match="frozen"):
        settings.name = "b"  # type: ignore[misc]


def test_top_keys_are_those_of_a_file_and_its_parents(folder: Path) -> None:
    path = write(folder, study="inherit: base.yaml\ntrain: qlora.yaml", base="name: a")
    assert top_keys(path) == {"train", "name"}


# The configuration that comes with the project


CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def shipped() -> list[Path]:
    """Every YAML file of the project."""
    return sorted(CONFIGS.rglob("*.yaml"))


def test_there_are_configuration_files_of_every_kind() -> None:
    folders = {path.parent.relative_to(CONFIGS).as_posix() for path in shipped()}
    assert folders == {".", "data", "languages", "speech", "training", "tuning", "evaluation", "review", "serving"}


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.relative_to(CONFIGS).as_posix())
def test_every_configuration_file_loads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seshat.evaluation.settings import Evaluation
    from seshat.language import Language
    from seshat.review.settings import Review
    from seshat.settings import Serving, Settings
    from seshat.training.settings import Training, Tuning
    from seshat.training.speech_settings import SpeechTraining

    kinds: dict[str, type[Section]] = {
        "languages": Language,
        "speech": SpeechTraining,
        "training": Training,
        "tuning": Tuning,
        "evaluation": Evaluation,
        "review": Review,
        "serving": Serving,
        "data": Settings,
        "configs": Settings,
    }
    monkeypatch.chdir(CONFIGS.parent)
    assert load(kinds[path.parent.name], path.relative_to(CONFIGS.parent))


class Lists(Section):
    """A section with several paths."""

    files: tuple[PathSetting, ...] = ()


def test_paths_in_a_typed_list_are_relative_to_where_the_user_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(Lists, None, ["files=[a.txt, /b.txt]"]).files == (str(tmp_path / "a.txt"), "/b.txt")


# Lists in a table of their own


class Rule(Section):
    pattern: str
    weight: float
    note: str = ""


class Rules(Section):
    rules: Annotated[tuple[Rule, ...], TableFile(("pattern", "weight", "note"), required=2)] = ()


class Sheet(Section):
    spelling: Rules = Rules()


def tabled(folder: Path, table: str, yaml: str = "rules: old.tsv") -> tuple[Rule, ...]:
    """The rules of a table in a folder of its own, named by a section's own file."""
    write(folder, sheet="spelling: parts/rules.yaml", parts__rules=yaml)
    (folder / "parts" / "old.tsv").write_bytes(table.encode())
    return load(Sheet, "sheet.yaml").spelling.rules


def test_a_list_may_be_a_tsv_file_beside_its_yaml(folder: Path) -> None:
    table = "\ufeff# old\tnew\n\nqu(?=e)\t1\r\n h \t2\tat the end # really\r\n"
    assert tabled(folder, table) == (Rule(pattern="qu(?=e)", weight=1), Rule(pattern=" h ", weight=2, note="at the end # really"))


def test_a_table_replaces_a_list_and_a_list_a_table(folder: Path) -> None:
    one, other = Rule(pattern="a", weight=1), Rule(pattern="b", weight=2)
    (folder / "one.tsv").write_text("a\t1\n")
    write(folder, child="inherit: parent.yaml\nrules: one.tsv", parent="rules: [{pattern: b, weight: x}]")
    assert load(Rules, "child.yaml").rules == (one,)
    assert load(Rules, "child.yaml", ["rules=[{pattern: b, weight: 2}]"]).rules == (other,)
    assert load(Sheet, None, ["spelling.rules=one.tsv"]).spelling.rules == (one,)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("a\t1\n\nb\tmuch\n", "parts/old.tsv:3: spelling.rules.1.weight: input should be a valid number"),
        ("a\t1\nb\n", "parts/old.tsv:2: has 1 columns instead of 2 to 3; write pattern TAB weight TAB note"),
        ("a\t1\t\t\n", "parts/old.tsv:1: has 4 columns instead of 2 to 3"),
    ],
)
def test_a_mistake_in_a_table_names_its_line(folder: Path, table: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tabled(folder, table)
    assert str(caught.value).startswith(said)


def test_a_table_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"^parts/rules\.yaml: spelling\.rules: no file 'gone\.tsv', neither beside parts/rules\.yaml"):
        tabled(folder, "", "rules: gone.tsv")


def test_a_table_in_another_encoding_is_refused(folder: Path) -> None:
    (folder / "old.tsv").write_bytes("é\t1".encode("cp1252"))
    write(folder, rules="rules: old.tsv")
    with pytest.raises(ConfigError, match=r"^old\.tsv: cannot be read .* UTF-8"):
        load(Rules, "rules.yaml")


def test_settings_are_laid_flat_as_they_are_typed_on_the_command_line() -> None:
    text = "a: 1\nb: {c: text, d: [1, x], e: {f: null, g: true}, h: {}}\n"
    assert flat(text, "file") == {"a": "1", "b.c": "text", "b.d": '[1, "x"]', "b.e.f": "null", "b.e.g": "true", "b.h": "{}"}
    assert flat("", "file") == {}
    assert flat(to_yaml(Train()), "train") == {
        "learning_rate": "0.0002",
        "precision": "lora",
        "lora.r": "8",
        "lora.alpha": "16.0",
        "weights": "{}",
        "files": "[]",
    }
    with pytest.raises(ConfigError, match="file:1: not valid YAML"):
        flat("a: [", "file")
