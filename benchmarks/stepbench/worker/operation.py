"""The call that is timed: what it is for each operation, what it needs before it, and how often a round makes it."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence

from stepbench.cases.case import Case
from stepkernels.interface import Implementation, Op, Workspace, with_training

ROUND_SECONDS = 3e-3
WARM_UP_SECONDS = 2e-3  # after waiting: caches, clock frequency and sleeping pools come back within one to two ms
MOST_CALLS = 10**6  # of a batch that settles the iterations

Call = Callable[[], None]


def operation_of(workspace: Workspace, row: Implementation, case: Case) -> Call:
    """The call that is timed. A row without train takes k steps, called from Python, and the record says so."""
    if case.op != Op.TRAIN:
        bound: Call = getattr(workspace, case.op)
        return bound
    if Op.TRAIN in row.ops:
        train, steps = with_training(workspace).train, case.steps
        return lambda: train(steps)
    return repeated(workspace.step, case.steps)


def repeated(call: Call, times: int) -> Call:
    """So many calls as one."""
    repeats = range(times)

    def call_all() -> None:
        for _ in repeats:
            call()

    return call_all


def rotation(operations: Sequence[Call]) -> Call:
    """One operation a call, each time the next one's: by the time one comes round, its data have left the caches."""
    following = itertools.cycle(operations).__next__
    return lambda: following()()  # noqa: PLW0108 - each call takes the next operation, then runs it


def prepare(workspace: Workspace, row: Implementation, op: Op) -> None:
    """What backward and update need before they can be called in a loop."""
    if op in (Op.BACKWARD, Op.UPDATE):
        run_once(workspace, row, op)


def run_once(workspace: Workspace, row: Implementation, op: Op) -> None:
    """One operation and whatever it needs before it; train takes one step."""
    for name in _sequence(row, op):
        getattr(workspace, name)(*([1] if name == Op.TRAIN else []))


def _sequence(row: Implementation, op: Op) -> list[Op]:
    gradient = [Op.GRADIENT] if Op.GRADIENT in row.ops else [Op.FORWARD, Op.BACKWARD]
    match op:
        case Op.BACKWARD:
            return [Op.FORWARD, Op.BACKWARD]
        case Op.UPDATE:
            return [*gradient, Op.UPDATE]
        case Op.TRAIN if Op.TRAIN not in row.ops:
            return [Op.STEP]
        case _:
            return [op]


def seconds_per_call(operation: Call, synchronize: Call) -> float:
    """The best of a few growing batches: enough to choose the number of iterations, not to report."""
    calls, best = 1, math.inf
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            operation()
        synchronize()
        elapsed = time.perf_counter() - start
        best = min(best, elapsed / calls)
        if elapsed > ROUND_SECONDS or calls > MOST_CALLS:
            return max(best, 1e-9)
        calls *= 4


def iterations_of(per_call: float) -> int:
    """The calls of a round, when one takes so many seconds."""
    return calls_within(ROUND_SECONDS, per_call)


def warm_up_of(operation: Call, per_call: float) -> Call:
    """The calls between waiting and a round."""
    return repeated(operation, calls_within(WARM_UP_SECONDS, per_call))


def calls_within(seconds: float, per_call: float) -> int:
    """The fewest calls, at least one, that fill so many seconds."""
    return max(1, math.ceil(seconds / per_call))
