"""What runs in the process of a row that is checked: `python -m stepbench.checking child DESCRIPTOR`.

A row's code runs here and nowhere else, so that a crash, a hang or an exit is a verdict about the row. Orders come,
and findings go, over a pipe of their own: what the row prints is not mixed in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from multiprocessing.connection import Connection

from stepbench.checking.protocol import CannotRun, Finding, Orders
from stepbench.checking.raised import described
from stepbench.checking.schedule import check_schedule, fuzz_schedule, simulated_schedule
from stepbench.checking.scheduled_trial import ScheduledTrial
from stepbench.checking.tally import Tally
from stepkernels import Implementation
from stepkernels.interface import Accumulation, Residual

MOST_DISAGREEMENTS = 12  # a row wrong through and through needs no longer list


def carry_out(orders: Orders) -> Iterator[Finding | CannotRun]:
    """Take the row through its trials, a finding each."""
    row = orders.implementation
    try:
        row.load()
    except Exception as error:
        yield CannotRun(reason=described(error, row), broken=True)
    else:
        yield from findings_of(row, schedule_of(orders))


def schedule_of(orders: Orders) -> list[ScheduledTrial]:
    row = orders.implementation
    if orders.problems is not None:
        return fuzz_schedule(row, orders.seed, orders.problems, simulated=orders.simulated)
    return simulated_schedule(row, orders.seed) if orders.simulated else check_schedule(row, orders.seed)


def findings_of(row: Implementation, schedule: list[ScheduledTrial]) -> Iterator[Finding]:
    """One finding before the first trial, and one after each, until the last or one disagreement too many."""
    tally, disagreements = Tally(), 0
    yield Finding(next_trial=str(schedule[0]))
    for scheduled, next_trial in zip(schedule, [*map(str, schedule[1:]), ""], strict=True):
        disagreement = scheduled.run(row, tally)
        hint = hint_of_traits(row, scheduled) if disagreement and not disagreements else ""
        disagreements += disagreement is not None
        enough = disagreements == MOST_DISAGREEMENTS
        yield Finding(
            next_trial="" if enough else next_trial, disagreement=disagreement, hint=hint, tally=deepcopy(tally)
        )
        if enough:
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
            for finding in carry_out(orders):
                pipe.send(finding)
        except BrokenPipeError:
            sys.exit(1)
