"""Many random problems a row: honest rows must survive all of them, and how close they come is the bound's headroom.

    python -m stepbench.checking.fuzz --problems 1000 --seed 0 [ROW…] [--kernel FILE.py]
    python -m stepbench.checking.fuzz --problems 20 --simulate triton-fused numba-cuda-fused

Every problem is of a random kind, size, dtype, optimizer and configuration, and each is stepped from two places, three
steps each. Rows that compile for every shape are given all of their data sets on a few shapes, and simulated ones on
small shapes. Prints the counts and the seed, and exits with 1 when a row disagrees or cannot be loaded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from stepbench.checking.kernel_file import load_kernel
from stepbench.checking.schedule import Plan
from stepbench.checking.supervise import judge_rows, new_seed
from stepbench.checking.verdicts import RowReport, Verdict
from stepkernels.catalog import CATALOG, rows_named
from stepkernels.problem import ProblemError


def main(arguments: list[str] | None = None) -> int:
    about = (__doc__ or "").partition("\n")[0]  # `python -OO` leaves no docstring
    parser = argparse.ArgumentParser(prog="python -m stepbench.checking.fuzz", description=about)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows of the catalogue; without any, nor a file, all")
    parser.add_argument("--kernel", type=Path, action="append", default=[], metavar="FILE", help="a kernel file")
    parser.add_argument("--simulate", action="store_true", help="GPU rows that cannot run here, in their simulators")
    parser.add_argument("--problems", type=_count, default=1000, help="problems for each row (default: 1000)")
    parser.add_argument("--seed", type=_count, default=None, help="repeat an earlier run (default: a new seed)")
    chosen = parser.parse_args(arguments)
    try:
        rows = [
            *rows_named(chosen.rows if chosen.rows or chosen.kernel else CATALOG),
            *map(load_kernel, chosen.kernel),
        ]
    except ProblemError as error:
        parser.error(str(error))
    seed = new_seed() if chosen.seed is None else chosen.seed

    def finished(report: RowReport) -> None:
        sys.stdout.write("\n".join(lines(report)) + "\n")
        sys.stdout.flush()

    sys.stdout.write(f"{chosen.problems} problems a row, seed {seed}\n")
    reports = judge_rows(rows, Plan(seed=seed, problems=chosen.problems), finished, simulate=chosen.simulate)
    return 1 if any(report.verdict.is_fault for report in reports) else 0


def _count(text: str) -> int:
    """A whole number of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def lines(report: RowReport) -> Iterator[str]:
    """A row's counts and, field by field, the largest error it got away with in units of its bound."""
    if report.verdict in (Verdict.NOT_RUN, Verdict.ERROR):
        yield f"{report.row}: {report.verdict}: {report.reason}"
        return
    if report.verdict is Verdict.COMPILED:
        yield f"{report.row}: compiled, not run: {report.reason}"
        return
    rejected = len(report.disagreements)
    where = ", simulated" if report.verdict is Verdict.SIMULATED else ""
    worst = ", ".join(f"{name} {error:.2f}" for name, error in report.worst.items())
    counts = f"{report.trials} problems{where}, {rejected} rejected, {report.judged} states judged"
    yield f"{report.row}: {counts}; worst {worst}"
    yield from (f"    {disagreement}" for disagreement in report.disagreements)


if __name__ == "__main__":
    sys.exit(main())
