"""Which model is served: the newest one, or the one that the settings name, loaded with its engine."""

from __future__ import annotations

import glob
import os

from seshat.confidence import CALIBRATION, read_calibration
from seshat.config import Section
from seshat.engines.model import LanguageModel
from seshat.errors import ConfigError, StoreError
from seshat.examples import TRAINING
from seshat.hints import Knowledge
from seshat.prompts import Card, ChatTokenizer
from seshat.serving import Engine, Serving
from seshat.store import Store
from seshat.translate import Translator, read_card
from seshat.withdrawals import FILE as WITHDRAWN
from seshat.withdrawals import read_withdrawals
from seshat.working_copy import PLACE, WorkingCopy, is_copy, path_of

FOLDERS = {"llamacpp": "models/gguf", "transformers": "models/merged", "vllm": "models/merged", "phrases": "models/phrases"}
MAKES = {"phrases": "seshat phrases"}
"""The verb that makes a model for an engine, if it is not ``make export-gguf``."""
PREFERRED = ("Q8_0", "F16", "Q4_K_M")
"""Which file of a GGUF folder is served: the best that is still small."""


class Served(Section):
    """A model that was found."""

    engine: Engine
    path: str
    """A GGUF file, or a folder of weights."""
    folder: str
    """Where its tokenizer and card are."""
    card: Card
    revision: str = ""
    """Tells a file from one that an export put in its place."""


def workspace(serving: Serving, root: str, place: str = PLACE) -> Store:
    """The workspace as files of this machine: of one in an object store, a working copy below ``place`` with the models to serve."""
    store = Store(root)
    if not store.local:
        store = Store(path_of(root, place))
        bring(serving, store)
    return store


def bring(serving: Serving, store: Store) -> None:
    """Have in a working copy the models that the settings name, or the newest of its object store, and what is shown beside them."""
    if not is_copy(store.root):
        return
    copy = WorkingCopy(store.root)
    copy.fetch(WITHDRAWN, TRAINING, "reports")  # first, so that what is withdrawn is known even where a new model does not fit
    models = (serving.model or _newest_far(serving.engine, copy), *serving.others)
    copy.fetch(*(os.path.dirname(model) if model.endswith(".gguf") else model for model in models if not os.path.isabs(model)))


def find(serving: Serving, store: Store) -> Served:
    """The model to serve; a StoreError says what to run if there is none."""
    asked = store.path(serving.model) if serving.model else _newest(serving.engine, store)
    if asked.endswith(".gguf"):
        return _checked(Served(engine="llamacpp", path=asked, folder=os.path.dirname(asked), card=read_card(os.path.dirname(asked))))
    if not os.path.isdir(asked):
        raise StoreError(f"{asked} is not there: run '{_verb(serving.engine)}' first, or set serving.model")
    path = _gguf_file(asked) if serving.engine == "llamacpp" else asked
    return _checked(Served(engine=serving.engine, path=path, folder=asked, card=read_card(asked)))


def find_all(serving: Serving, store: Store) -> tuple[Served, ...]:
    """The model to serve and those beside it, which must have different names."""
    found = (find(serving, store), *(find(serving.model_copy(update={"model": path}), store) for path in serving.others))
    names = [served.card.name for served in found]
    if len(set(names)) < len(names):
        raise ConfigError(f"serving.others: {', '.join(names)}: two models have one name, and nobody could ask for the second")
    return found


def check_withdrawn(served: Served, store: Store) -> None:
    """Refuse a model that learnt from what its owners have taken back, in the workspace that the model lies in."""
    home = home_of(served) or store
    read_withdrawals(home).refuse_model(served.card, home, served.path)


def home_of(served: Served) -> Store | None:
    """The workspace that a model lies in; None for one that lies elsewhere."""
    models = os.path.dirname(os.path.dirname(served.folder))
    return Store(os.path.dirname(models)) if os.path.basename(models) == "models" else None


def check_rights(serving: Serving, card: Card) -> None:
    """Refuse to serve to other machines what the owners of a source keep from the public."""
    if not serving.public:
        return
    cure = "set serving.host=127.0.0.1, or ask them and note it in SOURCE.yaml (consent: serve_public)"
    if refusal := card.rights.refusal("serve_public"):
        raise ConfigError(f"serving.host={serving.host} opens {card.name!r} to others, and {refusal}: {cure}")


def check_calibrated(serving: Serving, served: Served) -> None:
    """Refuse to abstain by a confidence that nobody has measured."""
    if serving.abstain_below and read_calibration(served.folder, served.card) is None:
        raise ConfigError(
            f"serving.abstain_below={serving.abstain_below:g}: {served.folder} has no calibration, so it cannot know when to abstain: "
            "run 'make eval' (with 50 validation sentences or more) and 'make export-gguf', or set serving.abstain_below=0"
        )


def load(served: Served, serving: Serving) -> Translator:
    """The translator with its weights in memory."""
    model: LanguageModel
    if served.engine == "llamacpp":
        from seshat.engines.llamacpp import LlamaCppModel

        threads = max(1, int(serving.cpus_per_replica))
        model = LlamaCppModel(served.path, threads=threads, slots=serving.max_ongoing_requests, context=context_of(served, serving))
    elif served.engine == "vllm":
        from seshat.engines.vllm_model import VllmService

        model = VllmService(served.path, context=context_of(served, serving))
    else:
        from seshat.engines.transformers_model import TransformersModel

        model = TransformersModel(served.path)
    knowledge, calibration = Knowledge.read(served.folder, served.card.hints), read_calibration(served.folder, served.card)
    return Translator(model, ChatTokenizer.load(served.folder), served.card, knowledge, calibration)


def context_of(served: Served, serving: Serving) -> int:
    """How many tokens of prompt and answer there is room for."""
    return serving.context or 2 * served.card.max_seq_length


def _newest(engine: str, store: Store) -> str:
    """The newest model of the workspace; where it has none, the newest of the workspaces below it."""
    if is_copy(store.root):
        return store.path(_newest_far(engine, WorkingCopy(store.root)))
    for places in ("", "workspaces/*/"):
        folders = os.path.join(glob.escape(store.path("")), places, FOLDERS[engine], "*", "manifest.json")
        if manifests := glob.glob(folders):
            return os.path.dirname(max(manifests, key=lambda path: (os.path.getmtime(path), path)))
    raise StoreError(
        f"{store.path(FOLDERS[engine])} holds no model, nor does a workspace below: run '{_verb(engine)}' first, or set serving.model"
    )


def _newest_far(engine: str, copy: WorkingCopy) -> str:
    """The folder of the newest model of an object store."""
    files = copy.there.below(FOLDERS[engine])
    made = {name: info.mtime_ns for name, info in files.items() if os.path.basename(name) == "manifest.json"}
    if not made:
        raise StoreError(f"{copy.there.path(FOLDERS[engine])} holds no model: run '{_verb(engine)}' first, or set serving.model")
    return os.path.dirname(max(made, key=lambda name: (made[name], name)))


def _verb(engine: str) -> str:
    return MAKES.get(engine, "make export-gguf")


def _gguf_file(folder: str) -> str:
    for kind in PREFERRED:
        found = sorted(glob.glob(os.path.join(glob.escape(folder), f"*-{kind}.gguf")))
        if found:
            return found[0]
    raise StoreError(f"{folder} holds no GGUF file: run 'make export-gguf' first, or set serving.engine=transformers")


def _checked(served: Served) -> Served:
    if not os.path.exists(served.path):
        raise StoreError(f"{served.path} is not there: run 'make export-gguf' first, or set serving.model")
    files = (served.path, os.path.join(served.folder, CALIBRATION))
    seen = [os.stat(file) for file in files if os.path.exists(file)]
    return served.model_copy(update={"revision": " ".join(f"{one.st_mtime_ns} {one.st_size}" for one in seen)})
