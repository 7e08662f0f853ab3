"""Packing: the same bytes wherever and however often, within bounds, and nothing that gets lost on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seshat.errors import DataError, EngineError
from seshat.examples import read_examples, to_line
from seshat.prompts import ChatTokenizer
from seshat.records import Example
from seshat.store import Store
from seshat.training import lines as lines_
from seshat.training import run
from seshat.training.batches import Packed
from seshat.training.lines import windows
from seshat.training.pack import Packing, encode, pack, pack_phases, pack_rows, packing
from seshat.training.phases import ALL
from seshat.training.settings import Phase
from tests.training.tiny import LANGUAGE, PROMPTS, settings


@pytest.fixture(scope="module")
def examples(store: Store) -> list[Example]:
    return list(read_examples(store.path("data/training/train.jsonl")))


class Workspace:
    """A folder with examples; windows are small."""

    def __init__(self, root: Path, examples: Sequence[Example], base: Store) -> None:
        self.store, self.folder = Store(str(root)), base.path("models/base/small")
        self.path = root / "train.jsonl"
        self.tokenizer = ChatTokenizer.load(self.folder)
        self.write(examples)

    def write(self, examples: Sequence[Example]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(f"{to_line(one)}\n" for one in examples), encoding="utf-8")

    def step(self, phase: Phase = ALL, max_length: int = 128, hint_tokens: int = 0) -> Packing:
        found = windows(str(self.path), "train.jsonl", size=20)
        known: dict[str, Any] = {"folder": self.folder, "tokenizer": self.tokenizer, "hint_tokens": hint_tokens}
        return packing("train.jsonl", found, phase, max_length=max_length, seed=5, **known)

    def pack(self, *phases: Phase, max_length: int = 128) -> Packed:
        return pack_phases([self.step(phase, max_length) for phase in phases or (ALL,)], self.store, lambda step: step.run(self.store))

    def said(self, packed: Packed, *, trained: bool = False) -> list[str]:
        """The text of every example, or of what is trained of it."""
        chats = [chat for row in range(len(packed)) for chat in packed[row]]
        return [self.tokenizer.tokenizer.decode(chat.ids[chat.prompt if trained else 0 :]) for chat in chats]


@pytest.fixture
def workspace(tmp_path: Path, examples: list[Example], store: Store) -> Workspace:
    return Workspace(tmp_path, examples, store)


def test_rows_on_disk_are_the_rows_that_were_packed_window_by_window(workspace: Workspace, examples: list[Example]) -> None:
    packed, chats = workspace.pack(), list(encode(examples, workspace.tokenizer))
    assert len(workspace.step().parts) == 5
    expected = [row for start in range(0, len(chats), 20) for row in pack_rows(chats[start : start + 20], 128, seed=5)]
    assert [packed[index] for index in range(len(packed))] == expected
    assert packed.targets.tolist() == [sum(chat.target for chat in row) for row in expected]
    assert packed.row_lengths.tolist() == [sum(len(chat.ids) for chat in row) for row in expected]
    assert packed.example_lengths.tolist() == [sum(len(chat.ids) for chat in row) / len(row) for row in expected]


def test_what_is_packed_is_found_again(workspace: Workspace) -> None:
    packed = workspace.pack()
    again = pack_phases([workspace.step()], workspace.store, lambda step: pytest.fail("nothing is left to do"))
    assert (again.name, again.phases, len(again)) == (packed.name, packed.phases, len(packed))


def test_a_change_packs_its_own_window_anew(workspace: Workspace, examples: list[Example]) -> None:
    before, worked = workspace.pack(), []
    workspace.write([*examples[:-1], dataclasses.replace(examples[-1], answer="Otra cosa.")])
    step = workspace.step()
    worked = [part for part in step.parts if step.committed(part, workspace.store) is None]
    assert worked == [step.parts[-1]]
    after = workspace.pack()
    assert after.name != before.name
    assert [a == b for a, b in zip(after.phases[0], before.phases[0], strict=True)] == [True] * 4 + [False]


def test_broken_off_in_the_middle_it_ends_with_the_same_bytes(workspace: Workspace, tmp_path: Path, examples: list[Example]) -> None:
    step, store = workspace.step(), workspace.store
    for part in step.parts[1:3]:
        step.work(part, store)
    assert step.done(store) is None
    times = [Path(store.path(name)).stat().st_mtime_ns for name in store.names("data/processed")]
    assert len(times) == 4  # an Arrow file and a line for each
    workspace.pack()
    other = Store(str(tmp_path / "other"))
    pack_phases([step], other, lambda step: step.run(other))
    assert store.names("data/processed") == other.names("data/processed")
    assert [store.read(name) for name in store.names("data/processed")] == [other.read(name) for name in other.names("data/processed")]


def test_a_part_reads_no_line_of_another(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    step, read = workspace.step(), []
    parse = lines_.parse
    monkeypatch.setattr(lines_, "parse", lambda line: read.append(line) or parse(line))
    step.work(step.parts[2], workspace.store)
    assert read == workspace.path.read_text(encoding="utf-8").splitlines()[40:60]


def test_a_plain_text_that_is_too_long_is_cut_and_every_token_is_trained_once(workspace: Workspace, examples: list[Example]) -> None:
    long = dataclasses.replace(examples[0], task="completion", prompt="Continúa", source="waru taki " * 60, answer="nan pisi " * 70)
    workspace.write([long])
    whole = workspace.pack(Phase(name="read", train_on="everything"), max_length=2_000)
    packed = workspace.pack(Phase(name="read", train_on="everything"), max_length=50)
    [[text]] = [whole[0]]
    pieces = [chat for row in range(len(packed)) for chat in packed[row]]
    trained = sorted(token for piece in pieces for token in piece.ids[piece.prompt :])
    assert len(text.ids) > 100
    assert len(pieces) == -(-text.target // 49)
    assert trained == sorted(text.ids[text.prompt :])
    assert max(len(piece.ids) for piece in pieces) == 50
    assert (packed.num_examples, packed.num_read) == (len(pieces), len(pieces))


def test_what_a_model_wrote_is_never_read_as_plain_text(workspace: Workspace, examples: list[Example]) -> None:
    ours = dataclasses.replace(examples[0], source="waru taki", answer="la mujer canta", synthetic="m")
    workspace.write([ours])
    [[text]] = [workspace.pack(Phase(name="read", train_on="everything"))[0]]
    assert workspace.tokenizer.decode(text.ids[text.prompt :]) == "la mujer canta"


def test_hints_stand_before_the_prompt_unless_they_would_push_an_example_out(workspace: Workspace, examples: list[Example]) -> None:
    plain = examples[0]
    hinted = dataclasses.replace(plain, hints=("waru = mujer", "taki = canta"), origin="hinted")
    length = len(next(encode([plain], workspace.tokenizer)).ids)
    workspace.write([plain, hinted])

    def prompts(**budget: int) -> list[str]:
        step = workspace.step(max_length=budget.pop("max_length", 128), **budget)
        packed = pack_phases([step], workspace.store, lambda one: one.run(workspace.store))
        chats = sorted((chat for row in range(len(packed)) for chat in packed[row]), key=lambda chat: chat.line)
        return [workspace.tokenizer.decode(chat.ids[: chat.prompt]) for chat in chats]

    bare, told = prompts(hint_tokens=60)
    assert told.replace("waru = mujer\ntaki = canta\n", "") == bare != told
    assert prompts(hint_tokens=0) == [bare, bare]
    assert prompts(hint_tokens=60, max_length=length) == [bare, bare]


def test_too_long_examples_are_counted_and_kept_apart(workspace: Workspace, examples: list[Example]) -> None:
    long = dataclasses.replace(examples[0], answer="palabra " * 200)
    workspace.write([*examples, long])
    packed = workspace.pack()
    assert (packed.num_read - packed.num_examples, packed.num_examples) == (1, len(examples))
    workspace.write([long, long])
    with pytest.raises(DataError, match=r"none of the 2 examples of train\.jsonl fits into max_seq_length=128"):
        workspace.pack()


def test_rows_are_filled(workspace: Workspace, examples: list[Example]) -> None:
    packed = workspace.pack()
    windows_ = len(workspace.step().parts)
    assert packed.row_lengths.max() <= 128
    assert packed.row_lengths.sum() > 0.95 * 128 * (len(packed) - windows_), "but for the last row of each window"


def test_rows_that_are_made_here_are_written_once(workspace: Workspace, examples: list[Example]) -> None:
    chats = list(encode(examples, workspace.tokenizer))
    packed = pack(iter(chats), {"test": "rows"}, 128, 5, workspace.store)
    assert [packed[index] for index in range(len(packed))] == list(pack_rows(chats, 128, seed=5))
    again = pack(iter(()), {"test": "rows"}, 128, 5, workspace.store)  # found by name: the chats are not read
    assert (again.name, len(again)) == (packed.name, len(packed))


# Refusals


def test_text_that_the_tokenizer_loses_is_refused_with_its_line(workspace: Workspace, examples: list[Example]) -> None:
    workspace.tokenizer.tokenizer.backend_tokenizer.normalizer = __import__("tokenizers").normalizers.Replace("ñ", "n")
    folder = workspace.path.parent / "lossy"
    workspace.tokenizer.tokenizer.save_pretrained(folder)
    workspace.folder, workspace.tokenizer = str(folder), ChatTokenizer.load(str(folder))
    lossy = sum("ñ" in example.prompt + example.answer for example in examples)
    first = next(number for number, example in enumerate(examples, 1) if "ñ" in example.prompt + example.answer)
    assert 1 < lossy < len(examples)
    with pytest.raises(DataError, match=rf"loses something of {lossy} of {len(examples)} examples \(line {first}: 'ñ'; .*another base"):
        workspace.pack()
    assert workspace.step().done(workspace.store) is None


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% for message in messages %}<|{{ message.role }}|><|end|>{% endfor %}", "drops, changes or repeats the user's message"),
        ("{{ messages[0].content }}<|assistant|>{% if add_generation_prompt %}{% endif %}", "the assistant's message"),
        ("{{ raise_exception('no user here') }}", r"does not take a user's message \(no user here\)"),
    ],
)
def test_a_template_that_loses_a_message_is_refused_before_anything_is_packed(
    store: Store, monkeypatch: pytest.MonkeyPatch, template: str, said: str
) -> None:
    load = ChatTokenizer.load

    def changed(folder: str) -> ChatTokenizer:
        tokenizer = load(folder)
        tokenizer.tokenizer.chat_template = template
        return ChatTokenizer(tokenizer.tokenizer)

    monkeypatch.setattr(ChatTokenizer, "load", changed)
    with pytest.raises(EngineError, match=said):
        run.prepare(settings(), LANGUAGE, PROMPTS, store, make=lambda step: pytest.fail("nothing is packed"))


def test_a_bad_line_is_refused_before_the_base_is_fetched(tmp_path: Path, examples: list[Example]) -> None:
    folder = tmp_path / "data/training"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text(to_line(examples[0]) + "\n{}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"1 of 2 lines cannot be trained on \(line 2: the key 'messages' is missing\)"):
        run.prepare(settings(), LANGUAGE, PROMPTS, Store(str(tmp_path)))
    assert not (tmp_path / "models").exists()


# Phases


def mixed(examples: list[Example]) -> list[Example]:
    """Every third one is a text that was cut in two."""
    cut = [
        dataclasses.replace(one, task="completion", source="Waru kunan", answer=f"taki {number}.") for number, one in enumerate(examples)
    ]
    return [two if number % 3 == 0 else one for number, (one, two) in enumerate(zip(examples, cut, strict=True))]


def test_continued_pretraining_trains_every_word_of_a_plain_text(workspace: Workspace, examples: list[Example]) -> None:
    workspace.write(mixed(examples))
    packed = workspace.pack(Phase(name="read", train_on="everything"))
    expected = [
        f"{one.source} {one.answer}<|end|>" if one.task == "completion" else f"{one.source}\n{one.answer}<|end|>" for one in mixed(examples)
    ]
    assert sorted(workspace.said(packed, trained=True)) == sorted(expected)
    assert {text.partition(one)[0] for text, one in zip(workspace.said(packed), workspace.said(packed, trained=True), strict=True)} == {
        "<|endoftext|>"
    }
    assert packed.targets.sum() == packed.row_lengths.sum() - packed.num_examples


@pytest.mark.parametrize(
    ("tasks", "counts"), [({"completion": 2.0}, (2, 0)), ({"translation": 1.0, "completion": 0.0}, (0, 1)), ({}, (1, 1))]
)
def test_a_phase_has_weights_of_its_own(
    workspace: Workspace, examples: list[Example], tasks: dict[str, float], counts: tuple[int, int]
) -> None:
    workspace.write(mixed(examples))
    packed = workspace.pack(Phase.model_validate({"name": "some", "tasks": tasks}))
    cut = sum(one.task == "completion" for one in mixed(examples))
    said = workspace.said(packed, trained=True)
    assert sum(text.startswith("taki ") for text in said) == counts[0] * cut
    assert len(said) == counts[0] * cut + counts[1] * (len(examples) - cut)


def test_a_phase_without_examples_is_refused(workspace: Workspace) -> None:
    with pytest.raises(DataError, match=r"train\.jsonl holds no example to train of the tasks grammar: name others in training\.phases"):
        workspace.pack(Phase(name="rules", tasks={"grammar": 1.0}))


def test_rows_are_numbered_through_all_phases(workspace: Workspace) -> None:
    read, speak = Phase(name="read", train_on="everything"), ALL
    both, parts = workspace.pack(read, speak), [workspace.pack(read), workspace.pack(speak)]
    assert [len(span) for span in both.spans] == [len(part) for part in parts]
    assert [both[row] for row in range(len(both))] == [row for part in parts for row in map(part.__getitem__, range(len(part)))]
    assert both.num_examples == sum(part.num_examples for part in parts)
