"""What each exhibit gains: `python -m cheats.gains [NAME…]`, from tests/, beside the honest kernel in the same turns.

Prints, for each, what the run made of it, and the within-turn ratio of the honest kernel's time to its own where it has
a time. Nothing is asserted: a test holds the verdicts, this measures the times.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cheats import CHEATS, HONEST, Exhibit
from stepbench.cases.presets import PRESETS
from stepbench.run import session
from stepbench.run.choices import Choices, plan_run
from stepbench.run.run_folder import new_folder
from stepkernels import Op
from stepreports.records.files import read_object
from stepreports.statistics import intervals
from stepreports.statistics.runs import load_run
from stepreports.telling.snapshots_told import slow_snapshot_lines

SIZE = "5000x20"
TOGETHER = 10
STEPS = 200  # of train


class Quiet:
    """Progress that nobody reads."""

    def describe(self, text: str) -> None: ...
    def advance(self) -> None: ...
    def note(self, text: str) -> None: ...


@contextmanager
def quietly(_total: int) -> Iterator[Quiet]:
    yield Quiet()


def run_exhibits(exhibits: Sequence[Exhibit], op: Op, folder: Path, turns: int = 40, size: str = SIZE) -> None:
    """Time them, and the honest kernel first of all, in one run."""
    rows = [HONEST["Plain"].row, *(each.row for each in exhibits if each is not HONEST["Plain"])]
    preset = replace(PRESETS["quick"], turns=turns)
    choices = Choices(preset=preset, rows=rows, named=True, sizes=[size], ops=[op], threads=[1], timeout_seconds=30.0)
    plan = plan_run(choices)
    plan = replace(plan, cases=tuple(replace(c, steps=STEPS if c.op == Op.TRAIN else 1) for c in plan.cases))
    session.start(plan, new_folder(folder), quietly)


def verdicts(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """By row, the kinds and reasons of its failures."""
    found: dict[str, list[tuple[str, str]]] = {}
    for failure in read_object(folder / "failures.json")["failures"]:
        if not failure["skipped"]:
            found.setdefault(failure["row"], []).append((failure["kind"], failure["reason"]))
    return found


def main(names: Sequence[str]) -> None:
    known = {**CHEATS, **HONEST}
    chosen = [known[name] for name in names] if names else list(known.values())
    for op in dict.fromkeys(each.op for each in chosen):
        alike = [each for each in chosen if each.op == op]
        for first in range(0, len(alike), TOGETHER):
            with tempfile.TemporaryDirectory() as name:
                tell(alike[first : first + TOGETHER], op, Path(name) / "run")


def tell(exhibits: Sequence[Exhibit], op: Op, folder: Path) -> None:
    run_exhibits(exhibits, op, folder)
    failed = verdicts(folder)
    run = load_run(folder)
    timed, beside = {record.row.name: record for record in run.records}, slow_snapshot_lines(run)
    plain = timed[HONEST["Plain"].row.name]
    for exhibit in exhibits:
        name = exhibit.row.name
        if name in failed:
            outcome = "; ".join(f"{kind}: {reason}" for kind, reason in failed[name])
        else:
            ratio = intervals.ratio(plain.turns, timed[name].turns)
            outcome = f"timed, {ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}] times as fast as the honest one"
            outcome = " ".join([outcome, *(line for line in beside if f"`{name}`" in line)])
        sys.stdout.write(f"{name.removeprefix('cheat-')}: {outcome}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
