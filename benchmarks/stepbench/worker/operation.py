"""The call that is timed: what it is for each operation, and what it needs before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from stepbench.cases.case import Case
from stepkernels.interface import Implementation, Op, Workspace, with_training

Call = Callable[[], None]


class Operation(NamedTuple):
    """One operation is so many calls, and after each the row waits until its work is done."""

    call: Call
    calls: int
    wait: Call

    def run(self, times: int) -> None:
        """The loop that is timed."""
        call, calls, wait = self
        for _ in range(times * calls):
            call()
            wait()


def operation_of(workspace: Workspace, row: Implementation, case: Case) -> Operation:
    """What a case asks of a workspace. A row without train takes k steps, called from Python, and the record says so.

    On a CPU the wait follows every call. There it has nothing to do, and costs less than a tenth of a microsecond;
    work put off until then is timed with the call that put it off. A GPU's wait is the clock's, once a round, since
    waiting for every launch would time the waiting.
    """
    wait = workspace.synchronize if row.device == "cpu" else _nothing
    if case.op != Op.TRAIN:
        return Operation(getattr(workspace, case.op), 1, wait)
    if Op.TRAIN in row.ops:
        train, steps = with_training(workspace).train, case.steps
        return Operation(lambda: train(steps), 1, wait)
    return Operation(workspace.step, case.steps, wait)


def prelude(workspace: Workspace, row: Implementation, op: Op) -> list[Call]:
    """What an operation needs before it can be called, in a loop too."""
    match op:
        case Op.BACKWARD:
            names = [Op.FORWARD]
        case Op.UPDATE:
            names = [Op.GRADIENT] if Op.GRADIENT in row.ops else [Op.FORWARD, Op.BACKWARD]
        case _:
            names = []
    return [getattr(workspace, name) for name in names]


def _nothing() -> None:
    """There is nothing to wait for yet."""
