"""The memory of a process: the most it held, as the system counts it."""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path

PROCESS = Path("/proc/self")


def reset_peak_memory() -> None:
    """Count the peak from now on, where the system can: Linux. Elsewhere it is that of the whole process."""
    with contextlib.suppress(OSError):
        (PROCESS / "clear_refs").write_text("5")


def peak_memory_bytes() -> int:
    """The most bytes of this process that were in memory at once.

    Not by `getrusage` where there is another way: on Linux a child starts with its parent's peak.
    """
    with contextlib.suppress(OSError, StopIteration):
        lines = (PROCESS / "status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
