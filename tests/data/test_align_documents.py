"""Aligning plain files: the link format, one lexicon for all, and errors that name the line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.align_documents import main
from seshat.sample.grammar import Grammar


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A LIST of two documents of forty sentences, in the second of which the twenty-first and the next are merged."""
    sentences = Grammar(seed=1).sentences(80)
    lines = []
    for name, part in (("a", sentences[:40]), ("b", sentences[40:])):
        source, target = [one.text for one in part], [one.translation for one in part]
        if name == "b":
            target[20:22] = [" ".join(target[20:22])]
        (tmp_path / f"{name}.src").write_text("\n".join(source) + "\n", encoding="utf-8")
        (tmp_path / f"{name}.tgt").write_text("\n".join(target) + "\n", encoding="utf-8")
        lines.append(f"{tmp_path}/{name}.src\t{tmp_path}/{name}.tgt\t{tmp_path}/out/{name}.links\n")
    (tmp_path / "list.tsv").write_text("".join(lines))
    return tmp_path / "list.tsv"


def test_links_are_written_as_the_benchmarks_read_them(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(listed)]) == 0
    assert capsys.readouterr().out.startswith("align_documents: 2 documents, 159 sentences, ")
    links = [line.split(":") for line in (listed.parent / "out" / "b.links").read_text().splitlines()]
    assert ["[20, 21]", "[20]"] in [link[:2] for link in links]
    assert all(0 <= float(score) <= 1 for _, _, score in links)


def test_a_dictionary_helps_and_the_same_input_gives_the_same_bytes(listed: Path) -> None:
    dictionary = listed.parent / "dictionary.tsv"
    dictionary.write_text("".join(f"{one.root}\t{one.lemma}\n" for one in Grammar(seed=1).lexicon.concepts()), encoding="utf-8")
    seen = []
    for _ in range(2):
        assert main([str(listed), "--dictionary", str(dictionary)]) == 0
        seen.append((listed.parent / "out" / "a.links").read_bytes())
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.src\ta.tgt\n", r"list\.tsv, line 1: 2 columns where 3 should be"),
        ("\n", r"list\.tsv holds no lines; write 3 columns"),
        ("nowhere.src\tnowhere.tgt\tout\n", r"nowhere\.src cannot be opened \(No such file or directory\)"),
    ],
)
def test_a_bad_list_is_refused_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    (tmp_path / "list.tsv").write_text(text)
    assert main([str(tmp_path / "list.tsv")]) == 1
    printed = capsys.readouterr().err
    assert re.search(message, printed), printed


def test_text_that_is_not_utf_8_is_refused(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (listed.parent / "a.src").write_bytes("Ñandu.\n".encode("latin-1"))
    assert main([str(listed)]) == 1
    assert "a.src is not text in UTF-8" in capsys.readouterr().err
