"""The help of a verb at once: its page in ``jobs`` is read and not run, because what it imports takes seconds to load."""

from __future__ import annotations

import argparse
import ast
from pathlib import Path

from seshat.command import parser
from seshat.plain import parser as plain_parser

JOBS = Path(__file__).resolve().parents[1] / "jobs"
ARGUMENTS = "ARGUMENTS"
"""How a page calls the arguments of its verb."""


def parser_of(module: str) -> argparse.ArgumentParser | None:
    """The parser that a module of ``jobs`` would make; None for one that makes it in a way of its own, which is then to be run."""
    tree = ast.parse((JOBS / f"{module}.py").read_text(encoding="utf-8"))
    doc = ast.get_docstring(tree, clean=False)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        made_by = ast.unparse(call.func)
        if made_by in ("main", "plain.run") and [ast.unparse(one) for one in call.args[1:]] == ["__doc__"]:
            if made_by == "plain.run":
                return plain_parser(doc)
            given = {one.arg: one.value for one in call.keywords}
            section, previews = (ast.literal_eval(given[name]) if name in given else "" for name in ("section", "previews"))
            return parser(doc, section, _arguments(tree) if "arguments" in given else None, bool(previews))
    return None


def _arguments(tree: ast.Module) -> argparse.ArgumentParser:
    """What the lines make that are about arguments; nothing else is run."""
    lines = [node for node in tree.body if any(isinstance(one, ast.Name) and one.id == ARGUMENTS for one in ast.walk(node))]
    about: list[ast.stmt] = [node for node in lines if isinstance(node, ast.Assign | ast.Expr)]
    names: dict[str, object] = {"argparse": argparse}
    exec(compile(ast.Module(about, []), "<arguments>", "exec"), names)
    made = names[ARGUMENTS]
    assert isinstance(made, argparse.ArgumentParser)
    return made
