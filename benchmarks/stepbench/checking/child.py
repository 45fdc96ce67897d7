"""What happens in the process in which a row is examined: `python -m stepbench.checking child DESCRIPTOR`.

A row's code runs here and nowhere else, so that a crash, a hang or an exit is a verdict about the row. Orders come,
and findings go, over a pipe of their own: what the row prints is not mixed in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from multiprocessing.connection import Connection
from typing import Any

from stepbench.checking.raised import described
from stepbench.checking.schedule import check_schedule, fuzz_schedule, simulated_schedule
from stepbench.checking.scheduled_trial import ScheduledTrial
from stepbench.checking.tally import Tally
from stepbench.checking.verdicts import Disagreement
from stepkernels import Implementation
from stepkernels.interface import Accumulation, Residual

MOST_DISAGREEMENTS = 12  # a row wrong through and through needs no longer list


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What to do to which row. `problems` asks for so many of the fuzzer's instead of the check's schedule."""

    row: dict[str, Any]
    seed: int
    problems: int | None = None
    simulated: bool = False

    @property
    def implementation(self) -> Implementation:
        return Implementation(**self.row)

    def schedule(self) -> list[ScheduledTrial]:
        row = self.implementation
        if self.problems is not None:
            return fuzz_schedule(row, self.seed, self.problems, simulated=self.simulated)
        return simulated_schedule(row, self.seed) if self.simulated else check_schedule(row, self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one trial; the first that is sent only says how many there will be, and what comes first."""

    next_trial: str
    total: int
    disagreement: Disagreement | None = None
    hint: str = ""
    worst: dict[str, float] | None = None
    judged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotRun:
    """The row was not examined: for want of a library or GPU, or because it is broken."""

    reason: str
    broken: bool

    @classmethod
    def of(cls, row: Implementation) -> CannotRun | None:
        """Why there is no need to try, found without loading the row; None where it may run."""
        try:
            reason = row.unavailable()
        except Exception as error:
            return cls(reason=described(error, row), broken=True)
        return cls(reason=reason, broken=False) if reason else None


def fields_of(row: Implementation) -> dict[str, Any]:
    """A row as plain values, to be sent to a child: `Implementation(**fields_of(row))` is the row again."""
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    return values | {"options": dict(row.options)}


def examine(orders: Orders) -> Iterator[Finding | CannotRun]:
    """Run the schedule, a finding a trial."""
    row = orders.implementation
    try:
        row.load()
    except Exception as error:
        yield CannotRun(reason=described(error, row), broken=True)
    else:
        yield from _findings(row, orders.schedule())


def _findings(row: Implementation, schedule: list[ScheduledTrial]) -> Iterator[Finding]:
    tally, disagreements = Tally(), 0
    yield Finding(next_trial=str(schedule[0]), total=len(schedule))
    for k, scheduled in enumerate(schedule):
        disagreement = scheduled.run(row, tally)
        hint = hint_of_traits(row, scheduled) if disagreement and not disagreements else ""
        disagreements += disagreement is not None
        over = k + 1 == len(schedule) or disagreements == MOST_DISAGREEMENTS
        yield Finding(
            next_trial="" if over else str(schedule[k + 1]),
            total=len(schedule),
            disagreement=disagreement,
            hint=hint,
            worst=dict(tally.worst),
            judged=tally.judged,
        )
        if over:
            return


def hint_of_traits(row: Implementation, scheduled: ScheduledTrial) -> str:
    """What the row would have to declare for its arithmetic to be judged as it computes, if anything would do."""
    declared = (row.residual, row.accumulation)
    choices: tuple[tuple[Residual, Accumulation, str], ...] = (
        ("difference", row.accumulation, "residual='difference', for p − y or softplus(z) − y·z"),
        (row.residual, "sequential", "accumulation='sequential', for one running sum"),
    )
    for residual, accumulation, words in choices:
        other = replace(row, residual=residual, accumulation=accumulation)
        if (residual, accumulation) != declared and scheduled.run(other, Tally()) is None:
            return f"It would pass this trial declaring {words}"
    return ""


def main(descriptor: int) -> None:
    """Take the orders, send the findings. The pipe closed by the other side ends the process."""
    with Connection(descriptor) as pipe:
        orders: Orders = pipe.recv()
        try:
            for finding in examine(orders):
                pipe.send(finding)
        except BrokenPipeError:
            sys.exit(1)
