"""Runs made of plain dicts, in the format the harness writes: what the tests of the report read.

The times follow a simple model, so that the tests know what a report must say: a fixed cost of a call, and passes
over X at the bandwidth of the cache level that holds it, each turn with a little noise.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, pstdev
from typing import Any

from stepreports.records.journal import SCHEMA


@dataclass(frozen=True)
class ModelRow:
    """What a synthetic row costs: seconds a call, nanoseconds an element of X, and before the first step."""

    name: str
    library: str
    technique: str
    call_seconds: float
    ns_per_element: float
    device: str = "cpu"
    passes: int = 2
    start_seconds: float = 0.01
    import_seconds: float = 0.1
    max_elements: float = float("inf")
    ops: tuple[str, ...] = ("forward", "backward", "gradient", "update", "step")
    summary: str = ""


ROWS = (
    ModelRow("python-loop", "python", "interpreted loop", 2e-6, 90.0, max_elements=2e6, import_seconds=1e-4,
             start_seconds=1e-4, summary="Sample by sample and feature by feature in the interpreter: the baseline."),
    ModelRow("numpy-blas", "numpy", "matrix form", 9e-6, 0.55, import_seconds=0.08, start_seconds=1e-3,
             summary="Two BLAS calls and a dozen vector operations, compiled and threaded."),
    ModelRow("numba-loop", "numba", "compiled loop", 1.1e-6, 1.3, start_seconds=1.2, import_seconds=0.6,
             summary="The loop of python-loop, compiled: no interpreter and no objects."),
    ModelRow("numba-fused", "numba", "fused pass", 1.3e-6, 0.52, passes=1, start_seconds=2.1, import_seconds=0.6,
             summary="Forward and backward in one pass: X is read once."),
    ModelRow("numba-fused-parallel", "numba", "fused pass, parallel", 9e-6, 0.30, passes=1, start_seconds=3.4,
             import_seconds=0.6, summary="The fused pass over row blocks, one a core."),
    ModelRow("torch-manual-cpu", "torch", "manual gradient", 31e-6, 0.60, import_seconds=1.7,
             summary="The matrix form on tensors."),
    ModelRow("torch-autograd-cpu", "torch", "automatic differentiation", 140e-6, 0.66, import_seconds=1.7,
             summary="A module, a loss and backward(), as PyTorch users write it."),
    ModelRow("torch-manual-cuda", "torch", "manual gradient", 85e-6, 0.010, "cuda", import_seconds=1.7,
             start_seconds=0.4, summary="The same on a GPU."),
    ModelRow("cupy-fused", "cupy", "fused kernel", 24e-6, 0.004, "cuda", passes=1, import_seconds=0.9,
             start_seconds=0.7, summary="One kernel, one pass over X, the update on the device."),
)  # fmt: skip
LESSON_ROWS = (
    *ROWS,
    ModelRow("numba-fused-simple", "numba", "fused loop", 1.2e-6, 0.95, passes=1, start_seconds=0.9,
             import_seconds=0.6, summary="One pass over X in plain loops."),
)  # fmt: skip
READ_LIMIT = ModelRow("read-limit", "stepbench", "read kernel", 1e-6, 0.27, passes=1)
READ_LIMIT_GPU = ModelRow("read-limit-cuda", "stepbench", "read kernel", 4e-6, 0.0035, "cuda", passes=1)
LIMITS = {"cpu": READ_LIMIT, "cuda": READ_LIMIT_GPU}

SIZES = ((569, 30, "breast-cancer"), (1000, 20, "synthetic"), (20_000, 50, "synthetic"), (100_000, 100, "synthetic"),
         (1_000_000, 20, "synthetic"))  # fmt: skip

MACHINE: dict[str, Any] = {
    "cpu": "Example 9000 8-Core Processor",
    "cores": 2,
    "threads": 4,
    "allowed_cpus": 2,
    "quota_cpus": 2.0,
    "caches": {"L1": 32_768, "L2": 1_048_576, "L3": 33_554_432},
    "virtual_machine": True,
    "governor": None,
    "load_1min": 0.1,
    "memory_bytes": 16 * 2**30,
    "python": "3.11.7",
    "versions": {"numpy": "2.3.1", "numba": "0.62.0", "torch": "2.9.0"},
    "gpus": [{"model": "Example GPU 80 GB", "driver": "570.1", "power_limit_watts": 400}],
    "limits": {
        "read_gb_per_s": [
            [32_768, 180.0],
            [1_048_576, 95.0],
            [8_388_608, 60.0],
            [134_217_728, 29.0],
            [536_870_912, 28.5],
        ],
        "fma_gflops": {"float32": 190.0, "float64": 95.0},
    },
}


def entry(
    row: ModelRow,
    m: int,
    n: int,
    dataset: str = "synthetic",
    /,
    *,
    op: str = "step",
    dtype: str = "float64",
    optimizer: str = "gd",
    steps: int = 1,
    threads: int = 2,
    cache: str = "warm",
    replica: int = 0,
    generations: int = 2,
    turns: int = 6,
    noise: float = 0.01,
    slowdown: float = 1.0,
    seed: int = 0,
    **changed: Any,
) -> dict[str, Any]:
    """One benchmark of the model; `changed` overrides keys of its extra_info."""
    draw = random.Random(f"{seed} {row.name} {m} {n} {op} {dtype} {replica} {cache} {threads}")
    share = {"forward": 0.55, "backward": 0.42, "update": 0.01}.get(op, 1.0)
    elements = m * n * (0.5 if dtype == "float32" else 1.0)
    seconds = slowdown * steps * (row.call_seconds + share * row.ns_per_element * 1e-9 * elements)
    data, generation, turn = [], [], []
    for g in range(generations):
        process = 1 + noise / 4 * draw.gauss(0, 1)
        for t in range(turns):
            data.append(seconds * process * (1 + abs(noise * draw.gauss(0, 1))))
            generation.append(g)
            turn.append(t)
    first = row.start_seconds
    extra = {
        "schema": SCHEMA, "run_id": "example", "role": "limit" if row in LIMITS.values() else "row",
        "row": row.name, "replica": replica, "library": row.library, "library_version": "1.0",
        "technique": row.technique, "summary": row.summary, "device": row.device, "op": op, "steps": steps,
        "train_as_steps": op == "train" and "train" not in row.ops, "dtype": dtype, "optimizer": optimizer,
        "m": m, "n": n, "dataset": dataset, "threads": threads, "pools": {"blas": threads}, "cache": cache,
        "generation": generation, "turn": turn, "order": [0] * len(data), "seed": seed,
        "passes_over_x": row.passes, "bytes": m * n * (4 if dtype == "float32" else 8) * steps,
        "flops": 4 * m * n * steps, "implausible": False,
        "agreement": {name: draw.uniform(0.01, 0.3) for name in ("J", "gw", "gb", "w", "b")},
        "import_seconds": [row.import_seconds] * generations,
        "bind_seconds": [1e-3 + 1e-10 * elements] * generations,
        "first_call_seconds": [first] + [first / 10] * (generations - 1),
        "copy_to_device_seconds": [8 * elements / 12e9] * generations if row.device == "cuda" else None,
    }  # fmt: skip
    if row.device == "cuda":
        extra["device_seconds"] = [0.9 * seconds for seconds in data]
        extra["device_state"] = {"throttled": False, "temperature_celsius": 51}
    name = f"{op}[{row.name}-{replica}-{m}x{n}-{dataset}-{dtype}-{optimizer}-{cache}-{threads}-{steps}]"
    return {"group": op, "name": name, "fullname": f"suite::{name}", "params": None, "param": None, "options": {},
            "stats": _stats(data), "extra_info": extra | changed}  # fmt: skip


def _stats(data: Sequence[float]) -> dict[str, Any]:
    return {
        "min": min(data), "max": max(data), "mean": mean(data), "stddev": pstdev(data), "rounds": len(data),
        "median": median(data), "iqr": 0.0, "q1": min(data), "q3": max(data), "iqr_outliers": 0, "stddev_outliers": 0,
        "outliers": "0;0", "ld15iqr": min(data), "hd15iqr": max(data), "ops": 1 / mean(data), "total": sum(data),
        "iterations": 1, "data": list(data),
    }  # fmt: skip


def entries(
    rows: Iterable[ModelRow] = ROWS,
    sizes: Iterable[tuple[int, int, str]] = SIZES,
    dtypes: Iterable[str] = ("float64", "float32"),
    **options: Any,
) -> list[dict[str, Any]]:
    """What a standard run stores: steps at every size, phases at two, a train, the read kernel, the control twice."""
    rows, sizes, found = tuple(rows), tuple(sizes), []
    for dtype in dtypes:
        for m, n, dataset in sizes:
            found += [entry(row, m, n, dataset, dtype=dtype, **options) for row in rows if m * n <= row.max_elements]
            found += [
                entry(r, m, n, dataset, dtype=dtype, replica=1, **options) for r in rows if r.name == "numpy-blas"
            ]
            devices = {row.device for row in rows}
            found += [entry(LIMITS[device], m, n, dataset, dtype=dtype, **options) for device in sorted(devices)]
    for m, n, dataset in sizes[-3:-1]:
        for op in ("forward", "backward", "gradient", "update"):
            fits = [row for row in rows if op in row.ops and m * n <= row.max_elements]
            found += [entry(row, m, n, dataset, op=op, **options) for row in fits]
    m, n, dataset = sizes[0]
    found += [entry(row, m, n, dataset, op="train", steps=100, **options) for row in rows]
    return found


FAILURES: tuple[dict[str, Any], ...] = (
    {"row": "python-loop", "case": "step float64 20,000 × 50", "op": "step", "dtype": "float64", "m": 100_000, "n": 100,
     "dataset": "synthetic", "generation": None, "kind": "too-much-work", "skipped": True,
     "reason": "10,000,000 elements are more than the 2,000,000 this row is timed at"},
    {"row": "jax-jit-cuda", "case": None, "op": None, "dtype": None, "m": None, "n": None, "dataset": None,
     "generation": None, "kind": "unavailable", "skipped": True,
     "reason": "jax is not installed; install it with: python -m pip install 'stepbench[jax]'"},
    {"row": "triton-fused", "case": "step float32 1,000 × 20", "op": "step", "dtype": "float32", "m": 1000, "n": 20,
     "dataset": "synthetic", "generation": 1, "kind": "crash", "skipped": False,
     "reason": "the process ended with signal 11 (segmentation fault)"},
)  # fmt: skip


SELF_TEST: dict[str, Any] = {
    "bias": {"1e-06": 0.034, "5e-06": 0.0075, "5e-05": 0.0011, "0.002": -0.0002},
    "empty_seconds": 1.5e-07, "slower": 0.05,
    "margin": 0.0123, "same": 200, "false_alarms": 1, "slowed": 200, "able": 160, "seen": 158, "passed": True,
    "versions": {"same": 200, "false_alarms": 0, "slower": 0.05, "slowed": 200, "able": 90, "seen": 90},
    "layout": {"alike": 0.0041, "environment drawn": 0.0063, "offset of X drawn": 0.0187},
    "places": [
        {"place": "in the private cache", "margin": 0.0104, "same": 120, "false_alarms": 0, "slowed": 120, "able": 118,
         "seen": 118},
        {"place": "in the shared cache", "margin": 0.0123, "same": 80, "false_alarms": 1, "slowed": 80, "able": 42,
         "seen": 40},
    ],
}  # fmt: skip


def write_self_test(path: Path, figures: Mapping[str, Any] | None = None, **machine: Any) -> Path:
    """What `stepbench doctor --self-test --json PATH` writes, on the machine of the runs unless told otherwise."""
    stored = {"machine": MACHINE | machine, "limits": MACHINE["limits"], "self_test": figures or SELF_TEST}
    path.write_text(json.dumps(stored))
    return path


_OF_CASE = {"participant": "a", "case": "c", "generation": 0}
SITTING: tuple[dict[str, Any], ...] = (  # ten seconds, of which two rounds of ten iterations take two
    {"event": "run", "schema": SCHEMA, "elapsed_seconds": 0.1},
    {"event": "bound", "elapsed_seconds": 4.0, **_OF_CASE, "iterations": 10},
    {"event": "round", "elapsed_seconds": 7.0, **_OF_CASE, "turn": 0, "seconds": 0.1},
    {"event": "round", "elapsed_seconds": 10.0, **_OF_CASE, "turn": 1, "seconds": 0.1},
)


def write_journal(folder: Path, *segments: Sequence[Mapping[str, Any]]) -> Path:
    """A journal of one or more sittings, each a list of events."""
    lines = [json.dumps(event) for events in segments for event in events]
    (folder / "journal.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def write_run(
    folder: Path,
    benchmarks: Sequence[Mapping[str, Any]] | None = None,
    failures: Sequence[Mapping[str, Any]] = FAILURES,
    *,
    run_id: str = "example",
    machine: Mapping[str, Any] = MACHINE,
) -> Path:
    """A run folder with these benchmarks (a standard run unless given)."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {
        "machine_info": machine,
        "commit_info": {"id": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
        "datetime": "2025-03-01T12:00:00+00:00",
        "version": "5.1.0",
        "benchmarks": entries() if benchmarks is None else list(benchmarks),
    }
    (folder / "benchmark.json").write_text(json.dumps(stored))
    (folder / "failures.json").write_text(json.dumps({"schema": SCHEMA, "run_id": run_id, "failures": list(failures)}))
    return folder
