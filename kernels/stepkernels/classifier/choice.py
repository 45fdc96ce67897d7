"""Which row computes: the one that was named, or what the catalogue says "auto" takes at this size."""

from __future__ import annotations

from stepkernels.catalog import CATALOG, rows_named
from stepkernels.interface import Implementation
from stepkernels.problem import ProblemError

AUTO = "auto"


def choose_row(name: str, elements: int, storage: str | None = None) -> Implementation:
    """The row called `name`, or the fastest available CPU row for so many elements of X when it is "auto".

    With a `storage`, "auto" takes those alone that keep X in it; raises `ProblemError` where none of them can run.

    Only "auto" ever chooses: a named row that cannot run here raises `ProblemError`. "auto" stays on the CPU, since
    whether a GPU repays the copy of X depends on how many steps follow; ask for a CUDA row by its name.
    """
    if name == AUTO:
        able = (row for least, row in auto_rows() if elements >= least)
        keeping = (row for row in able if storage is None or storage in row.storages)
        found = next((row for row in keeping if row.unavailable() is None), None)
        if found is None:
            raise ProblemError(f"No row that keeps X in {storage} can run here: Numba is not installed, or is off.")
        return found
    row = rows_named([name])[0]
    if reason := row.unavailable():
        raise ProblemError(f"{name} cannot run here: {reason}.")
    return row


def auto_rows() -> list[tuple[int, Implementation]]:
    """What "auto" takes the first available of, each with the fewest elements of X that it is taken for.

    The row of the largest such number comes first, and of equal ones the later row of the catalogue.
    """
    rows = [(row.auto_from, row) for row in reversed(CATALOG.values()) if row.auto_from is not None]
    return sorted(rows, key=lambda pair: -pair[0])
