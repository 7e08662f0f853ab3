"""Where does this come from: the way of an example, a pair or an entry back to its file, page, line or second.

Examples:
    seshat trace 3f9a1c root=workspaces/shipibo
"""

import argparse
from collections.abc import Iterator

from seshat.command import main
from seshat.data.align import parallel_names
from seshat.data.corpus import corpus
from seshat.data.ingest import reader
from seshat.data.trace import Tracer
from seshat.records import Record
from seshat.settings import Settings
from seshat.store import Store

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("id", metavar="ID", help="the 'id' or 'parent' of a line of train.jsonl, or the beginning of it")
ARGUMENTS.add_argument("--json", action="store_true", help="print JSON")


def run(settings: Settings, *, id: str, json: bool) -> None:
    store = Store(settings.root)

    def unfolded() -> Iterator[Record]:
        yield from corpus(store, settings.language, parallel_names(store, settings.language), settings.ocr.dictionary)

    way = Tracer(store, store.path(settings.data.raw), reader(settings.ingest, settings.language), unfolded).trace(id)
    print(way.model_dump_json(indent=1) if json else way)


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
