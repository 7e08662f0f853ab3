"""Where a record came from is a link that a browser opens at the page or the second."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.origins import Origins
from seshat.store import Store


@pytest.fixture
def origins(tmp_path: Path) -> Origins:
    store = Store(str(tmp_path))
    for name in ("scans/kene libro.pdf", "audio/relato.wav", "transcriptions/a.csv", "scans/hoja.png", "transcriptions/b<i>.csv"):
        store.write(f"data/raw/{name}", b"x")
    return Origins(store, "data/raw", "reports/index.html")


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("scans/kene libro.pdf#page=12", "../data/raw/scans/kene%20libro.pdf#page=12"),
        ("scans/kene libro.pdf#page=12&line=3", "../data/raw/scans/kene%20libro.pdf#page=12"),
        ("scans/hoja.png#page=1", "../data/raw/scans/hoja.png"),
        ("audio/relato.wav#second=1.20..3.40", "../data/raw/audio/relato.wav#t=1.20,3.40"),
        ("transcriptions/a.csv#line=3", "../data/raw/transcriptions/a.csv"),
        ("transcriptions/gone.csv#line=3", ""),
        ("test#line=3", ""),
        ("../../etc/passwd", ""),
        ("", ""),
    ],
)
def test_an_address_leads_to_the_page_or_the_second(origins: Origins, origin: str, address: str) -> None:
    assert origins.address(origin) == address


def test_both_sides_are_linked_and_nothing_in_a_name_is_markup(origins: Origins) -> None:
    made = origins.markup("transcriptions/b<i>.csv#line=1 | transcriptions/gone<b>.csv#line=1")
    assert made == (
        '<a class="origin" href="../data/raw/transcriptions/b%3Ci%3E.csv">transcriptions/b&lt;i&gt;.csv#line=1</a>'
        " | transcriptions/gone&lt;b&gt;.csv#line=1"
    )


def test_material_outside_the_workspace_is_linked_too(tmp_path: Path) -> None:
    raw = tmp_path / "elsewhere"
    raw.mkdir()
    (raw / "a.pdf").write_bytes(b"x")
    origins = Origins(Store(str(tmp_path / "workspace")), str(raw), "data/processed/rejected.html")
    assert origins.address("a.pdf#page=2") == "../../../elsewhere/a.pdf#page=2"


def test_of_an_object_store_nothing_is_linked() -> None:
    origins = Origins(Store("s3://bucket/shipibo"), "data/raw", "reports/index.html")
    assert origins.markup("a.pdf#page=2") == "a.pdf#page=2"
