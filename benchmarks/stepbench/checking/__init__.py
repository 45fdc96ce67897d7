"""Does a row agree: is its every number right, on data and in situations made to show that it is not?

scenes                    the problems: small, or with their evidence planted
trajectory, not_finite    where many steps lead; what NaN and infinity give
trials/, draws, claims    what is done to a row on them, with what settings; and what it declares
schedule, scheduled_trial which trials, on which scenes, and one of them run
bound_row, tally          a row bound to a scene, held to the truth, and what was counted meanwhile
judge, protocol           a row's judge, what it is told and what it tells; the row computes in an executor
supervise, child_process, row_findings, verdicts  the rows with a judge each, and what was found
kernel_file, kernel_child, declared_fields, raised  a kernel from outside: its process, and what it may declare
cuda/                     CUDA code itself: the compiler, the sanitizer
fuzz                      `python -m stepbench.checking.fuzz`: many random problems, and the headroom under the bound

What a check cannot see: a fault that a kernel saves for its timed work (`run` judges that), fewer than some steps in a
hundred thousand, one step of thousands in float32 alone, memory that C code takes and gives back within an operation,
and, given the seed on the command line, a kernel that reads its grandparent's arguments. Root can read any process.

The process that computes never judges: a row's code runs in `stepbench.executor`, and nothing of this room is there.

Imports `run` and below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from stepbench.checking.kernel_file import KernelFileError, load_kernel
from stepbench.checking.schedule import Plan
from stepbench.checking.supervise import judge_rows, new_seed
from stepbench.checking.verdicts import CheckReport, Disagreement, RowReport, Verdict
from stepkernels import Implementation

__all__ = ["CheckReport", "Disagreement", "KernelFileError", "RowReport", "Verdict", "check", "load_kernel"]


def check(
    rows: Sequence[Implementation],
    *,
    simulate: bool = False,
    require: frozenset[str] = frozenset(),
    named: AbstractSet[str] = frozenset(),
    seed: int | None = None,
    storages: Sequence[str] = (),
    finished: Callable[[RowReport], None] = lambda _report: None,
) -> CheckReport:
    """Judge every row; with `storages`, only as it keeps X in these.

    `finished` is told each row's report as it is done; the seed, given again, repeats the check.
    """
    seed = new_seed() if seed is None else seed
    reports = judge_rows(rows, Plan(seed=seed, storages=tuple(storages)), finished, simulate=simulate)
    return CheckReport(rows=tuple(reports), required=require, named=frozenset(named), seed=seed)
