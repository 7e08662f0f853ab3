"""Which checkpoint is the best, and when further steps bring nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.training import candidates
from seshat.training.candidates import Scored, best, counting, is_exhausted


def scored(step: int, value: float) -> Scored:
    """Scores whose sentences all differ from another's by as much."""
    return Scored(step, {"chrf++": value}, tuple(value + number for number in range(-4, 5)), "sample")


def scores(*values: float) -> list[Scored]:
    return [scored(10 * number, value) for number, value in enumerate(values, 1)]


def weights(root: Path, step: int) -> str:
    folder = root / f"step-{step:06d}"
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(bytes(step))
    return str(folder / "weights.safetensors")


def test_the_best_is_the_last_unless_an_earlier_one_is_better_beyond_chance() -> None:
    assert best([]) is None
    by_luck = [Scored(10, {"chrf++": 31}, (60, 20, 40, 5, 30)), Scored(20, {"chrf++": 30}, (10, 30, 50, 25, 35))]
    for given, step in ((scores(20, 31, 30, 31), 40), (scores(20, 31, 30, 29), 20), (by_luck, 20), (scores(5), 10)):
        found = best(given)
        assert found is not None
        assert found.step == step


@pytest.mark.parametrize(
    ("values", "patience", "exhausted", "count"),
    [
        ((20, 30, 29, 28), 2, True, 4),
        ((20, 30, 29, 28, 40), 2, True, 4),
        ((20, 30, 29, 31, 30), 2, False, 5),
        ((20, 30, 29, 28), 0, False, 4),
        ((20, 30, 30), 1, True, 3),
    ],
)
def test_patience_is_exhausted_by_scores_in_a_row_and_later_ones_do_not_count(
    values: tuple[float, ...], patience: int, exhausted: bool, count: int
) -> None:
    assert is_exhausted(scores(*values), patience) == exhausted
    assert len(counting(scores(*values), patience)) == count


def test_weights_wait_for_their_scores_longer_than_their_checkpoint_lives(tmp_path: Path) -> None:
    root = str(tmp_path)
    for step in (10, 20, 30):
        file = weights(tmp_path, step)
        candidates.offer(root, step, file)
        Path(file).unlink()
    assert candidates.waiting(root) == [10, 20, 30]
    for step, value in ((10, 5.0), (20, 9.0)):
        candidates.note(root, scored(step, value), 0)
    assert candidates.waiting(root) == [30]
    assert not Path(candidates.path_of(root, 10)).exists(), "a worse one is let go"
    assert Path(candidates.path_of(root, 20)).read_bytes() == bytes(20)
    candidates.note(root, scored(30, 8.0), 0)
    assert [one.step for one in candidates.read(root)] == [10, 20, 30]
    assert sorted(entry.name for entry in (tmp_path / candidates.FOLDER).iterdir()) == [
        "step-000020.safetensors",
        "step-000030.safetensors",
    ]


def test_scores_of_another_sample_are_forgotten(tmp_path: Path) -> None:
    root = str(tmp_path)
    for step in (10, 20):
        candidates.offer(root, step, weights(tmp_path, step))
        candidates.note(root, scored(step, 5.0), 0)
    candidates.forget(root, "sample")
    assert len(candidates.read(root)) == 2
    candidates.forget(root, "another sample")
    assert candidates.read(root) == []
    assert candidates.waiting(root) == [10, 20]


def test_a_score_is_given_once(tmp_path: Path) -> None:
    candidates.note(str(tmp_path), scored(10, 5.0), 0)
    candidates.offer(str(tmp_path), 10, weights(tmp_path, 10))
    assert candidates.waiting(str(tmp_path)) == [], "a run that went on from before that step comes to it again"
