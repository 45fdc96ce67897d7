"""Many random problems a row: honest rows must survive all of them, and how close they come is the bound's headroom.

    python -m stepbench.checking.fuzz --problems 1000 --seed 0 [ROW…]

Every problem is of a random kind, size, dtype, optimizer and configuration, and each is stepped from two places, three
steps each. Rows that compile for every shape are given all of their data sets on a few shapes. Prints the counts and
the seed, and exits with 1 when a row disagrees.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from stepbench.checking.judge import judge_rows, new_seed
from stepbench.checking.verdicts import RowReport, Verdict
from stepkernels.catalog import CATALOG, rows_named


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m stepbench.checking.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows of the catalogue; all of them without any")
    parser.add_argument("--problems", type=int, default=1000, help="problems for each row (default: 1000)")
    parser.add_argument("--seed", type=int, default=None, help="repeat an earlier run (default: a new seed)")
    chosen = parser.parse_args(arguments)
    seed = new_seed() if chosen.seed is None else chosen.seed

    def finished(report: RowReport) -> None:
        sys.stdout.write("\n".join(lines(report)) + "\n")
        sys.stdout.flush()

    sys.stdout.write(f"{chosen.problems} problems a row, seed {seed}\n")
    reports = judge_rows(
        rows_named(chosen.rows or CATALOG),
        seed=seed,
        problems=chosen.problems,
        progress=lambda _row, _done, _total: None,
        finished=finished,
    )
    return 1 if any(report.verdict is Verdict.DISAGREES for report in reports) else 0


def lines(report: RowReport) -> Iterator[str]:
    """A row's counts and, field by field, the largest error it got away with in units of its bound."""
    if report.verdict is Verdict.NOT_RUN:
        yield f"{report.row}: not run: {report.reason}"
        return
    rejected = len(report.disagreements)
    worst = ", ".join(f"{name} {error:.2f}" for name, error in report.worst.items())
    yield f"{report.row}: {report.trials} problems, {rejected} rejected, {report.judged} states judged; worst {worst}"
    yield from (f"    {disagreement}" for disagreement in report.disagreements)


if __name__ == "__main__":
    sys.exit(main())
