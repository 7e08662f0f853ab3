"""What the owners of a source allow, and the strictest of several."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from seshat.errors import ConfigError
from seshat.rights import Consent, Rights, Source, Use, is_correction, joined, owners, read_rights, read_source

OPEN = Source(consent=Consent(publish_text=True, publish_model=True, serve_public=True, commercial=True))
RIGHTS = Rights(sources={"open": OPEN, "closed": Source(consent=Consent(train=False)), "plain": Source()})


def write(raw: Path, **files: str) -> str:
    """Raw folders, with a file of material in each and perhaps a rights record."""
    for name, source in files.items():
        folder = raw / name.replace("__", "/")
        folder.mkdir(parents=True)
        (folder / "words.csv").write_text("a,b\n")
        if source:
            (folder / "SOURCE.yaml").write_text(source)
    return str(raw)


@pytest.mark.parametrize(
    ("use", "names"),
    [
        ("train", ["closed"]),
        ("publish_text", ["closed", "plain"]),
        ("serve_public", ["closed", "plain"]),
        ("publish_model", ["closed", "plain"]),
        ("commercial", ["closed", "plain"]),
    ],
)
def test_who_forbids_a_use_is_named(use: Use, names: list[str]) -> None:
    assert RIGHTS.forbidding(use) == names


def test_a_collection_without_a_record_may_be_trained_on_here_and_nothing_else() -> None:
    rights = RIGHTS.only(["open", "unheard of"])
    assert (rights.forbidding("train"), rights.forbidding("publish_model")) == ([], ["unheard of"])


@pytest.mark.parametrize("use", ["publish_text", "publish_model", "serve_public", "commercial"])
def test_a_use_is_refused_with_the_names_of_those_who_keep_it(use: Use) -> None:
    assert RIGHTS.refusal(use) == "the owners of closed, plain have not allowed that"
    assert RIGHTS.only(["open"]).refusal(use) == ""
    assert Rights().refusal(use) == "nobody says whose data it holds"


def test_a_pair_of_two_collections_is_under_the_rights_of_both() -> None:
    both = joined("open", "closed", "open")
    assert (both, owners(both)) == ("open | closed", ["open", "closed"])
    assert joined("scans | corrections", "scans") == "scans | corrections"
    assert is_correction("corrections/2026")
    assert not is_correction("scans | corrections"), "a scan on which somebody corrected a line is no answer of ours"
    assert RIGHTS.only([both]).forbidding("train") == ["closed"]
    assert RIGHTS.only([both]).sources.keys() == {"open", "closed"}


def test_a_record_is_read_from_its_folder(tmp_path: Path) -> None:
    raw = write(tmp_path, dictionary="title: Words\nsteward: Bakish Mai\nconsent: {serve_public: true}", scans="")
    assert read_source(f"{raw}/dictionary") == Source(title="Words", steward="Bakish Mai", consent=Consent(serve_public=True))
    assert read_source(f"{raw}/scans") is None


def test_rights_are_of_folders_at_any_depth(tmp_path: Path) -> None:
    raw = write(tmp_path, dictionary="title: Words", translations__laws="title: Laws")
    assert {name: source.title for name, source in read_rights(raw).sources.items()} == {"dictionary": "Words", "translations/laws": "Laws"}


def test_a_top_folder_without_a_record_is_warned_about_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    raw = write(tmp_path, dictionary="title: Words", dictionary__old="", translations__spa="", translations__qtm="")
    with caplog.at_level(logging.WARNING):
        read_rights(raw)
    assert [message.partition(": no SOURCE.yaml")[0] for message in caplog.messages] == [f"{raw}/translations"]


def test_a_mistake_in_a_record_names_its_file(tmp_path: Path) -> None:
    raw = write(tmp_path, dictionary="consent: {publish: true}")
    with pytest.raises(ConfigError, match=r"dictionary/SOURCE.yaml: consent.publish: unknown key; did you mean 'publish_(text|model)'"):
        read_rights(raw)
