"""The memory this process may still take, and a refusal of data that would not fit: before they are unpacked."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from stepbench.machine.available_memory import group_bytes
from stepkernels.problem import ProblemError

BYTES_OF_A_NUMBER = 8  # float64, which every feature becomes
VECTORS = 8  # with a value for each row, that stand beside copies: labels, an order of the rows, margins, residuals


def require_memory(name: str, rows: int, columns: int, copies: float, table_bytes: int | None = None) -> None:
    """Raise `ProblemError` when a table as large as declared, and copies of its features, would not fit."""
    numbers = rows * columns * BYTES_OF_A_NUMBER
    table = numbers if table_bytes is None else table_bytes
    beside = copies * numbers + (VECTORS * rows * BYTES_OF_A_NUMBER if copies else 0.0)
    told = f", {gib(table + beside)} with the copies that are made of it" if copies else ""
    require_bytes(f"{name}, {rows:,} × {columns:,} values,", table, beside, told)


def require_bytes(name: str, held: float, beside: float = 0.0, told: str = "") -> None:
    """Raise `ProblemError` when so many bytes, and those beside them, would not fit."""
    if held + beside > (free := free_bytes()):
        raise ProblemError(f"{name} takes {gib(held)} of memory{told}; {gib(free)} are available.")


@contextmanager
def memory_in_sentences(name: str) -> Iterator[None]:
    """Turn an allocation that failed into a `ProblemError`."""
    try:
        yield
    except (MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.ENOMEM:  # as a map is refused that is too large
            raise
        raise ProblemError(f"The memory that is available did not suffice for {name} ({error}).") from error


def free_bytes(processes: int = 1) -> int:
    """What each of so many processes may take: of the machine's and the control groups' an equal part, its own limits.

    The processes are in the control groups of this one, or in others that are limited as much.
    """
    shared = min([psutil.virtual_memory().available, *group_bytes()])
    return int(max(0, min([shared // processes, *left_of_limits()])))


def left_of_limits() -> Iterator[int]:
    """What `ulimit -v` and `ulimit -d` leave this process."""
    import resource

    held = psutil.Process().memory_info()
    for limit, used in (("RLIMIT_AS", held.vms), ("RLIMIT_DATA", getattr(held, "data", 0))):
        most, _ = resource.getrlimit(getattr(resource, limit))
        if most != resource.RLIM_INFINITY and sys.platform == "linux":
            yield most - used


def gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
