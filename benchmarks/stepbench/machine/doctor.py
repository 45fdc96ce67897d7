"""The machine as a place to measure on: what it is, what it can do, and what would make timings unreliable."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stepbench.machine.children import environment_of_child
from stepbench.machine.threads import environment_for

BUSY_LOAD = 0.3  # of the allowed processors, before anything of ours runs
LIMITS_TIMEOUT_SECONDS = 300.0


def measured_limits(threads: int, largest_bytes: int | None = None) -> dict[str, Any]:
    """The limits under a thread budget, from a fresh process. Raises `RuntimeError` when they cannot be measured.

    Reading is measured up to `largest_bytes`, or far beyond any cache: a run has no use for more than its largest X.
    """
    size = [] if largest_bytes is None else [str(largest_bytes)]
    child = subprocess.run(
        [sys.executable, "-m", "stepbench.machine.limits", *size],
        env=environment_of_child(environment_for(threads)),
        capture_output=True,
        text=True,
        timeout=LIMITS_TIMEOUT_SECONDS,
        check=False,
    )
    if child.returncode != 0:
        raise RuntimeError(f"The limits could not be measured: {child.stderr.strip().splitlines()[-1]}")
    limits: dict[str, Any] = json.loads(child.stdout)
    return limits


def knee_bytes(curve: Sequence[tuple[int, float]]) -> int:
    """The largest working set still read half as fast again as memory: where the caches end, as measured."""
    memory = curve[-1][1]
    return max((size for size, rate in curve if rate > 1.5 * memory), default=curve[0][0])


def warnings_for(machine: dict[str, Any]) -> list[str]:
    """What would make timings on this machine unreliable, in sentences."""
    found = []
    if machine["load_1min"] > BUSY_LOAD * machine["allowed_cpus"]:
        found.append(
            f"The load is {machine['load_1min']:.1f}: something else is running. Wait, or expect wide intervals."
        )
    if machine["governor"] not in (None, "performance"):
        found.append(f"The frequency governor is {machine['governor']!r}; 'performance' gives steadier times.")
    if machine["virtual_machine"]:
        found.append("This is a virtual machine: neighbours share its memory, and its reported caches are the host's.")
    quota = machine["quota_cpus"]
    if quota is not None and quota < machine["allowed_cpus"]:
        found.append(f"A quota of {quota:g} processors is enforced by pausing; use --threads of no more than that.")
    if machine["huge_pages"] == "never":
        found.append("Transparent huge pages are off: reading large arrays costs more address translations.")
    return found


def paste_line(machine: dict[str, Any], limits: dict[str, Any]) -> str:
    """Everything a bug report needs, in one line."""
    memory, fma = limits["read_gb_per_s"][-1][1], limits["fma_gflops"]
    versions = " ".join(f"{name} {version}" for name, version in machine["versions"].items())
    gpus = ", ".join(gpu["model"] for gpu in machine["gpus"]) or "no GPU"
    return (
        f"{machine['cpu']}, {limits['threads']} threads, {machine['memory_bytes'] / 2**30:.0f} GiB, {gpus}, "
        f"read {memory:.0f} GB/s, {fma['float32']:.0f}/{fma['float64']:.0f} GFLOP/s, {machine['system']}, "
        f"Python {machine['python']}, {versions}"
    )


def examination(machine: dict[str, Any], limits: dict[str, Any]) -> RenderableType:
    """The whole of it for a terminal."""
    bandwidth = Table(box=None, header_style="bold", title="Reading, GB/s", title_justify="left", pad_edge=False)
    for name in ("working set", "one thread", f"best of 1 and {limits['threads']}"):
        bandwidth.add_column(name, justify="right")
    one, best = limits["read_gb_per_s_one_thread"], limits["read_gb_per_s"]
    for (size, rate), (_, more) in zip(one, best, strict=True):
        bandwidth.add_row(_binary(size), f"{rate:.3g}", f"{more:.3g}")
    lines = [
        f"caches end, as measured, at {_binary(knee_bytes(best))}",
        f"streaming triad {limits['triad_gb_per_s']:.3g} GB/s",
        *(f"multiply-add {dtype} {rate:.3g} GFLOP/s" for dtype, rate in limits["fma_gflops"].items()),
        f"an empty compiled call {limits['empty_call_seconds'] * 1e9:.0f} ns",
        f"waking the thread pool {limits['pool_wake_seconds'] * 1e6:.2g} µs",
        f"the clock's resolution {limits['clock_resolution_seconds'] * 1e9:.0f} ns",
    ]
    facts = [
        f"{name}: {value}" for name, value in machine.items() if name not in ("versions", "gpus") and value is not None
    ]
    cautions = [Text(f"! {sentence}", style="yellow") for sentence in warnings_for(machine)]
    return Group(*map(Text, facts), Text(""), bandwidth, *map(Text, lines), Text(""), *cautions)


def _binary(size: int) -> str:
    return f"{size // 2**20} MiB" if size >= 2**20 else f"{size // 2**10} KiB"
