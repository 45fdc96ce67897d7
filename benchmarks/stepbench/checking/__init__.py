"""The judge: is a row's every number right, on data and in situations made to show that it is not?

planted       the problems: small, or with their evidence planted
bound_row   a row bound to one of them, judged against the truth
trials        what is done to it
plan          which trials, on which problems
child, judge  each row in a process of its own
compiled      CUDA sources, without a GPU
sanitizer     raw kernels under compute-sanitizer, on one
verdicts      what was found
kernel_file   a kernel from outside
fuzz          `python -m stepbench.checking.fuzz`: many random problems, and the headroom under the bound
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stepbench.checking.kernel_file import KernelFileError, load_kernel
from stepbench.checking.supervise import judge_rows, new_seed
from stepbench.checking.verdicts import CheckReport, Disagreement, RowReport, Verdict
from stepkernels import Implementation

__all__ = ["CheckReport", "Disagreement", "KernelFileError", "RowReport", "Verdict", "check", "load_kernel"]


def check(
    rows: Sequence[Implementation],
    *,
    simulate: bool = False,
    require: frozenset[str] = frozenset(),
    seed: int | None = None,
    finished: Callable[[RowReport], None] = lambda _report: None,
) -> CheckReport:
    """Judge every row. `finished` is told each row's report as it is done; the seed, given again, repeats the check."""
    seed = new_seed() if seed is None else seed
    reports = judge_rows(rows, seed=seed, finished=finished, simulate=simulate)
    return CheckReport(rows=tuple(reports), required=require, seed=seed)
