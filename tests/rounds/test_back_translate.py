"""Rounds of back-translation: what is translated, what is kept, and when a round is refused."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from jobs import align, back_translate, format, ingest, withdraw
from seshat.config import load
from seshat.data.duplicates import bare
from seshat.errors import DataError, StoreError
from seshat.examples import SPLITS, TRAINING, read_examples
from seshat.prompts import BACK_TRANSLATED
from seshat.records import BackTranslation, Document, Example
from seshat.rounds.back_translate import begin, drop, finish, judged
from seshat.rounds.engines import Engine, Said, Speaker, model_speaker, phrases_speaker
from seshat.rounds.ledger import read_ledger
from seshat.rounds.settings import BackTranslate
from seshat.sample.grammar import Grammar
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from tests.make import copied
from tests.tiny_model import PAIRS, exported_workspace

pytestmark = pytest.mark.heavy
NUM_PAIRS, NUM_ALONE = 500, 40
SENTENCES = Grammar(seed=1).sentences(NUM_PAIRS + 2 * NUM_ALONE)
GOLD = {one.text: one.translation for one in SENTENCES} | {one.translation: one.text for one in SENTENCES}
"""Every sentence of the sample with its translation."""
CHANGES = ["execution=local", "data.sample=false", "format.val=0.15", "back_translate.val=60", "evaluation.bootstrap=200"]


class Fake(Speaker):
    """Speaks as people do; every ``spoilt``-th sentence it translates as the same wrong one."""

    spoilt: int = 0

    def load(self) -> Engine:
        return Table(self.spoilt)


class Table:
    def __init__(self, spoilt: int) -> None:
        self.spoilt = spoilt

    def say(self, texts: Sequence[str], source: str, target: str) -> list[Said]:
        return [Said("Nada." if self.spoilt and number % self.spoilt == 0 else GOLD.get(text, text)) for number, text in enumerate(texts)]


def fake(name: str = "good", **facts: object) -> Fake:
    return Fake.model_validate({"kind": "phrases", "name": name, "identity": name, "data": name, **facts})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A workspace with pairs, and with text in either language that nobody has translated."""
    root = tmp_path_factory.mktemp("rounds")
    raw = root / "data" / "raw"
    (raw / "transcriptions").mkdir(parents=True)
    (raw / "translations").mkdir()
    with (raw / "transcriptions" / "pairs.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["qtm", "spa"], *([one.text, one.translation] for one in SENTENCES[:NUM_PAIRS])])
    alone = SENTENCES[NUM_PAIRS : NUM_PAIRS + NUM_ALONE]
    (raw / "translations" / "news.qtm.txt").write_text("".join(f"{one.text}\n" for one in alone), encoding="utf-8")
    alone = SENTENCES[NUM_PAIRS + NUM_ALONE :]
    (raw / "translations" / "diario.spa.txt").write_text("".join(f"{one.translation}\n" for one in alone), encoding="utf-8")
    settings = load(Settings, "configs/quickstart.yaml", [f"root={root}", *CHANGES])
    for job in (ingest, align, format):
        job.run(settings)
    return settings


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    return copied(made, tmp_path / "workspace")


def with_rounds(settings: Settings, **changes: object) -> Settings:
    changed = BackTranslate.model_validate({**settings.back_translate.model_dump(), **changes})
    return settings.model_copy(update={"back_translate": changed})


def go(settings: Settings, speaker: Speaker, held_out: Sequence[str] = ()) -> Outcome:
    """One round."""
    store = Store(settings.root)
    evaluation, language = settings.evaluation, settings.language
    begun = begin(settings.back_translate, settings.format, evaluation, language, store, speaker, held_out=held_out)
    done = begun.step.run(store)
    finish(begun, store)
    return Outcome(stage="", rows_in=done.rows_in, kept=done.kept, rejected=done.rejected)


def pairs(store: Store, *, rejected: bool = False) -> list[BackTranslation]:
    return list(store.records("back-translate", BackTranslation, rejected=rejected))


def examples(store: Store, split: str = "train") -> list[Example]:
    return list(read_examples(store.path(f"{TRAINING}/{split}.jsonl")))


def test_phrases_do_a_round_end_to_end(settings: Settings) -> None:
    """Without a GPU: translate, train on what is good, see whether it helped."""
    settings = with_rounds(settings, engine="phrases", round_trip=20.0)
    store = Store(settings.root)
    with pytest.raises(DataError, match="phrases is not good enough"):  # nobody's pairs make that good a translator
        back_translate.run(with_rounds(settings, least=90.0))
    outcome = back_translate.run(settings)
    assert outcome is not None
    assert 10 < outcome.kept <= NUM_ALONE
    assert outcome.rows_in == outcome.kept + sum(outcome.rejected.values()) == NUM_ALONE
    format.run(settings)
    assert {(one.direction, one.synthetic) for one in examples(store) if one.synthetic} == {("spa-qtm", "phrases")}
    before = phrases_speaker(store)
    [first] = judged(settings.back_translate, settings.evaluation, settings.language, store, before).rounds
    assert first.outturn is not None
    assert set(first.outturn.comparisons) == {"spa-qtm", "qtm-spa"}
    assert first.outturn.comparisons["qtm-spa"].difference == 0, "nothing was added in this direction"


def test_what_a_person_wrote_is_the_target_and_says_where_it_is_from(settings: Settings) -> None:
    store = Store(settings.root)
    outcome = go(with_rounds(settings, text="both"), fake())
    assert outcome.rows_in == 2 * NUM_ALONE
    for one in pairs(store):
        person = one.text if one.synthetic == "spa" else one.translation
        file, _, line = one.origin.partition("#line=")
        assert Path(store.path(f"data/raw/{file}")).read_text(encoding="utf-8").splitlines()[int(line) - 1] == person
        assert (one.collection, one.model, one.round, one.round_trip) == ("translations", "good", 1, 100.0)
    assert {one.synthetic for one in pairs(store)} == {"qtm", "spa"}
    format.run(settings)
    by_parent = {one.id: one for one in pairs(store)}
    synthetic = [one for one in examples(store) if one.synthetic]
    assert len(synthetic) > NUM_ALONE
    for example in synthetic:
        parent = by_parent[example.parent]
        assert example.answer == (parent.text if parent.synthetic == "spa" else parent.translation)
        assert example.prompt.startswith(BACK_TRANSLATED)
        assert example.split == "train"
    others = [one for split in SPLITS for one in examples(store, split) if not one.synthetic]
    assert not any(BACK_TRANSLATED.strip() in one.prompt for one in others)


def test_no_sentence_that_is_held_out_is_on_either_side(settings: Settings) -> None:
    store = Store(settings.root)
    alone = SENTENCES[NUM_PAIRS : NUM_PAIRS + NUM_ALONE]
    one, other = [sentence for sentence in alone if len(sentence.text.split()) > 3][:2]
    go(settings, fake(), held_out=[one.text.upper(), other.translation])
    gone = [*pairs(store, rejected=True), *store.records("back-translate", Document, rejected=True)]
    reasons = {record.origin: record.reason for record in gone}
    lines = {sentence.text: number for number, sentence in enumerate(alone, 1)}
    assert reasons[f"translations/news.qtm.txt#line={lines[one.text]}"] == "leak"
    assert reasons[f"translations/news.qtm.txt#line={lines[other.text]}"] == "leak"
    held = {bare(text) for split in ("val", "test") for one in examples(store, split) for text in (one.source, one.answer)}
    assert held.isdisjoint(bare(text) for one in pairs(store) for text in (one.text, one.translation))


def test_a_round_goes_on_where_it_stopped_and_is_made_once(settings: Settings) -> None:
    store = Store(settings.root)
    small = with_rounds(settings, batch=10)
    begun = begin(small.back_translate, small.format, small.evaluation, small.language, store, fake())
    begun.step.work(begun.step.parts[0], store)
    again = begin(small.back_translate, small.format, small.evaluation, small.language, store, fake())
    assert [again.step.committed(part, store) is not None for part in again.step.parts] == [True, False, False, False]
    go(small, fake())
    assert begin(small.back_translate, small.format, small.evaluation, small.language, store, fake()).step.done(store)


def test_no_more_are_translated_than_a_share_of_what_people_did(settings: Settings) -> None:
    outcome = go(with_rounds(settings, ratio=0.05), fake())
    num_pairs = len({one.parent for one in examples(Store(settings.root)) if one.task == "translation"})
    assert 0 < outcome.kept <= 0.05 * num_pairs
    assert outcome.rejected["over"] > 0


@pytest.mark.parametrize(
    ("changes", "speaker", "said"),
    [
        (
            {"least": 100.0},
            fake("nearly", spoilt=10),
            r"not good enough .* qtm-spa: chrF\+\+ \d+\.\d on val, less than back_translate.least=100",
        ),
        ({}, fake("bad", spoilt=1), r"not good enough .* on val, which is not better than the floor '\w+'"),
    ],
)
def test_an_engine_that_is_not_good_enough_is_refused(settings: Settings, changes: dict[str, object], speaker: Fake, said: str) -> None:
    with pytest.raises(DataError, match=said):
        go(with_rounds(settings, **changes), speaker)
    assert not Store(settings.root).names("data/processed/back-translate")
    assert go(with_rounds(settings, **changes, force=True), speaker).rows_in == NUM_ALONE


def test_without_enough_of_val_nothing_can_be_judged(settings: Settings) -> None:
    few = with_rounds(settings, val=12)
    with pytest.raises(DataError, match=r"val has 12 translations qtm-spa, fewer than 20.* raise format.val"):
        go(few, fake())


def test_after_a_round_that_made_val_worse_there_is_no_other(settings: Settings) -> None:
    store = Store(settings.root)
    go(settings, fake())
    worse = fake("worse", spoilt=3)
    with pytest.raises(DataError, match=r"(?s)round 1 made val worse in .*drop its sentences \(seshat back-translate --drop\)") as refused:
        go(settings, worse)
    assert re.search(r"spa-qtm: chrF\+\+ on val 100.0 -> \d\d\.\d \(-.*worse\)", str(refused.value))
    [first] = read_ledger(store).rounds
    assert sorted(first.fell) == ["qtm-spa", "spa-qtm"]
    drop(store)
    assert pairs(store) == []
    with pytest.raises(DataError, match="are dropped, and no other round is to be had from this text"):
        go(settings, worse)
    format.run(settings)
    assert not any(one.synthetic for one in examples(store))


def test_after_a_round_that_did_no_harm_the_next_one_replaces_it(settings: Settings) -> None:
    store = Store(settings.root)
    go(settings, fake("one", spoilt=3))
    go(settings, fake("one again", data="one", spoilt=3))
    assert [one.number for one in read_ledger(store).rounds] == [1], "it learnt from the same data, so nothing came of the round"
    go(settings, fake("two"))
    first, second = read_ledger(store).rounds
    assert first.outturn is not None
    assert (first.outturn.name, first.outturn.comparisons["spa-qtm"].verdict, second.number) == ("two", "better", 2)
    assert {(one.model, one.round) for one in pairs(store)} == {("two", 2)}


def test_withdrawing_a_text_takes_its_translations_with_it(settings: Settings) -> None:
    store = Store(settings.root)
    go(settings, fake())
    format.run(settings)
    assert any(one.synthetic for one in examples(store))
    withdraw.run(settings, source="translations/news.qtm.txt", why="", dry_run=False, undo=False)
    assert not [name for name in store.names("data/processed") if re.search("back-translate|monolingual|rounds", name)]
    assert not any(one.synthetic for one in examples(store))


def test_without_an_adapter_the_cure_is_named(settings: Settings) -> None:
    with pytest.raises(StoreError, match=r"run 'make train' first.*or take back_translate.engine=phrases"):
        model_speaker(Store(settings.root), "none", base=lambda: "")


def test_an_adapter_writes_as_it_answers_in_use() -> None:
    """The tiny adapter knows its ten sentences by heart."""
    pytest.importorskip("torch")
    root = exported_workspace()
    speaker = model_speaker(Store(str(root)), "tiny", base=lambda: str(root / "models" / "base" / "tiny"))
    said = speaker.load().say([*PAIRS], "spa", "qtm")
    assert [one.text for one in said] == [*PAIRS.values()]
    assert all(one.finished for one in said)
