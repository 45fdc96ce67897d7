"""What this machine can do, as a fresh process measures it, and what would make timings on it unreliable."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from stepbench.machine.children import environment_of_child
from stepbench.machine.threads import pool_variables

BUSY_LOAD = 0.3  # of the allowed processors, before anything of ours runs
LIMITS_TIMEOUT_SECONDS = 300.0


def measured_limits(threads: int, largest_bytes: int | None = None) -> dict[str, Any]:
    """The limits under a thread budget, from a fresh process. Raises `RuntimeError` when they cannot be measured.

    Reading is measured up to `largest_bytes`, or far beyond any cache: a run has no use for more than its largest X.
    """
    size = [] if largest_bytes is None else [str(largest_bytes)]
    child = subprocess.run(
        [sys.executable, "-m", "stepbench.machine.limits", *size],
        env=environment_of_child(pool_variables(threads)),
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
