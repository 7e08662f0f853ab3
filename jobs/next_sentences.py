"""Choose the next sentences for speakers to translate, and write them as a table with an empty column.

Examples:
    seshat next root=workspaces/shipibo next.texts=spanish.txt next.number=200
"""

from collections.abc import Sequence
from functools import partial

from seshat.command import main
from seshat.data.next_sentences import next_sentences
from seshat.data.split import held_out_lines
from seshat.engines.transformers_model import TransformersModel
from seshat.export.export import base_folder
from seshat.hints import Knowledge
from seshat.messages import say
from seshat.prompts import ChatTokenizer
from seshat.rights import read_rights
from seshat.settings import Settings
from seshat.store import Store
from seshat.translate import Translator, read_card
from seshat.working_copy import BASE, on_files


def run(settings: Settings) -> None:
    store = Store(settings.root)

    sheet = next_sentences(
        settings.next,
        settings.language,
        store,
        withheld=read_rights(store.path(settings.data.raw)).forbidding("train"),
        apart=held_out_lines(settings.format, store),
        sure=partial(sure, settings) if settings.next.ask else None,
    )
    say(sheet)


@on_files(*BASE, "models/adapters/{training.name}")
def sure(settings: Settings, sentences: Sequence[str]) -> list[float]:
    """How sure the trained model is of each translation."""
    store = Store(settings.root)
    adapter = store.path(f"models/adapters/{settings.training.name}")
    card = read_card(adapter)
    model = TransformersModel(base_folder(card, store), adapter=adapter)
    translator = Translator(model, ChatTokenizer.load(adapter), card, Knowledge.read(adapter, card.hints))
    return [one.confidence for one in translator.translate(sentences, settings.language.bridge.code, settings.language.code)]


if __name__ == "__main__":
    main(run, __doc__)
