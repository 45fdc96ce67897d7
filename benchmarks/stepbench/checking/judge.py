"""The judge of a row: `python -m stepbench.checking judge DESCRIPTOR`.

Trials, truth and comparison are here; the row is not. Its code runs in an executor, a process that this one starts,
so that a crash, a hang or an exit is a verdict about the row, and no number that is expected of it lies where it could
read it. Orders come, and findings go, over a pipe that the executor does not have.
"""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from multiprocessing.connection import Connection

from stepbench.checking.bound_row import Bind
from stepbench.checking.protocol import CannotRun, Finding, Orders
from stepbench.checking.schedule import schedule_of
from stepbench.checking.scheduled_trial import ScheduledTrial
from stepbench.checking.tally import Tally
from stepbench.checking.verdicts import Disagreement
from stepbench.executor.line import Line, Lost, RaisedByRow
from stepbench.executor.patience import COMPILING_SECONDS
from stepbench.executor.remote import RemoteRow
from stepkernels import Implementation

ALIKE = 0.2  # of an error; threads that share a sum out anew round it otherwise
MOST_DISAGREEMENTS = 12  # a row wrong through and through needs no longer list


PR_SET_DUMPABLE = 4


def carry_out(orders: Orders) -> Iterator[Finding | CannotRun]:
    """Take the row through its trials, a finding each."""
    row, line = orders.implementation, Line(orders.environment)
    try:
        least = COMPILING_SECONDS if orders.plan.simulated else 0.0  # a simulator takes milliseconds an element
        remote = RemoteRow(row, line, least, orders.most_patience_seconds)
    except RaisedByRow as raised:
        yield CannotRun(reason=f"while it was loaded, the row raised {raised}", broken=True)
    except Lost as lost:
        yield CannotRun(reason=f"while it was loaded, the row {lost}", broken=True)
    else:
        yield from findings_of(row, schedule_of(row, orders.plan), remote.bind)
    finally:
        line.close()


def findings_of(row: Implementation, schedule: list[ScheduledTrial], bind: Bind) -> Iterator[Finding]:
    """One finding before the first trial, and one after each, until the last, one disagreement too many, or an end."""
    tally, disagreements = Tally(), 0
    yield Finding(next_trial=str(schedule[0]))
    for scheduled, next_trial in zip(schedule, [*map(str, schedule[1:]), ""], strict=True):
        try:
            disagreement = scheduled.run(row, tally, bind)
            hint = hint_of_traits(row, scheduled, bind, disagreement) if disagreement and not disagreements else ""
        except Lost as lost:
            yield Finding(next_trial="", disagreement=scheduled.lost(str(lost)), tally=deepcopy(tally))
            return
        disagreements += disagreement is not None
        enough = disagreements == MOST_DISAGREEMENTS
        yield Finding(
            next_trial="" if enough else next_trial, disagreement=disagreement, hint=hint, tally=deepcopy(tally)
        )
        if enough:
            return


def hint_of_traits(row: Implementation, scheduled: ScheduledTrial, bind: Bind, found: Disagreement) -> str:
    """What the row would have to declare for its arithmetic to be judged as it computes, if anything would do.

    No declaration mends a row that, on the same data, is not wrong again, or by much more or less. The error of p − y
    is where y is 1: a row that is as wrong where every y is 0 makes another mistake.
    """
    again = scheduled.run(row, Tally(), bind)
    if again is None or not _alike(again.error, found.error):
        return "Run again on the same data, it does not give the same: it does not repeat itself, as with a race"
    difference, sequential = replace(row, residual="difference"), replace(row, accumulation="sequential")
    if row.residual != "difference" and scheduled.run(difference, Tally(), bind) is None:
        without_ones = scheduled._replace(label=0.0)
        if without_ones.run(row, Tally(), bind) is None:
            return "It would pass this trial declaring residual='difference', for p − y or softplus(z) − y·z"
    if row.accumulation != "sequential" and scheduled.run(sequential, Tally(), bind) is None:
        return "It would pass this trial declaring accumulation='sequential', for one running sum"
    return ""


def _alike(error: float, other: float) -> bool:
    """Whether two errors in bounds may be of one mistake, rounded otherwise."""
    return math.isclose(error, other, rel_tol=ALIKE)


def main(descriptor: int) -> None:
    """Take the orders, send the findings. The pipe closed by the other side ends the process."""
    _keep_memory_to_itself()
    with Connection(descriptor) as pipe:
        orders: Orders = pipe.recv()
        try:
            for finding in carry_out(orders):
                pipe.send(finding)
        except BrokenPipeError:
            sys.exit(1)


def _keep_memory_to_itself() -> None:
    """On Linux no other process of this user, root's excepted, may then read the memory of this one."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)
