"""What the system knows of another process, without asking it: processor time, memory, where and how it may run.

Each is None where the system does not tell: what needs `/proc` is known on Linux alone.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

PROC = Path("/proc")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
CPUCLOCK_SCHED = 2  # of a process and all its threads, those that ended included: clock_getcpuclockid(3)


def processor_seconds(pid: int) -> float | None:
    """Processor time that a process has used so far, its children's not included."""
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        return None


def resident_bytes(pid: int) -> int | None:
    """What it holds in memory now."""
    try:
        return PAGE_BYTES * int((PROC / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None


def reset_peak_memory(pid: int) -> None:
    """Count the peak from now on, where the system can; elsewhere it is that of the whole process."""
    with contextlib.suppress(OSError):
        (PROC / str(pid) / "clear_refs").write_text("5")


def peak_memory_bytes(pid: int) -> int | None:
    """The most bytes of it that were in memory at once."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    except (OSError, StopIteration, ValueError):
        return None


def is_stopped(pid: int) -> bool:
    """Whether it is stopped by a signal, and so will never answer."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "T"
    except (OSError, IndexError):
        return False


def processors_of(pid: int) -> set[int] | None:
    """The processors that its threads may run on, all taken together."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    try:
        threads = [int(thread.name) for thread in (PROC / str(pid) / "task").iterdir()]
    except OSError:
        return None
    processors: set[int] = set()
    for thread in threads:
        with contextlib.suppress(ProcessLookupError):
            processors |= os.sched_getaffinity(thread)
    return processors


def priority_of(pid: int) -> tuple[int, int] | None:
    """Its scheduling policy and nice value."""
    try:
        return os.sched_getscheduler(pid), os.getpriority(os.PRIO_PROCESS, pid)
    except (OSError, AttributeError):
        return None
