"""Generation on actors: the answers of this process, whoever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from seshat.cluster.generate import on_actors
from seshat.engines.fakes import TableModel
from seshat.engines.model import CandidateModel, Completion, Request
from seshat.errors import EngineError
from seshat.evaluation.settings import Evaluation
from seshat.evaluation.settings import Generation as Where
from seshat.generation import Here, Speaker, generate, read_answers
from seshat.settings import Cluster, Settings
from tests.make import LANGUAGE
from tests.tiny_model import make_tokenizer

pytestmark = pytest.mark.ray
PROJECT = Path(__file__).resolve().parents[2]
REQUESTS = [Request((100 + number, *range(10, 10 + number % 5)), 32) for number in range(24)]


class SlowModel(TableModel):
    """Notes the process and each prompt and answers after a while; refuses the prompt ``deadly``, and dies of ``-deadly``."""

    def __init__(self, log: str, seconds: float, deadly: int) -> None:
        super().__init__()
        self._log, self._seconds, self._deadly = log, seconds, deadly

    def generate(self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, stop: Sequence[int]) -> list[Completion]:
        if prompts[0][0] == -self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        if prompts[0][0] == self._deadly:
            raise EngineError(f"cannot say {self._deadly}")
        time.sleep(self._seconds)
        made = super().generate(prompts, max_new_tokens=max_new_tokens, stop=stop)
        with open(self._log, "a", encoding="utf-8") as stream:
            stream.write(f"{os.getpid()} {prompts[0][0]}\n")
        return made


class SlowSpeaker(Speaker):
    """Has a model that needs no weights."""

    log: str
    seconds: float = 0.0
    deadly: int = 0

    def load(self) -> CandidateModel:
        """See ``Speaker``."""
        return SlowModel(self.log, self.seconds, self.deadly)


def speaker(folder: Path, **facts: object) -> SlowSpeaker:
    make_tokenizer(folder / "tokenizer")
    log = folder / "log"
    log.touch()
    asked = {"base": "", "tokenizer": str(folder / "tokenizer"), "weights": "one", "stop": (2,), "batch_size": 4, "log": str(log)}
    return SlowSpeaker.model_validate(asked | facts)


def settings(root: Path, actors: int = 1) -> Settings:
    evaluation = Evaluation(generation=Where(actors=actors))
    return Settings(root=str(root), language=LANGUAGE, evaluation=evaluation, cluster=Cluster(cpus=2, dashboard=False))


def ask(who: Speaker, root: Path, actors: int = 1) -> list[Completion]:
    return generate(who, REQUESTS, str(root / "answers"), partial(on_actors, settings(root, actors)))


def asked(folder: Path) -> list[tuple[int, int]]:
    """Process and prompt of each answer."""
    pairs = (line.split() for line in (folder / "log").read_text().splitlines())
    return [(int(process), int(prompt)) for process, prompt in pairs]


def test_any_number_of_actors_says_what_this_process_says(tmp_path: Path, ray_session: None) -> None:
    who = speaker(tmp_path, seconds=0.1)
    here = generate(who, REQUESTS, str(tmp_path / "here"), Here(who.load))
    for actors in (1, 2):
        before = len(asked(tmp_path))
        assert ask(who, tmp_path / str(actors), actors) == here
        log = asked(tmp_path)[before:]
        processes = {process for process, _ in log}
        assert os.getpid() not in processes
        assert sorted(prompt for _, prompt in log) == sorted(prompt for _, prompt in asked(tmp_path)[: len(log)]), "each prompt once"
        assert 1 <= len(processes) <= actors, "a busy machine may start the second one when all is said"


def test_an_error_of_a_model_arrives_as_itself_and_what_was_said_stays(tmp_path: Path, ray_session: None) -> None:
    with pytest.raises(EngineError, match=r"^cannot say 107$"):
        ask(speaker(tmp_path, deadly=107), tmp_path)
    assert 0 < len(read_answers(str(tmp_path / "answers"))) < len(REQUESTS)
    assert not list((tmp_path / "answers").glob("*.tries")), "no actor died"
    before = len(asked(tmp_path))
    ask(speaker(tmp_path), tmp_path)
    assert len(asked(tmp_path)) == len(REQUESTS)
    assert before > 0


def test_an_actor_that_dies_is_replaced_and_loses_only_the_sentence_that_it_was_saying(tmp_path: Path, ray_session: None) -> None:
    who = speaker(tmp_path, seconds=0.2)
    killer = subprocess.Popen([sys.executable, "-c", KILLER.format(log=who.log)])
    made = ask(who, tmp_path)
    assert killer.wait() == 0
    assert [one.ids for one in made] == [one.ids for one in REQUESTS]
    processes, prompts = zip(*asked(tmp_path), strict=True)
    assert len(set(processes)) == 2
    assert sum(Counter(prompts).values()) - len(REQUESTS) <= 1, "one answer at most was said and not yet written"


def test_sentences_that_kill_every_actor_are_given_up(tmp_path: Path, ray_session: None) -> None:
    with pytest.raises(EngineError, match=r"4 actors died of the same sentences.*evaluation\.generation\.batch_size"):
        ask(speaker(tmp_path, deadly=-107), tmp_path)
    assert not list((tmp_path / "answers").glob("*.tries"))


KILLER = """
import os, signal, time
while len(lines := open({log!r}).read().splitlines()) < 6:
    time.sleep(0.02)
os.kill(int(lines[-1].split()[0]), signal.SIGKILL)
"""
DRIVER = """
from pathlib import Path
from tests.cluster.test_generate import ask, speaker
ask(speaker(Path({root!r}), seconds=0.2), Path({root!r}))
"""


def test_after_a_kill_of_the_driver_no_finished_sentence_is_asked_again(tmp_path: Path, ray_session: None) -> None:
    who = speaker(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    driver = subprocess.Popen([sys.executable, "-c", DRIVER.format(root=str(tmp_path))], cwd=PROJECT, env=environment)
    wait(lambda: len(asked(tmp_path)) > 6 or driver.poll() is not None)
    assert driver.poll() is None, "the driver ended by itself"
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    wait(lambda: not any(is_alive(process) for process, _ in asked(tmp_path)))

    finished, said = read_answers(str(tmp_path / "answers")), len(asked(tmp_path))
    assert 6 <= len(finished) < len(REQUESTS)
    made = ask(who, tmp_path)
    assert [one.ids for one in made] == [one.ids for one in REQUESTS]
    again = len(asked(tmp_path)) - len(REQUESTS)
    assert len(asked(tmp_path)) - said == len(REQUESTS) - len(finished), "only what was not on disk was asked"
    assert again <= 1, "one answer at most was said and not yet written"


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
