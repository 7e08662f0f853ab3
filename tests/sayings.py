"""Everything that Seshat says to people, as it stands in the code: with {0}, {1}, ... for what is put into it.

python -m tests.sayings LANGUAGE      what the catalogue of a language lacks, as JSON to be filled in
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from seshat.command import described
from seshat.verbs import VERBS

ROOT = Path(__file__).resolve().parents[1]
WHOLE = (
    "seshat/cluster/checkup.py",
    "seshat/config.py",
    "seshat/data/survey.py",
    "seshat/doctor.py",
    "seshat/engines/threads.py",
    "seshat/preview.py",
    "seshat/progress.py",
    "seshat/project.py",
    "seshat/status.py",
    "seshat/step.py",
    "seshat/summary.py",
    "seshat/training/hardware.py",
)
"""Files in which every sentence is said to somebody; elsewhere it is what is raised, logged, printed, returned or kept, or what helps with
an argument."""
SAYS = {"say", "spoken", "print", "log.info", "log.warning", "log.error"}
NOT_OURS = (
    "serve",
    "jobs/sample.py",
    "jobs/schema.py",
    "seshat/completion.py",
    "seshat/data/readers/elan.py",
    "seshat/data/readers/toolbox.py",
    "seshat/evaluation/advice.py",
    "seshat/evaluation/charts.py",
    "seshat/evaluation/score_view.py",
    "seshat/export/ollama.py",
    "seshat/export/package.py",
    "seshat/export/vocabulary.py",
    "seshat/prompts.py",
    "seshat/review",
    "seshat/sample",
    "seshat/schema.py",
    "seshat/training/rehearsal.py",
    "seshat/training/small.py",
    "seshat/training/vocabulary.py",
)
"""Where a text that is returned or kept is none for the terminal: the report, the sheets and cards, which have their own languages,
formats, patterns, and the sample language. What is raised there is said like all else."""
COMMANDS = re.compile(r"(make|docker|sudo|import) ")
WORDS = {"COMMON"}
"""Lists of words, by which languages are told apart."""
SHORT = (
    "done",
    "stale",
    "waits",
    "failed",
    "a pipeline",
    "next: {0}",
    "{0} left",
    "rejected: {0}",
    "{0} rejected",
    "written: {0}",
    "{0} of {1}{2}, {3}/s, {4}",
)
"""Messages of one word, which the code is not searched for."""
LIBRARIES = (
    "usage:",
    "options",
    "positional arguments",
    "examples:",
    "show this help message and exit",
    "unrecognized arguments: {0}",
    "the following arguments are required: {0}",
    "argument {0}: {1}",
    "expected one argument",
    "invalid choice: {0} (choose from {1})",
    "invalid int value: {0}",
    "input should be a valid integer",
    "input should be a valid number",
    "input should be a valid string",
    "input should be a valid boolean, unable to interpret input",
    "input should be {0}",
    "input should be greater than {0}",
    "input should be greater than or equal to {0}",
    "input should be less than or equal to {0}",
    "No such file or directory",
    "Permission denied",
    "No space left on device",
    "Is a directory",
)
"""What argparse, pydantic and the system say in our sentences."""


def sayings() -> dict[str, str]:
    """Every message, with the file that has it."""
    found = dict.fromkeys((*LIBRARIES, *SHORT), "tests/sayings.py")
    found |= {line: "seshat/verbs.py" for _, line in VERBS.values()}
    for module, _ in VERBS.values():
        if doc := importlib.import_module(f"jobs.{module}").__doc__:
            found.setdefault(described(doc)["description"], f"jobs/{module}.py")
    for path in sorted([*ROOT.glob("seshat/**/*.py"), *ROOT.glob("jobs/*.py"), *ROOT.glob("serve/*.py")]):
        name = str(path.relative_to(ROOT))
        for text in _said(ast.parse(path.read_text(encoding="utf-8")), name):
            found.setdefault(text, name)
    return found


def _said(tree: ast.Module, name: str) -> Iterator[str]:
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    docs |= {id(one) for node in ast.walk(tree) if _is_list_of_words(node) for one in ast.walk(node)}
    for node in ast.walk(tree):
        if _says(node, name) or (not name.startswith(NOT_OURS) and _gives(node)):
            yield from _texts(node.value if isinstance(node, ast.Return | ast.Assign | ast.AnnAssign) else node, docs)  # type: ignore[arg-type]
    if name in WHOLE:
        yield from _texts(tree, docs)


def _is_list_of_words(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(one, ast.Name) and one.id in WORDS for one in targets)


def _gives(node: ast.AST) -> bool:
    """A text is returned or kept, which somebody else will say."""
    kinds = ast.Constant | ast.JoinedStr | ast.IfExp | ast.BinOp | ast.BoolOp | ast.Dict
    return isinstance(node, ast.Return | ast.Assign | ast.AnnAssign) and isinstance(node.value, kinds)


def _says(node: ast.AST, file: str) -> bool:
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        name = ast.unparse(node.exc.func)
        return name.endswith("Error") and not (file.startswith("serve/") and name == "RefusedError")
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in SAYS
    return isinstance(node, ast.keyword) and node.arg == "help"


def _texts(tree: ast.AST, docs: set[int]) -> Iterator[str]:
    """The texts below a node that are sentences or parts of one, those that are put into others among them."""
    pieces = {id(one) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for one in node.values}
    for node in ast.walk(tree):
        if id(node) in docs or (id(node) in pieces and isinstance(node, ast.Constant)):
            continue
        if isinstance(node, ast.JoinedStr):
            yield from _sentence(_template(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _sentence(_numbered(re.sub(r"%[-\d.,]*[sdrfg]", "{}", node.value.replace("%%", "%"))))


def _template(node: ast.JoinedStr) -> str:
    return _numbered("".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values))


def _numbered(text: str) -> str:
    number = iter(range(1000))
    return re.sub(r"\{\}", lambda _: f"{{{next(number)}}}", text)


def _sentence(text: str) -> Iterator[str]:
    """The text, if it is one for people: a name or a pattern is not."""
    text = text.strip()
    if (
        "<" not in text
        and "\\p{" not in text
        and not COMMANDS.match(text)
        and len(re.findall(r"[a-zA-Z]{2,}", re.sub(r"\{\d+\}", "", text))) >= 2
        and " " in text
    ):
        yield text


def main() -> None:
    """Print what a catalogue lacks."""
    from seshat.messages import FOLDER

    path = FOLDER / f"{sys.argv[1]}.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    print(json.dumps({text: "" for text in sayings() if text not in known}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
