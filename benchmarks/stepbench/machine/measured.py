"""What this machine can do, as a fresh process measures it, and what would make timings on it unreliable."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from stepbench.machine.available_memory import available_bytes
from stepbench.machine.child_processes import module, run_to_its_end
from stepbench.machine.children import environment_of_child, somewhere_to_cache
from stepbench.machine.threads import pool_variables
from stepkernels.problem import ProblemError
from stepreports.telling.baseline import altered_lines

BUSY_LOAD = 0.3  # of the allowed processors, before anything of ours runs
LIMITS_TIMEOUT_SECONDS = 240.0  # it takes four to ten, and longer on a machine that is busy
BASE_BYTES, THREAD_BYTES = 2**29, 2**27  # of address space: libraries and 192 MiB of arrays; a thread's stack and heap


class LimitsError(ProblemError):
    """The machine's limits could not be measured; the message is the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The limits of this machine could not be measured: {reason}.")


def measured_limits(threads: int, largest_bytes: int | None = None) -> dict[str, Any]:
    """The limits under a thread budget, from a fresh process. Raises `LimitsError` when they cannot be measured.

    Reading is measured up to `largest_bytes`, or far beyond any cache: a run has no use for more than its largest X.
    """
    _require_memory(threads)
    size = [] if largest_bytes is None else [str(largest_bytes)]
    with somewhere_to_cache() as caches:
        child = run_to_its_end(
            module("stepbench.machine.limits", *size),
            environment_of_child(pool_variables(threads), caches),
            LIMITS_TIMEOUT_SECONDS,
        )
    if child.status is None:
        raise LimitsError(f"no answer came within {LIMITS_TIMEOUT_SECONDS:.0f} seconds")
    try:
        limits: dict[str, Any] = json.loads(child.stdout)
    except ValueError:
        limits = {}
    if child.status != 0 or not limits:
        raise LimitsError(f"the process ended with status {child.status}: {child.last_words}")
    return limits


def _require_memory(threads: int) -> None:
    """Raise `LimitsError` where the measurement would not fit: under too small a limit a library may spin for ever."""
    needed, available = BASE_BYTES + threads * THREAD_BYTES, available_bytes()
    if needed > available:
        raise LimitsError(
            f"they take {needed / 2**30:.1f} GiB with {threads} threads, and {available / 2**30:.1f} GiB are available "
            "to a process, by the machine, its control group and `ulimit -v`"
        )


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
    if machine.get("boost") is False:
        found.append("The processor may not exceed its nominal frequency: times are steadier, and longer.")
    found += [sentence.replace("**", "") for sentence in altered_lines(machine)]
    if names := [altered["variable"] for altered in machine.get("baseline_altered_by") or ()]:
        found.append(f"For a baseline as it would be: unset {' '.join(names)}")
    return found
