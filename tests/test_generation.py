"""Many answers of one model: batches, keys, and what a killed run left on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from seshat.engines.decoding import GREEDY, Decoding
from seshat.engines.fakes import TableModel
from seshat.engines.model import Completion, Request, RequestModel
from seshat.generation import Batch, Generation, Here, Speaker, batches, choose, generate, read_answers
from seshat.prompts import ChatTokenizer
from tests.tiny_model import make_tokenizer

END = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a tokenizer."""
    place = tmp_path_factory.mktemp("tokenizer")
    make_tokenizer(place)
    return str(place)


def speaker(folder: str, **changes: object) -> Speaker:
    return Speaker.model_validate({"base": "here", "tokenizer": folder, "weights": "one", "stop": (END,), "batch_size": 4, **changes})


def requests(count: int) -> list[Request]:
    """Of several lengths and limits, in no order of them; after 22 they come again."""
    return [Request((100 + number % 22, *range(10, 10 + (7 * number) % 11)), 32 << number % 2) for number in range(count)]


class Killed(BaseException):
    """Nothing in the program catches it, as nothing catches SIGKILL."""


class Mortal(TableModel):
    """Is killed after some answers."""

    def __init__(self, lives: int) -> None:
        super().__init__()
        self.lives = lives

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        if not self.lives:
            raise Killed
        self.lives -= 1
        return super().generate(prompts, max_new_tokens=max_new_tokens, stop=stop)


def ask(model: TableModel, who: Speaker, asked: Sequence[Request], place: Path) -> list[Completion]:
    return generate(who, asked, str(place), Here(lambda: model))


def test_answers_come_in_the_order_of_the_requests_and_equal_ones_are_asked_once(folder: str, tmp_path: Path) -> None:
    model, asked = TableModel(), requests(30)
    made = ask(model, speaker(folder), asked, tmp_path)
    assert [one.ids for one in made] == [one.ids for one in asked]
    assert len(model.asked) == len(set(asked)) < len(asked)


def test_batches_hold_one_limit_and_like_lengths_the_longest_first() -> None:
    asked = {str(number): request for number, request in enumerate(requests(20))}
    made = batches(asked, 4)
    assert sorted(key for one in made for key in one.prompts) == sorted(asked)
    assert all(asked[key].limit == one.limit for one in made for key in one.prompts)
    assert max(len(one.prompts) for one in made) == 4
    assert [one.limit for one in made] == sorted((one.limit for one in made), reverse=True)
    lengths = [len(prompt) for one in made if one.limit == 64 for prompt in one.prompts.values()]
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize("lives", [0, 1, 5, 9])
def test_a_killed_run_asks_again_only_what_was_not_answered(folder: str, tmp_path: Path, lives: int) -> None:
    asked = list(dict.fromkeys(requests(22)))
    first, second = Mortal(lives), TableModel()
    with pytest.raises(Killed):
        ask(first, speaker(folder), asked, tmp_path)
    made = ask(second, speaker(folder), asked, tmp_path)
    assert made == ask(TableModel(), speaker(folder), asked, tmp_path / "whole")
    assert len(first.asked) == lives
    assert set(first.asked) & set(second.asked) == set(), "nothing was asked twice"
    assert len(second.asked) == len(asked) - lives


def test_a_batch_goes_on_where_it_was_broken_off(folder: str, tmp_path: Path) -> None:
    """As an actor does that takes the place of a dead one: it is given the whole batch again."""
    who = speaker(folder)
    batch = Batch(32, {who.key(one): one.ids for one in (Request((10, number), 32) for number in range(6))})
    with pytest.raises(Killed):
        list(Here(lambda: Mortal(4))(who, [batch], str(tmp_path)))
    second = TableModel()
    assert len(list(Here(lambda: second)(who, [batch], str(tmp_path)))) == 6
    assert len(second.asked) == 2


def test_half_an_answer_is_asked_again_and_spoils_no_other(folder: str, tmp_path: Path) -> None:
    asked = list(dict.fromkeys(requests(8)))
    whole = ask(TableModel(), speaker(folder, batch_size=8), asked, tmp_path)
    for file in tmp_path.glob("*.jsonl"):
        file.write_bytes(file.read_bytes()[:-9])
    again = TableModel()
    assert ask(again, speaker(folder, batch_size=8), asked, tmp_path) == whole
    assert len(again.asked) == 2, "the last of each of the two limits"
    assert len(read_answers(str(tmp_path))) == len(asked)


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": "others"},
        {"engine": "vllm"},
        {"stop": (3,)},
        {"adapter": "a"},
        {"decoding": Decoding(method="beam")},
        {"decoding": Decoding(method="mbr", seed=1)},
    ],
)
def test_what_an_answer_depends_on_is_in_its_key(folder: str, changes: dict[str, object]) -> None:
    assert speaker(folder).key(Request((1, 2), 32)) != speaker(folder, **changes).key(Request((1, 2), 32))


def test_what_an_answer_does_not_depend_on_is_not_in_its_key(folder: str) -> None:
    usual = speaker(folder).key(Request((1, 2), 32))
    for changes in ({"base": "there"}, {"tokenizer": "there"}, {"batch_size": 9}, {"decoding": Decoding(seed=1, beams=9)}):
        assert speaker(folder, **changes).key(Request((1, 2), 32)) == usual
    assert len({speaker(folder).key(one) for one in (Request((1, 2), 32), Request((1, 2), 64), Request((12,), 32))} | {usual}) == 3


def test_mbr_takes_the_candidate_that_the_others_resemble() -> None:
    texts = {1: "wasi hatun ka", 2: "allku pawa", 3: "wasi hatun kan"}
    said = [Completion((token,), True, -0.1) for token in (2, 1, 3)]

    def decode(ids: Sequence[int]) -> str:
        return texts[ids[0]]

    assert choose(said, Decoding(method="mbr"), decode).ids in {(1,), (3,)}
    assert choose(said, GREEDY, decode).ids == (2,)


def test_beams_of_mbr_count_as_the_model_finds_them_likely() -> None:
    texts = {1: "aaaa bbbb", 2: "cccc dddd", 3: "cccc dddd"}
    said = [Completion((1,), True, -0.1), Completion((2,), True, -3.0), Completion((3,), True, -3.0)]

    def decode(ids: Sequence[int]) -> str:
        return texts[ids[0]]

    assert choose(said, Decoding(method="mbr", candidates="beams"), decode).ids == (1,)
    assert choose(said, Decoding(method="mbr"), decode).ids == (2,)


def test_weights_are_not_loaded_for_what_is_on_disk(folder: str, tmp_path: Path) -> None:
    asked = requests(5)

    def stand_in(load: Callable[[], TableModel]) -> Generation:
        return Generation(lambda: speaker(folder, stop=()), str(tmp_path), load)  # type: ignore[arg-type]

    def forbidden() -> TableModel:
        raise AssertionError("weights were loaded")

    loaded: list[TableModel] = []
    model = stand_in(lambda: loaded.append(TableModel()) or loaded[-1])  # type: ignore[func-returns-value]
    assert isinstance(model, RequestModel)
    made = model.complete(asked, stop=[END])
    assert model.complete(asked, stop=[END]) == made == stand_in(forbidden).complete(asked, stop=[END])
    assert len(loaded) == 1
    assert stand_in(forbidden).complete([], stop=[END]) == []


def test_the_tokenizer_of_the_speaker_reads_candidates(folder: str, tmp_path: Path) -> None:
    tokenizer = ChatTokenizer.load(folder)
    good, other = tuple(tokenizer.text("La casa es grande")), tuple(tokenizer.text("zzz"))

    class Doubtful(TableModel):
        def candidates(
            self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int], decoding: Decoding
        ) -> Iterator[tuple[int, list[Completion]]]:
            yield 0, [Completion(ids, True, -1.0) for ids in (other, good, good)]

    [made] = ask(Doubtful(), speaker(folder, decoding=Decoding(method="mbr")), [Request((1,), 32)], tmp_path)
    assert made.ids == good
