"""Verbs on a cluster, through Ray's job interface: the same as ``ray job submit``, with fewer words and more answers.

What may be uploaded is what git would keep: what ``.gitignore`` names (data, models, ``.venv``) stays here, as with Ray's own command.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.cluster.token import keep_private, token_path
from seshat.errors import ConfigError, EngineError, SeshatError

if TYPE_CHECKING:
    from ray.job_submission import JobDetails, JobSubmissionClient

ADDRESS = "http://127.0.0.1:8265"
MOST = 100_000_000
"""Bytes that the code may have. Ray takes more, but what is as large is no code."""
TO_STOP = 600
"""Seconds that a job has to keep what is done when it is stopped; Ray's own three are over before a checkpoint is written."""
_SHOWN = 5
ASK, LEAVE, STOP = "ask", "leave", "stop"


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job of a cluster."""

    id: str
    verb: str
    status: str
    started: float
    """Seconds since 1970; 0.0 if it has not."""
    seconds: float
    """That it has run, or ran."""
    progress: str
    """The last line that it printed."""

    def __str__(self) -> str:
        began = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.started)) if self.started else "-"
        return f"{self.id:<28} {self.verb:<18} {self.status:<10} {began:<16} {self.seconds:>8.0f} s  {self.progress}".rstrip()


def default_address() -> str:
    """Where Ray's own commands would submit to."""
    named = (os.environ.get(name, "") for name in ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"))
    return next((address for address in named if address.startswith("http")), ADDRESS)


def client_of(address: str) -> JobSubmissionClient:
    """The job interface of a cluster; with a token if there is one where Ray looks for it."""
    if os.path.isfile(token_path()):
        keep_private()
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    from ray.job_submission import JobSubmissionClient

    for chatty in ("ray._private.runtime_env", "ray.dashboard"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    try:
        return JobSubmissionClient(address)
    except (ConnectionError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise EngineError(
            f"No cluster answers at {address} ({reason}): "
            f"is it up, the tunnel open ('ray dashboard cluster.yaml') and the token in {token_path()}?"
        ) from None


def to_upload(folder: Path) -> Iterator[tuple[int, str]]:
    """The size and the name of every file that would be uploaded: what git tracks, or would."""
    listed = subprocess.run(
        ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        names: Iterator[str] = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    else:
        names = (name for name in listed.stdout.split("\0") if name)
    for name in names:
        path = folder / name
        if path.is_file():
            yield path.stat().st_size, name


def check_upload(folder: Path, most: int = MOST) -> int:
    """How many bytes would be uploaded.

    Raises:
        ConfigError: If that is more than code can be; it names the largest files.
    """
    files = sorted(to_upload(folder), reverse=True)
    total = sum(size for size, _ in files)
    if total > most:
        largest = ", ".join(f"{name} ({size / 1e6:,.1f} MB)" for size, name in files[:_SHOWN])
        raise ConfigError(
            f"{folder} would upload {total / 1e6:,.0f} MB, more than the {most / 1e6:,.0f} MB that code may have. The largest are "
            f"{largest}: put data into root=, which all nodes can read, or name these paths in .gitignore"
        )
    return total


def submit(client: JobSubmissionClient, module: str, arguments: Sequence[str], folder: Path, verb: str) -> str:
    """Start ``python -m MODULE`` with arguments on the cluster; the name of the job."""
    import shlex

    command = " ".join(["python", "-m", module, *map(shlex.quote, arguments)])
    try:
        surroundings = {"working_dir": str(folder), "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(TO_STOP)}}
        return str(client.submit_job(entrypoint=command, runtime_env=surroundings, metadata={"verb": verb}))
    except (RuntimeError, OSError) as error:
        raise SeshatError(f"{verb} could not be submitted: {error}") from None


def follow(client: JobSubmissionClient, job: str, *, interrupted: Callable[[], str], out: Callable[[str], Any] = sys.stdout.write) -> int:
    """Print what a job prints until it ends; its exit code.

    ``interrupted`` says what Ctrl-C means: ``stop`` ends the job, ``leave`` goes away from it (both give 130), ``ask`` goes on.
    """

    async def tail() -> None:
        async for lines in client.tail_job_logs(job):
            out(lines)

    while True:
        try:
            asyncio.run(tail())
        except KeyboardInterrupt:
            choice = interrupted()
            if choice == STOP:
                client.stop_job(job)
            if choice in (STOP, LEAVE):
                return 130
            continue
        except RuntimeError as error:
            if not client.get_job_status(job).is_terminal():
                raise SeshatError(f"{job} cannot be followed any more ({error}); it runs on: 'seshat jobs' lists it") from None
        info = _ended(client, job)
        if info.status == "SUCCEEDED":
            return 0
        if info.driver_exit_code is None and info.message:
            out(f"{info.message}\n")
        return int(info.driver_exit_code or 1)


def _ended(client: JobSubmissionClient, job: str) -> JobDetails:
    """What is known of a job once it has ended: the log ends a moment before."""
    while not client.get_job_status(job).is_terminal():
        time.sleep(0.2)
    return client.get_job_info(job)


def jobs(client: JobSubmissionClient) -> list[Submitted]:
    """What was submitted to a cluster, the newest first."""
    found = [job for job in client.list_jobs() if job.submission_id]
    return [_described(client, job) for job in sorted(found, key=lambda job: job.start_time or 0, reverse=True)]


def _described(client: JobSubmissionClient, job: JobDetails) -> Submitted:
    lines = [line for line in str(client.get_job_logs(job.submission_id)).splitlines() if line.strip()]
    started, ended = (job.start_time or 0) / 1000, (job.end_time or 0) / 1000
    return Submitted(
        id=str(job.submission_id),
        verb=(job.metadata or {}).get("verb", "") or _verb(job.entrypoint),
        status=str(getattr(job.status, "value", job.status)).lower(),
        started=started,
        seconds=max(0.0, (ended or time.time()) - started) if started else 0.0,
        progress=lines[-1].strip()[:120] if lines else "",
    )


def _verb(entrypoint: str) -> str:
    """What a command that was submitted in another way runs."""
    _, found, rest = entrypoint.partition("-m jobs.")
    return rest.split()[0] if found and rest else entrypoint[:18]
