"""Merge the adapter into the base model's weights, check the result, and write GGUF files for llama.cpp."""

from seshat.command import main
from seshat.export.export import export
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store


def run(settings: Settings) -> Outcome:
    return export(settings.export, Store(settings.root), settings.training.name)


if __name__ == "__main__":
    main(run, __doc__, previews=True)
