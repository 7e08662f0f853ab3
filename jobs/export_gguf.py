"""Merge the adapter into the base model's weights, check the result, and write GGUF files for llama.cpp.

Examples:
    seshat export-gguf root=workspaces/shipibo training.name=first
    seshat export-gguf export.quantizations=[Q8_0]
"""

from seshat.command import main
from seshat.export.export import export
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import BASE, on_files


@on_files(*BASE, "models/adapters/{training.name}", "models/merged/{training.name}", "models/gguf/{training.name}")
def run(settings: Settings) -> Outcome:
    return export(settings.export, Store(settings.root), settings.training.name)


if __name__ == "__main__":
    main(run, __doc__, previews=True)
