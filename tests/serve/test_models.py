"""Which model is served, and to whom."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import types
from pathlib import Path

import pytest
from pydantic import ValidationError

from serve.app import build
from serve.backend import Models
from serve.models import check_calibrated, check_rights, check_withdrawn, find, load
from serve.voices import Made
from seshat.confidence import CALIBRATION, Calibration, Curve, card_key, pack
from seshat.errors import ConfigError, StoreError
from seshat.prompts import CARD, Card
from seshat.rights import Consent, Rights, Source
from seshat.serving import Serving
from seshat.store import Manifest, Store
from seshat.withdrawals import Withdrawal, Withdrawals, write_withdrawals
from tests.tiny_model import LANGUAGE, exported_workspace

OPEN, CLOSED = Source(consent=Consent(serve_public=True)), Source()


def make(root: Path, folder: str, *files: str, age: int = 0) -> None:
    """A model folder with its card and a manifest that is ``age`` seconds old."""
    store = Store(str(root))
    store.write(f"{folder}/{CARD}", Card(name=os.path.basename(folder), language=LANGUAGE, base="b").model_dump_json().encode())
    for file in files:
        store.write(f"{folder}/{file}", b"x")
    store.finish(folder, Manifest(stage="export-gguf", fingerprint="x"))
    os.utime(root / folder / "manifest.json", (1e9 - age, 1e9 - age))


def test_the_newest_model_is_served_from_its_best_file(tmp_path: Path) -> None:
    make(tmp_path, "models/gguf/old", "old-Q8_0.gguf", age=60)
    make(tmp_path, "models/gguf/new", "new-F16.gguf", "new-Q8_0.gguf", "new-Q4_K_M.gguf")
    make(tmp_path, "models/merged/new", "config.json")
    store = Store(str(tmp_path))
    assert find(Serving(), store).path == str(tmp_path / "models/gguf/new/new-Q8_0.gguf")
    assert find(Serving(engine="transformers"), store).path == str(tmp_path / "models/merged/new")
    (tmp_path / "models/gguf/new/new-Q8_0.gguf").unlink()
    assert find(Serving(), store).path == str(tmp_path / "models/gguf/new/new-F16.gguf")


def test_a_named_model_is_served(tmp_path: Path) -> None:
    make(tmp_path, "models/gguf/old", "old-Q8_0.gguf", age=60)
    make(tmp_path, "models/gguf/new", "new-Q8_0.gguf")
    found = find(Serving(model="models/gguf/old"), Store(str(tmp_path)))
    assert (found.path, found.card.name) == (str(tmp_path / "models/gguf/old/old-Q8_0.gguf"), "old")
    direct = find(Serving(model=str(tmp_path / "models/gguf/old/old-Q8_0.gguf"), engine="transformers"), Store(str(tmp_path)))
    assert (direct.engine, direct.path) == ("llamacpp", found.path)


@pytest.mark.parametrize("serving", [Serving(), Serving(engine="transformers"), Serving(model="models/none"), Serving(model="x.gguf")])
def test_no_model_names_the_verb_that_makes_one(tmp_path: Path, serving: Serving) -> None:
    with pytest.raises(StoreError, match=r"make (export-gguf|train)"):
        find(serving, Store(str(tmp_path)))


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("127.0.0.1", False),
        ("localhost", False),
        ("::1", False),
        ("127.9.9.9", False),
        ("0.0.0.0", True),
        ("10.1.2.3", True),
        ("box", True),
    ],
)
def test_only_loopback_is_private(host: str, public: bool) -> None:
    assert Serving(host=host).public is public


@pytest.mark.parametrize(
    ("sources", "message"),
    [({"scans": CLOSED, "dictionary": OPEN}, "the owners of scans have not allowed that"), ({}, "nobody says whose data it holds")],
)
def test_serving_to_others_needs_every_source(sources: dict[str, Source], message: str) -> None:
    card = Card(name="tiny", language=LANGUAGE, base="b", rights=Rights(sources=sources))
    check_rights(Serving(), card)
    with pytest.raises(ConfigError, match=message):
        check_rights(Serving(host="0.0.0.0"), card)
    check_rights(Serving(host="0.0.0.0"), card.model_copy(update={"rights": Rights(sources={"dictionary": OPEN})}))


@pytest.mark.parametrize("home", ["", "workspaces/mine"])
def test_a_model_is_not_served_when_a_source_of_its_workspace_was_withdrawn(tmp_path: Path, home: str) -> None:
    make(tmp_path / home, "models/gguf/m", "m-Q8_0.gguf")
    rights = Rights(sources={"scans": OPEN})
    card = Card(name="m", language=LANGUAGE, base="b", rights=rights)
    Store(str(tmp_path / home)).write(f"models/gguf/m/{CARD}", card.model_dump_json().encode())
    here, there = Store(str(tmp_path)), Store(str(tmp_path / home))
    served = find(Serving(), here)
    check_withdrawn(served, here)
    if home:
        write_withdrawals(here, Withdrawals(sources=(Withdrawal(source="scans"),)))
        check_withdrawn(served, here)  # another workspace's scans
    write_withdrawals(there, Withdrawals(sources=(Withdrawal(source="scans"),)))
    with pytest.raises(StoreError, match=r"m-Q8_0\.gguf learnt from what was withdrawn, scans"):
        check_withdrawn(served, here)
    with pytest.raises(StoreError, match="scans"):
        build(Serving(), here)


@pytest.mark.parametrize("engine", ["llamacpp", "transformers"])
def test_either_engine_translates_what_was_exported(engine: str) -> None:
    serving = Serving(engine=engine)  # type: ignore[arg-type]
    translator = load(find(serving, Store(str(exported_workspace()))), serving)
    made = translator.translate(["El perro corre. Yo bebo agua.", ""], "spa", "qtm")
    assert [one.text for one in made] == ["Allku pawa. Noka yaku upya.", ""]
    assert made[0].confidence > 0.9


def test_a_model_that_was_calibrated_says_what_to_expect_and_another_cannot_abstain(tmp_path: Path) -> None:
    place = tmp_path / "tiny"
    shutil.copytree(exported_workspace() / "models/merged/tiny", place)
    serving = Serving(engine="transformers", model=str(place), abstain_below=30)
    served = find(serving, Store(str(tmp_path)))
    with pytest.raises(ConfigError, match=r"serving\.abstain_below=30: .* has no calibration.*'make eval'"):
        check_calibrated(serving, served)
    curve = Curve(logprob=1.0, coverage=40.0, sums=(0.0, 40.0), expected=(0.0, 80.0), n=60)
    words = {"spa": pack(["el", "perro", "corre"])}
    made = Calibration(model="m", card=card_key(served.card), curves={"spa-qtm": curve}, words=words)
    (place / CALIBRATION).write_text(made.model_dump_json())
    check_calibrated(serving, served)
    good, other = load(served, serving).translate(["El perro corre.", "El perro zumba."], "spa", "qtm")
    assert good.expected == pytest.approx(80, abs=1)
    assert other.expected is not None
    assert other.expected < 60
    assert load(served, serving).translate(["Allku pawa."], "qtm", "spa")[0].expected is None


@pytest.mark.parametrize("wrong", [{"port": 0}, {"timeout": 0}, {"max_queued_requests": -1}, {"engine": "onnx"}, {"prot": 8000}])
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Serving.model_validate(wrong)


def test_vllm_is_given_the_merged_model_and_many_prompts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engines.test_vllm import AsyncStandIn

    library = types.ModuleType("vllm")
    library.sampling_params = types.SimpleNamespace(RequestOutputKind=types.SimpleNamespace(FINAL_ONLY="final only"))  # type: ignore[attr-defined]
    library.AsyncLLMEngine, library.AsyncEngineArgs, library.SamplingParams = AsyncStandIn, dict, dict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", library)
    serving = Serving(engine="vllm")
    served = find(serving, Store(str(exported_workspace())))
    assert served.path.endswith("models/merged/tiny")
    models = Models(serving)

    async def run() -> Made:
        await models.serve([served])
        return await models.translate(["El perro corre.", "La abuela teje.", "Yo bebo agua."], "spa", "qtm", "tiny")

    made = asyncio.run(run())
    assert AsyncStandIn.made["model"] == served.path
    assert AsyncStandIn.made["max_model_len"] == 512
    assert all("El perro corre." in made.translations[0].text for _ in made.translations), "the stand-in repeats its prompt"
    assert (len(AsyncStandIn.last.calls), AsyncStandIn.last.most) == (4, 3), "warm, then all of them together"
