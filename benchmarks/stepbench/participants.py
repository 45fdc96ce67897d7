"""Who takes turns: the rows, one of them twice (the A/A control), and the read kernel that is the machine's limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stepkernels.catalog import CATALOG
from stepkernels.interface import Implementation, Op
from stepkernels.problem import ProblemError

LIMIT = Implementation(
    name="read-limit",
    module="stepbench.read_limit",
    library="numba",
    technique="reads X once and does nothing else",
    summary="The time in which this machine can read X: no implementation can be faster.",
    ops=(Op.FORWARD, Op.BACKWARD, Op.GRADIENT, Op.STEP, Op.TRAIN),
    passes_over_x=1,
)


@dataclass(frozen=True, slots=True)
class Participant:
    """A process of a generation. Replica 1 is the second copy of the control row."""

    row: Implementation
    replica: int = 0
    role: str = "row"
    kernel: str | None = None

    @property
    def key(self) -> str:
        return f"{self.row.name}#{self.replica}" if self.replica else self.row.name


def find_row(name: str, kernel: str | None) -> Implementation:
    """The row called `name`: of the catalogue, the limit, or of a kernel file. Raises `ProblemError`."""
    if kernel is not None:
        from stepbench.checking.kernel_file import load_kernel

        return load_kernel(Path(kernel))
    if name == LIMIT.name:
        return LIMIT
    if name not in CATALOG:
        raise ProblemError(f"There is no row called {name!r}. Rows: {', '.join(CATALOG)}.")
    return CATALOG[name]


def participants_of(
    rows: Sequence[Implementation], kernels: dict[str, str], *, control: bool = True
) -> list[Participant]:
    """The processes of a generation. The control is the first CPU row without a work cap: it runs every case."""
    everyone = [Participant(row, kernel=kernels.get(row.name)) for row in rows]
    twins = [each for each in everyone if each.row.device == "cpu" and each.row.max_work is None][:1] if control else []
    copies = [Participant(each.row, replica=1, kernel=each.kernel) for each in twins]
    limit = [] if LIMIT.unavailable() else [Participant(LIMIT, role="limit")]
    return [*everyone, *copies, *limit]
