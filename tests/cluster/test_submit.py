"""``ray job submit`` against a head with token authentication, as the guide's users do it."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ray.job_submission import JobDetails, JobStatus

from jobs import format
from jobs import submit as submit_job
from seshat.cluster.submit import check_upload, follow
from seshat.errors import ConfigError
from seshat.store import Store
from tests.cluster.head import Head, here, overrides


@pytest.mark.ray
def test_an_anonymous_request_is_refused(head: Head) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{head.address}/api/jobs/", timeout=10)
    assert refused.value.code == 401


@pytest.mark.ray
def test_align_runs_as_a_submitted_job(aligned: Path) -> None:
    manifest = Store(str(aligned)).manifest("data/processed/align")
    assert manifest is not None
    assert manifest.kept > 100


@pytest.mark.slow
@pytest.mark.ray
def test_train_runs_as_a_submitted_job(head: Head, aligned: Path) -> None:
    here(format.run, aligned)
    tiny = ["model=small", "small.steps=2", "max_steps=2", "name=submitted", "max_seq_length=128", "lora.r=4", "tracking=false"]
    tiny += ["num_workers=1", "cpus_per_worker=1", "per_device_train_batch_size=1", "gradient_accumulation_steps=1", "evaluator.sample=0"]
    trained = head.submit("python", "-m", "jobs.train", *overrides(aligned), *tiny)
    assert trained.returncode == 0, trained.stdout + trained.stderr
    assert Store(str(aligned)).manifest("models/adapters/submitted") is not None


@pytest.mark.ray
def test_operators_carry_the_names_of_the_stages(head: Head, aligned: Path) -> None:
    jobs = [job["job_id"] for job in head.get("/api/jobs/") if job["job_id"]]
    datasets = [dataset for job in jobs for dataset in head.get(f"/api/data/datasets/{job}")["datasets"]]
    operators = " ".join(operator["name"] for dataset in datasets for operator in dataset["operators"])
    assert "align" in operators


@pytest.mark.ray
def test_a_relative_root_is_refused_in_a_submitted_job(head: Head) -> None:
    done = head.submit("python", "-m", "jobs.ingest", "--config", "configs/data/pipeline.yaml")
    assert done.returncode != 0
    assert "set root to an absolute path" in done.stdout


@pytest.mark.ray
def test_seshat_submit_does_the_same_and_seshat_jobs_lists_it(head: Head, aligned: Path) -> None:
    done = head.seshat("submit", "align", *overrides(aligned))
    assert done.returncode == 0, done.stdout + done.stderr
    first, *rest = done.stdout.splitlines()
    job = first.split()[3]
    assert re.fullmatch(r"align: submitted as raysubmit_\w+ \([\d.]+ MB of code\)", first)
    assert any("kept" in line for line in rest), "what the verb prints arrives"
    listed = head.seshat("jobs")
    assert listed.returncode == 0, listed.stderr
    [line] = [line for line in listed.stdout.splitlines() if job in line]
    assert line.split()[1:3] == ["align", "succeeded"]
    everything = json.loads(head.seshat("jobs", "--json").stdout)
    assert [one["verb"] for one in everything].count("align") >= 2, "those of 'ray job submit', too"
    assert "Ignoring upload" not in done.stderr


@pytest.mark.ray
def test_the_doctor_looks_at_every_node_and_its_locks(head: Head, aligned: Path) -> None:
    done = head.seshat("submit", "doctor", "--cluster", *overrides(aligned))
    found = [line.split(maxsplit=2) for line in done.stdout.splitlines() if line.startswith(("PASS", "WARN", "FAIL"))]
    said = {what: (verdict, text) for verdict, what, text in found}
    assert said["dashboard"][1].endswith("refuses a stranger (401)"), "that of the cluster; the port of the machine comes first"
    assert (said["gcs"][0], said["gcs"][1].endswith("refuses a stranger")) == ("PASS", True)
    assert said["nodes"] == ("PASS", "1 alive")
    assert said["versions"][0] == "PASS"
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.ray
def test_prometheus_can_read_what_a_job_did(head: Head, aligned: Path) -> None:
    deadline, text = time.monotonic() + 60, ""
    while "ray_seshat_records" not in text and time.monotonic() < deadline:
        time.sleep(0.5)
        with urllib.request.urlopen(head.metrics, timeout=10) as answer:
            text = answer.read().decode()
    kept = re.findall(r'^ray_seshat_records(?:_total)?\{.*result="kept".*stage="(?:align|aligned)".*\} ([\d.]+)$', text, re.MULTILINE)
    assert kept, "\n".join(line for line in text.splitlines() if "seshat" in line)
    assert sum(map(float, kept)) > 100


@pytest.mark.ray
def test_the_exit_code_is_that_of_the_job(head: Head, tmp_path: Path) -> None:
    done = head.seshat("submit", "align", *overrides(tmp_path / "nothing"))
    assert (done.returncode, "run 'make ingest' first" in done.stdout) == (1, True), done.stdout + done.stderr
    times = [int(job["runtime_env"].get("env_vars", {}).get("RAY_JOB_STOP_WAIT_TIME_S", 3)) for job in head.get("/api/jobs/")]
    assert max(times) >= 60, "a job that is stopped has time to write a checkpoint"
    done = head.seshat("submit", "align", *overrides(tmp_path), "align.band=none")
    assert done.returncode == 2, done.stdout + done.stderr


@pytest.mark.ray
def test_a_wrong_token_is_named(head: Head, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("b" * 64)
    done = head.seshat("jobs", RAY_AUTH_TOKEN_PATH=str(token))
    assert done.returncode == 1
    assert "token" in done.stderr
    assert "Traceback" not in done.stderr


# What is said before anything is uploaded


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["algin"], "did you mean 'align'"),
        (["serve"], "no verb 'serve' that can run as a job"),
        (["align", "root=work"], "root: 'work' is relative"),
        (["align", "root=/work", "x=1"], "No cluster answers at http://127.0.0.1:9"),
    ],
)
def test_mistakes_are_said_before_the_upload(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert submit_job.main(["--address", "http://127.0.0.1:9", *arguments]) in (1, 2)
    assert said in capsys.readouterr().err


def test_what_is_too_large_to_be_code_is_named(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("models/\n")
    for name, size in {"a.py": 10, "scans/page.tif": 3_000_000, "audio.wav": 2_000_000, "models/big.bin": 9_000_000}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    with pytest.raises(
        ConfigError, match=r"5 MB, more than the 1 MB .*largest are scans/page\.tif \(3\.0 MB\), audio\.wav \(2\.0 MB\)"
    ) as told:
        check_upload(tmp_path, most=1_000_000)
    assert "models" not in str(told.value), "what .gitignore names stays here"
    assert check_upload(tmp_path) == 5_000_010 + len("models/\n")


class Interrupted:
    """A cluster whose user presses Ctrl-C once."""

    def __init__(self) -> None:
        self.stopped, self.pressed = False, 0

    async def tail_job_logs(self, job: str) -> AsyncIterator[str]:
        yield f"{job} works\n"
        self.pressed += 1
        if self.pressed == 1:
            raise KeyboardInterrupt

    def stop_job(self, job: str) -> None:
        self.stopped = True

    def get_job_status(self, job: str) -> JobStatus:
        return JobStatus.SUCCEEDED

    def get_job_info(self, job: str) -> JobDetails:
        return JobDetails(type="SUBMISSION", status=JobStatus.SUCCEEDED, entrypoint="python")


@pytest.mark.parametrize(("choice", "code", "stopped", "shown"), [("stop", 130, True, 1), ("leave", 130, False, 1), ("ask", 0, False, 2)])
def test_ctrl_c_asks_what_becomes_of_the_job(choice: str, code: int, stopped: bool, shown: int) -> None:
    client, printed = Interrupted(), list[str]()
    assert follow(client, "job", interrupted=lambda: choice, out=printed.append) == code  # type: ignore[arg-type]
    assert (client.stopped, printed) == (stopped, ["job works\n"] * shown)


def test_without_a_terminal_nobody_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert submit_job._ask("job_1") == "leave"
    assert "'ray job stop job_1' ends it" in capsys.readouterr().err
