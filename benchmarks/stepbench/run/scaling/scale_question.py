"""What is asked of a scaling: numbers of ranks, sizes, and the rows that one process takes beside them.

Each number of ranks is a participant, a group of processes that take their turn together. At every size the single
processes take turns with the ranks, so that each ratio is of the same moment. In strong scaling the size stays; in weak
scaling each number of ranks has a size of its own, where one rank is timed too, so that what ranks gain stands beside
what threads gain on the same data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from stepbench.cases.case import Case, Size
from stepbench.machine.available_memory import available_bytes
from stepbench.machine.threads import default_budget
from stepbench.run.choices import require_seconds
from stepbench.run.estimate import WORKER_BYTES
from stepbench.run.participants import Participant
from stepkernels.catalog import CATALOG, rows_named
from stepkernels.interface import Implementation, Op
from stepkernels.problem import ProblemError

GROUP = "torch-distributed-cpu"
ROW = "numba-fused"
BASES = ("numba-fused", "numba-fused-parallel")
# Of one thread each: rank 0 is a process with all the threads of its case, and would have more of them than the others.
OF_ONE_THREAD = ("python-loop", "numba-loop", "numba-fused-simple", "numba-fused", "cpp-fused")
MOST_RANKS = 64  # on one machine, for each is a process that has loaded torch
GENERATIONS, TURNS = 3, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleQuestion:
    """What is asked.

    row    takes the gradient of a rank's rows
    ranks  the numbers of ranks
    sizes  of the whole problem or, in weak scaling, of a rank's share
    bases  rows of one process, the fastest of which everything is held to
    hosts  on which the ranks are; `meetings` has, by their number, the place where those of other processes come to
    """

    row: str
    ranks: Sequence[int]
    sizes: Sequence[Size]
    dtypes: Sequence[str]
    bases: Sequence[str]
    weak: bool = False
    timeout_seconds: float = 120.0
    hosts: int = 1
    meetings: Mapping[int, tuple[str, int]] = field(default_factory=dict)

    @property
    def places(self) -> list[Place]:
        """Every case, with the numbers of ranks that are timed on it."""
        if not self.weak:
            return [
                Place(case_of(size, 1, dtype), tuple(self.ranks), 1) for size in self.sizes for dtype in self.dtypes
            ]
        return [
            Place(case_of(size, count, dtype), tuple(dict.fromkeys((1, count))), count)
            for size in self.sizes
            for dtype in self.dtypes
            for count in self.ranks
        ]


class Place(NamedTuple):
    """A case, the numbers of ranks timed on it, and how many shares it is made of: 1, or those of weak scaling."""

    case: Case
    ranks: tuple[int, ...]
    shares: int


def case_of(size: Size, shares: int, dtype: str) -> Case:
    return Case(op=Op.STEP, dtype=dtype, m=size.m * shares, n=size.n, threads=default_budget())


def require_scalable(question: ScaleQuestion) -> None:
    """Raise `ProblemError` for what cannot be timed here, before anything is started."""
    require_askable(question)
    for place in question.places:
        require_room(place, len(question.bases))


def require_askable(question: ScaleQuestion) -> None:
    """Raise `ProblemError` for what no machine could time, and for rows that cannot run on this one."""
    require_seconds(question.timeout_seconds, None)
    if not question.sizes or not question.dtypes:
        raise ProblemError("Of the sizes or dtypes asked for there is none; name one, or leave the option out.")
    if not question.bases:
        raise ProblemError("--base names no row; name one that a single process takes, such as numba-fused.")
    if not question.ranks or not all(1 <= count <= MOST_RANKS for count in question.ranks):
        raise ProblemError(f"--ranks takes whole numbers from 1 to {MOST_RANKS}, as in 1,2,4.")
    if question.row not in OF_ONE_THREAD:
        raise ProblemError(
            f"{question.row[:80]!r} does not take the gradient of a rank's rows here; each rank has one thread. Rows "
            f"that do: {', '.join(OF_ONE_THREAD)}."
        )
    for row in rows_named([GROUP, question.row, *question.bases]):
        if reason := row.unavailable():
            raise ProblemError(f"{row.name} cannot run here: {reason}.")
        if Op.STEP not in row.ops or row.device != "cpu":
            raise ProblemError(f"{row.name} does not take a step on the CPU; name another row.")
    for place in question.places:
        if place.case.m < max(place.ranks):
            raise ProblemError(
                f"{place.case.m:,} rows cannot be shared among {max(place.ranks)} ranks, so that each has one; choose "
                "a larger size or fewer ranks."
            )


def require_room(place: Place, bases: int) -> None:
    """Raise `ProblemError` for a case whose processes would not find room together."""
    processes = bases + 1 + sum(place.ranks)
    copies = 2 * (bases + 1) + 2 * len(place.ranks) + 1
    needed, found = processes * WORKER_BYTES + copies * place.case.data_bytes, available_bytes()
    if needed > found:
        raise ProblemError(
            f"{place.case.m:,} x {place.case.n} {place.case.dtype} may need {needed / 2**30:.1f} GiB, for {processes} "
            f"processes and X in each group of ranks; {found / 2**30:.1f} GiB are available. Choose a smaller size."
        )


def group_row(question: ScaleQuestion, ranks: int) -> Implementation:
    """The step on so many ranks."""
    group = CATALOG[GROUP]
    options = {
        **group.options,
        "share": CATALOG[question.row].module,
        "ranks": ranks,
        "timeout_seconds": question.timeout_seconds,
        "meeting": question.meetings.get(ranks),
    }
    return replace(group, name=group_name(ranks), options=options)


def group_name(ranks: int) -> str:
    return f"{GROUP}@{ranks}"


def participants_of_place(question: ScaleQuestion, place: Place) -> list[Participant]:
    """The single processes, the last of them twice, and the groups."""
    singles = [Participant(CATALOG[name]) for name in question.bases]
    groups = [Participant(group_row(question, count)) for count in place.ranks]
    return [*singles, replace(singles[-1], replica=1), *groups]
