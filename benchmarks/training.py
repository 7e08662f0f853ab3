"""What fine-tuning costs beside the libraries' own loops, and how much of the machine it uses: python -m benchmarks.training

Shipibo-Konibo examples as in docs/shipibo.md go through our loop, transformers' Trainer and trl's SFTTrainer: the same small model with
the same adapter, the same ids, the same number of examples in a step, one thread each, in turns, ``--rounds`` times. The libraries
run with the two best settings of ``--grid``. Target tokens are those that are trained; the seconds are of the processor, of all threads.
bfloat16 is used by all or by none, as a measurement of products decides. ``--sample`` takes the embedded language, ``--raw`` a folder like
``../shared/data/languages/shp/raw``, ``--gpu`` trains Qwen3-14B's sizes in 4 bits instead. The peers: ``pip install trl datasets``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: threads that wait by spinning would count as work

import argparse
import logging
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from benchmarks.training_peers import BEST, GRID, Meter, Work, by_library, by_us
from benchmarks.training_share import LARGE, SMALL, Linears, nominal, random_base, report
from jobs import align, format, ingest, sample
from seshat.cluster.connect import connect
from seshat.cluster.train import train
from seshat.command import read_settings
from seshat.prompts import ChatTokenizer
from seshat.settings import Settings
from seshat.store import Store
from seshat.training import run
from seshat.training.model import add_lora, load_base
from seshat.training.pack import pack
from seshat.training.settings import Lora, Training

RAW = Path("shared", "data", "languages", "shp", "raw")
PARTS = ("libraries", "share", "start")
STEPS, WARM = 50, 5
SHARE_STEPS, SHARE_WARM = 8, 2
GOALS = {"trl": 2.5, "Trainer": 1.5}
CPU = torch.device("cpu")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print all figures."""
    asked = _parser().parse_args(arguments)
    torch.set_num_threads(asked.threads)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    raw = asked.raw or next((parent / RAW for parent in Path(__file__).resolve().parents if (parent / RAW).is_dir()), None)
    if raw is None and not asked.sample:
        print(f"skipped: there is no {RAW} beside the project; name --raw FOLDER, or take the embedded language with --sample")
        return
    if asked.gpu and not torch.cuda.is_available():
        print("skipped: torch finds no GPU here")
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(asked.root or folder, raw, asked.sample, asked.precision)
        for job in (*((sample,) if sample.wanted(settings) else ()), ingest, align, format):
            job.run(settings)
        job = run.prepare(settings.training, settings.language, settings.prompts, Store(settings.root))
        print(f"{job.rows.num_examples:,} examples in {len(job.rows):,} rows of {job.training.max_seq_length} tokens; {_machine()}\n")
        if asked.gpu:
            _on_gpu(job)
            return
        bf16 = asked.parts != ["start"] and _faster_in_bf16()
        if "libraries" in asked.parts:
            _beside_libraries(job, asked, bf16)
        if "share" in asked.parts:
            _share(job, bf16)
        if "start" in asked.parts:
            _start(settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART", help=f"some of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--raw", type=Path, help="raw material of Shipibo-Konibo, as people keep it")
    parser.add_argument("--sample", action="store_true", help="the embedded sample language instead")
    parser.add_argument("--root", help="a workspace to keep, so that the next run need not make the examples")
    parser.add_argument("--precision", choices=("lora", "nf4"), default="lora", help="of the small model's base, for all parties")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--grid", action="store_true", help="all settings of the libraries; takes long")
    parser.add_argument("--gpu", action="store_true", help="Qwen3-14B's sizes in 4 bits on a GPU, beside trl")
    return parser


def _settings(root: str, raw: Path | None, embedded: bool, precision: str) -> Settings:
    shipibo = [
        "language=configs/languages/shp.yaml",
        f"data.raw={raw}",
        "ingest.line_by_line=[translations/educational]",
        "data.sample=false",
    ]
    ours = ["training=configs/training/shipibo.yaml", f"training.precision={precision}", "training.num_workers=1", "training.small.steps=1"]
    common = [f"root={root}", "execution=local", "training.tracking=false", "training.bf16=false", "cluster.dashboard=false"]
    return read_settings("configs/quickstart.yaml", [*([] if embedded else shipibo), *ours, *common])


def _machine() -> str:
    import transformers

    peers = f", trl {__import__('trl').__version__}" if find_spec("trl") else ""
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}{peers}"
    return f"{torch.get_num_threads()} thread(s) of {os.cpu_count()} cores, {versions}"


def _faster_in_bf16() -> bool:
    """Whether products of the larger model are faster in bfloat16."""
    linears = Linears.of(random_base(SMALL, 400, torch.float32, CPU, four_bits=False))
    rates = {dtype: linears.rate(512, dtype, CPU) / 1e9 for dtype in (torch.float32, torch.bfloat16)}
    best = max(rates, key=rates.__getitem__)
    figures = ", ".join(f"{str(dtype).removeprefix('torch.')} {rate:.1f}" for dtype, rate in rates.items())
    print(f"matrix products, GFLOP in a second of the processor: {figures}; so everything below is in {str(best).removeprefix('torch.')}\n")
    return best is torch.bfloat16


def _beside_libraries(job: run.Job, asked: argparse.Namespace, bf16: bool) -> None:
    store = Store(job.root)
    training = Training.model_validate(job.training.model_dump() | {"bf16": bf16})
    tokenizer = ChatTokenizer.load(store.path(job.base))

    def model() -> Any:
        return add_lora(load_base(store.path(job.base), training, CPU), training.lora, seed=training.seed)

    parties: dict[str, Callable[[Work], Meter]] = {"ours": by_us}
    for library, settings in (GRID if asked.grid else BEST).items():
        if library == "Trainer" or (find_spec("trl") and find_spec("datasets")):
            parties |= {f"{library}, {setting}": partial(by_library, library, setting) for setting in settings}
    meters: dict[str, list[Meter]] = {name: [] for name in parties}
    for number in range(asked.rounds):
        steps = range(number * (WARM + STEPS), (number + 1) * (WARM + STEPS))
        for name, party in parties.items():
            meters[name].append(party(Work(training, model, tokenizer, job.rows, steps, WARM)))
            print(f"round {number + 1}: {name:<30}{_rate(meters[name][-1]):>8,.0f} targets/CPU s", flush=True)
    title = f"small model, {job.training.precision}"
    print(f"{title:<30}{'targets/CPU s':>14}{'padding':>9}{'ours is':>9}   in each round")
    ratios = {name: [_rate(us) / _rate(other) for us, other in zip(meters["ours"], found, strict=True)] for name, found in meters.items()}
    for name, found in meters.items():
        tokens, places = (sum(meter.held[index] for meter in found) for index in (1, 2))
        rate = statistics.median(map(_rate, found))
        each = "  ".join(f"{ratio:.2f}" for ratio in ratios[name])
        print(f"{name:<30}{rate:>14,.0f}{1 - tokens / places:>9.1%}{statistics.median(ratios[name]):>8.2f}x   {each}")
    for library, goal in GOALS.items():
        of_library = [statistics.median(found) for name, found in ratios.items() if name.startswith(library)]
        print(f"against {library} at its best: {min(of_library):.2f}x (goal {goal}x)" if of_library else f"{library} is not installed")
    waiting = sum(meter.data_seconds for meter in meters["ours"]) / sum(meter.seconds for meter in meters["ours"])
    print(f"ours: {waiting:.2%} of a step is reading rows and putting them side by side (goal: below 2%)\n")


def _rate(meter: Meter) -> float:
    """Target tokens in a second."""
    return meter.held[0] / meter.seconds


def _share(job: run.Job, bf16: bool) -> None:
    """The share of the machine's arithmetic that a larger model's training does."""
    dtype = torch.bfloat16 if bf16 else torch.float32
    work, linears = _larger(job, SMALL, 4_000, dtype, CPU, job.training.max_seq_length)
    rate = linears.rate(2 * job.training.max_seq_length, dtype, CPU)
    print(f"{linears.weights / 1e6:.0f} million weights in {dtype}, LoRA r=64; products of its shapes: {rate / 1e9:.1f} GFLOP/s")
    report("ours", linears, by_us(work), work, rate)
    print("(goal: 45%)\n")


def _larger(
    job: run.Job, sizes: dict[str, int], vocabulary: int, dtype: torch.dtype, device: torch.device, length: int
) -> tuple[Work, Linears]:
    """What is to be trained of a model with these sizes and random weights, and its linear layers."""
    gpu = device.type == "cuda"
    changes: dict[str, Any] = {
        "max_seq_length": length,
        "per_device_train_batch_size": 1 if gpu else 2,
        "lora": Lora(),
        "bf16": dtype is torch.bfloat16,
    }
    training = Training.model_validate(job.training.model_dump() | changes)
    store = Store(job.root)
    tokenizer = ChatTokenizer.load(store.path(job.base))
    rows = job.rows
    if length != job.training.max_seq_length:
        rows = pack((chat for number in range(len(rows)) for chat in rows[number]), {"rows": rows.name}, length, 1, store)
    linears = Linears.of(random_base(sizes, vocabulary, dtype, torch.device("meta"), four_bits=False))

    def model() -> Any:
        return add_lora(random_base(sizes, vocabulary, dtype, device, four_bits=gpu), training.lora, seed=1)

    return Work(training, model, tokenizer, rows, range(SHARE_WARM + SHARE_STEPS), SHARE_WARM, device), linears


def _on_gpu(job: run.Job) -> None:
    """QLoRA of Qwen3-14B's sizes with random weights, in packed rows of 2,048 tokens, beside trl."""
    device, length = torch.device("cuda"), 2048
    work, linears = _larger(job, LARGE, 151_936, torch.bfloat16, device, length)
    rate = linears.rate(length, torch.bfloat16, device)
    print(
        f"{torch.cuda.get_device_name()}: {rate / 1e12:.0f} TFLOP/s in products of Qwen3-14B's shapes, {nominal(device) / 1e12:.0f} nominal"
    )
    parties: dict[str, Callable[[Work], Meter]] = {"ours": by_us}
    if find_spec("trl"):
        parties["trl, packed"] = partial(by_library, "trl", "packed")
    for name, party in parties.items():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        share = report(name, linears, party(work), work, rate)
        of_nominal = f", {share * rate / nominal(device):.1%} of the nominal rate" if nominal(device) else ""
        print(f"{'':<24}{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB at the most{of_nominal}")


def _start(settings: Settings) -> None:
    """Seconds from a job to its first step in a Ray session that is open."""
    with connect(settings):
        for name, seed in (("rows packed before", settings.training.seed), ("rows to be packed", int(time.time()))):
            changes = {"name": f"start-{seed}", "seed": seed, "max_steps": 2, "save_steps": 1, "eval_steps": 1_000_000}
            training = Training.model_validate(settings.training.model_dump() | changes)
            store, began = Store(settings.root), time.time()
            shutil.rmtree(store.path(f"models/adapters/{training.name}"), ignore_errors=True)  # a kept workspace may have it
            train(training, settings.language, settings.prompts, store)
            first = Path(store.path(f"models/adapters/{training.name}/checkpoints/step-000001/state.json")).stat().st_mtime
            print(f"training start, {name}: {first - began:.1f} s from job to first step (goal: below 20 s)")


if __name__ == "__main__":
    main()
