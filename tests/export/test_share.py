"""A model goes to somebody else in one file, and nothing on the way goes unnoticed."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from pathlib import Path

import pytest

from seshat.confidence import Calibration
from seshat.errors import ConfigError, EngineError, StoreError
from seshat.export.share import apply, pack, unpacked
from seshat.prompts import CARD, Card
from seshat.rights import Consent, Rights, Source
from seshat.store import Store
from tests.export.conftest import Tiny
from tests.tiny_model import make_workspace

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def sender(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A workspace whose owners allow that the model is given away."""
    root = tmp_path_factory.mktemp("sender")
    make_workspace(root, steps=4)
    allow(Store(str(root)), publish_model=True)
    return Store(str(root))


def allow(store: Store, **consent: bool) -> None:
    """Note in the card, as training does, what the owners allow; its manifest then vouches for it."""
    from seshat.training.adapter import finish

    manifest = store.manifest("models/adapters/tiny")
    assert manifest is not None
    path = Path(store.path("models/adapters/tiny")) / CARD
    card = Card.model_validate_json(path.read_text())
    rights = Rights(sources={"dictionary": Source(title="Words", licence="CC-BY-4.0", consent=Consent(**consent))})
    path.write_text(card.model_copy(update={"rights": rights, "base": "models/base/tiny"}).model_dump_json())
    finish(store, "models/adapters/tiny", manifest)


def repacked(path: str, to: Path, **changes: bytes | None) -> str:
    """The package with other files in it, and sums that fit, as an attacker would write it."""
    contents = unpacked(path)
    for name, data in changes.items():
        name = {"card": CARD, "weights": "adapter_model.safetensors", "readme": "README.md"}[name]
        contents = {file: old for file, old in contents.items() if file != name} | ({name: data} if data is not None else {})
    del contents["SHA256SUMS"]
    contents["SHA256SUMS"] = "".join(f"{hashlib.sha256(data).hexdigest()}  {file}\n" for file, data in contents.items()).encode()
    with tarfile.open(to, "w") as archive:
        for file, data in contents.items():
            entry = tarfile.TarInfo(f"tiny/{file}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return str(to)


def test_a_receiver_has_the_same_adapter_and_finds_the_base(sender: Store, tmp_path: Path) -> None:
    path = pack(sender, "tiny")
    first = Path(path).read_bytes()
    assert pack(sender, "tiny") == path
    assert Path(path).read_bytes() == first, "the same files make the same package"
    contents = unpacked(path)
    assert {"adapter_model.safetensors", "adapter_config.json", CARD, "README.md", "LICENCE.txt", "tokenizer.json"} <= contents.keys()
    assert "Words: CC-BY-4.0" in contents["LICENCE.txt"].decode()
    assert "PeftModel.from_pretrained" in contents["README.md"].decode()
    receiver = Store(str(tmp_path / "receiver"))
    base = sender.path("models/base/tiny")
    assert apply(receiver, path, base) == "tiny"
    assert receiver.read("models/adapters/tiny/adapter_model.safetensors") == sender.read("models/adapters/tiny/adapter_model.safetensors")
    assert apply(receiver, path) == "tiny", "the base is there now"


def test_what_peft_needs_is_in_the_unpacked_folder(sender: Store, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with tarfile.open(pack(sender, "tiny")) as archive:
        archive.extractall(tmp_path, filter="data")
    base = AutoModelForCausalLM.from_pretrained(sender.path("models/base/tiny"))
    PeftModel.from_pretrained(base, str(tmp_path / "tiny"))
    assert AutoTokenizer.from_pretrained(str(tmp_path / "tiny")).chat_template


def test_without_the_base_it_says_what_to_do(sender: Store, tmp_path: Path) -> None:
    path = pack(sender, "tiny")
    with pytest.raises(StoreError, match="run 'seshat apply FILE --base FOLDER'"):
        apply(Store(str(tmp_path / "receiver")), path)
    other = tmp_path / "other"
    shutil.copytree(sender.path("models/base/tiny"), other)
    weights = other / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(EngineError, match="is not the model that 'tiny' was trained on"):
        apply(Store(str(tmp_path / "receiver")), path, str(other))


def test_a_damaged_or_changed_package_is_refused(sender: Store, tmp_path: Path) -> None:
    path = pack(sender, "tiny")
    data = bytearray(Path(path).read_bytes())
    data[len(data) // 2] ^= 1
    damaged = tmp_path / "damaged.seshat.tar"
    damaged.write_bytes(data)
    with pytest.raises(StoreError, match="is damaged or was changed"):
        apply(Store(str(tmp_path)), str(damaged))
    damaged.write_bytes(Path(path).read_bytes()[:5_000])
    with pytest.raises(StoreError):
        apply(Store(str(tmp_path)), str(damaged))
    with pytest.raises(StoreError, match="is not there: give the file"):
        apply(Store(str(tmp_path)), str(tmp_path / "nothing"))
    with pytest.raises(StoreError, match=r"is not what manifest\.json says"):
        apply(Store(str(tmp_path)), repacked(path, tmp_path / "x.tar", weights=b"other"))
    with pytest.raises(StoreError, match="is none of ours"):
        apply(Store(str(tmp_path)), repacked(path, tmp_path / "y.tar", card=b"{}"))


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/b/c", "tiny"])
def test_a_member_that_would_lie_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo(name)
        entry.type = tarfile.SYMTYPE if name == "tiny" else tarfile.REGTYPE
        entry.linkname = "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(StoreError):
        apply(Store(str(tmp_path)), str(path))
    assert not (tmp_path.parent / "evil").exists()


def test_another_adapter_of_that_name_is_not_replaced(sender: Store, tmp_path: Path) -> None:
    receiver = Store(str(tmp_path / "receiver"))
    receiver.write("models/adapters/tiny/manifest.json", b"{}")
    with pytest.raises(StoreError, match="is there and is another adapter"):
        apply(receiver, pack(sender, "tiny"))


def test_what_owners_keep_is_not_packaged(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    make_workspace(tmp_path, steps=4)
    allow(store, publish_model=False)
    with pytest.raises(ConfigError, match="the owners of dictionary have not allowed that"):
        pack(store, "tiny")


def test_a_package_that_should_not_have_been_sent_is_not_taken_in(sender: Store, tmp_path: Path) -> None:
    card = Card.model_validate_json(unpacked(pack(sender, "tiny"))[CARD])
    closed = card.model_copy(update={"rights": Rights(sources={"dictionary": Source()})})
    path = repacked(pack(sender, "tiny"), tmp_path / "x.tar", card=closed.model_dump_json().encode())
    with pytest.raises(ConfigError, match="have not allowed that"):
        apply(Store(str(tmp_path)), path)


def test_what_lies_beside_the_same_adapter_stays(sender: Store) -> None:
    sender.write("models/adapters/tiny/checkpoints/step-3/weights", b"x")
    assert apply(sender, pack(sender, "tiny")) == "tiny"
    assert sender.read("models/adapters/tiny/checkpoints/step-3/weights") == b"x"


def test_confidence_that_was_measured_on_these_weights_goes_along(sender: Store) -> None:
    of = {"card": "c", "curves": {}, "words": {}}
    place = "models/adapters/tiny/calibration.json"
    sender.write(place, Calibration(model="0" * 64, **of).model_dump_json().encode())
    assert "calibration.json" not in unpacked(pack(sender, "tiny"))
    manifest = sender.vouch("models/adapters/tiny/manifest.json").sha256
    sender.write(place, Calibration(model=manifest, **of).model_dump_json().encode())
    assert "calibration.json" in unpacked(pack(sender, "tiny"))
    sender.remove(place)
