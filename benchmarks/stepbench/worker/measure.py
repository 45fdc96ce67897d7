"""One case in one worker: bind it, prove that it agrees, time it in rounds, prove it again.

pytest-benchmark runs the rounds, in pedantic mode; its timer is a `Clock`, which at the first edge of a round waits
until the runner says that it is this row's, warms up, and synchronizes the device at both edges.
"""

from __future__ import annotations

import gc
import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stepbench.cases.case import Case
from stepbench.machine import threads
from stepbench.worker.device import DeviceClock, copy_to_device_seconds, device_clock, device_state
from stepbench.worker.expectations import judge, run_once
from stepbench.worker.memory import peak_memory_bytes, reset_peak_memory
from stepkernels.agreement import Agreement
from stepkernels.interface import Implementation, Op, Workspace, with_training
from stepkernels.problem import Config, Problem

ROUND_SECONDS = 3e-3
WARM_UP_SECONDS = 2e-3  # after waiting: caches, clock frequency and sleeping pools come back within one to two ms

Pedantic = Callable[..., object]


class DisagreementError(AssertionError):
    """A row whose numbers are wrong. It is never timed."""


class OversizedPoolError(RuntimeError):
    """A row whose library runs more threads than the budget allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A case as a worker receives it.

    before  the file of what the row must give; None for a read limit
    rounds  how many to time
    """

    case: Case
    problem: Problem
    config: Config
    before: Any | None
    rounds: int


class Turnstile(Protocol):
    """Who a worker waits for: the runner, or nobody (`LocalTurnstile`)."""

    def next_task(self, case: Case) -> Task: ...
    def bound(self, **report: object) -> None: ...
    def wait(self) -> None: ...
    def round_done(self, seconds: float, device_seconds: float | None) -> None: ...
    def fresh_expectations(self) -> Any | None: ...
    def judged(self, **report: object) -> None: ...
    def failed(self, kind: str, reason: str) -> None: ...


class Clock:
    """A timer for pytest-benchmark: seconds, read with the device idle, at the edges of rounds that come in turns."""

    def __init__(
        self,
        turnstile: Turnstile,
        synchronize: Callable[[], None],
        warm_up: Callable[[], None],
        iterations: int,
        device: DeviceClock | None = None,
    ) -> None:
        self.turnstile, self.synchronize, self.warm_up = turnstile, synchronize, warm_up
        self.iterations, self.device = iterations, device
        self.start: float | None = None

    def __call__(self) -> float:
        """The time at an edge: the first and every other one starts a round, the rest end it."""
        return self._start() if self.start is None else self._end(self.start)

    def _start(self) -> float:
        self.turnstile.wait()
        self.warm_up()
        self.synchronize()
        if self.device:
            self.device.start()
        self.start = time.perf_counter()
        return self.start

    def _end(self, start: float) -> float:
        if self.device:
            self.device.stop()
        self.synchronize()
        now = time.perf_counter()
        self.start = None
        device_seconds = self.device.seconds() / self.iterations if self.device else None
        self.turnstile.round_done((now - start) / self.iterations, device_seconds)
        return now

    def release(self) -> None:
        """Let go of the workspace: pytest-benchmark keeps every timer, and so would keep every case's data."""
        self.synchronize = self.warm_up = _nothing
        self.device = None


def _nothing() -> None:
    """What a released clock calls."""


def measure(row: Implementation, case: Case, turnstile: Turnstile, pedantic: Callable[[Clock], Pedantic]) -> None:
    """Take one case through its life. `pedantic(clock)` gives pytest-benchmark's pedantic with that timer.

    Raises `DisagreementError`, `OversizedPoolError`, and whatever the row raises.
    """
    reset_peak_memory()
    task = turnstile.next_task(case)
    bind_seconds, workspace = _timed(lambda: _bind(row, task))
    operation = operation_of(workspace, row, case)
    first_call_seconds, _ = _timed(lambda: _first_call(workspace, row, case, operation))
    pools = threads.pool_sizes()
    if fault := threads.oversized_pools(pools, case.threads):
        raise OversizedPoolError(fault)
    agreement = _require_agreement(workspace, row, task, task.before, "before")
    workspace.reset()
    _prepare(workspace, row, case)
    if case.copies > 1:
        operation = _rotation([operation, *(_copied_operation(row, task) for _ in range(case.copies - 1))])
    per_call = _seconds_per_call(operation, workspace.synchronize)
    iterations = max(1, math.ceil(ROUND_SECONDS / per_call))
    turnstile.bound(
        bind_seconds=bind_seconds,
        first_call_seconds=first_call_seconds,
        copy_to_device_seconds=copy_to_device_seconds(row.device, task.problem.X),
        iterations=iterations,
        pools=pools,
        agreement=agreement.errors if agreement else None,
    )
    warm_up, device = _warm_up(operation, per_call), device_clock(row.device)
    clock = Clock(turnstile, workspace.synchronize, warm_up, iterations, device)
    state_before = device_state(row.device)
    gc.disable()
    try:
        pedantic(clock)(operation, rounds=task.rounds, iterations=iterations)
    finally:
        gc.enable()
        clock.release()
    states = {"before": state_before, "after": device_state(row.device)} if device else None
    agreement = _require_agreement(workspace, row, task, turnstile.fresh_expectations(), "after")
    turnstile.judged(
        agreement=agreement.errors if agreement else None, device_state=states, peak_memory_bytes=peak_memory_bytes()
    )


def operation_of(workspace: Workspace, row: Implementation, case: Case) -> Callable[[], None]:
    """The call that is timed. A row without train takes k steps, called from Python, and the record says so."""
    if case.op != Op.TRAIN:
        bound: Callable[[], None] = getattr(workspace, case.op)
        return bound
    if Op.TRAIN in row.ops:
        train, steps = with_training(workspace).train, case.steps
        return lambda: train(steps)
    step, repeats = workspace.step, range(case.steps)

    def take_steps() -> None:
        for _ in repeats:
            step()

    return take_steps


def _copied_operation(row: Implementation, task: Task) -> Callable[[], None]:
    """The case's operation on a copy of its data."""
    problem = task.problem
    copy = Problem(problem.X.copy(), problem.y.copy(), problem.w0, problem.b0)
    workspace = row.bind(copy, task.config)
    _prepare(workspace, row, task.case)
    return operation_of(workspace, row, task.case)


def _rotation(operations: Sequence[Callable[[], None]]) -> Callable[[], None]:
    """One operation a call, each time the next one's: by the time one comes round, its data have left the caches."""
    following = itertools.cycle(operations).__next__
    return lambda: following()()  # noqa: PLW0108 - each call takes the next operation, then runs it


def _bind(row: Implementation, task: Task) -> Workspace:
    workspace = row.bind(task.problem, task.config)
    workspace.synchronize()
    return workspace


def _first_call(workspace: Workspace, row: Implementation, case: Case, operation: Callable[[], None]) -> None:
    """The first operation and whatever it needs, with all that is compiled or loaded on the way."""
    _prepare(workspace, row, case)
    operation()
    workspace.synchronize()


def _prepare(workspace: Workspace, row: Implementation, case: Case) -> None:
    """What backward and update need before they can be called in a loop."""
    if case.op in (Op.BACKWARD, Op.UPDATE):
        run_once(workspace, row, case.op)


def _require_agreement(
    workspace: Workspace, row: Implementation, task: Task, path: Any | None, when: str
) -> Agreement | None:
    if path is None:
        return None
    agreement = judge(workspace, row, task.case, task.problem, task.config, path)
    if not agreement.agrees:
        raise DisagreementError(f"wrong {when} timing: {agreement.reason}")
    return agreement


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def _seconds_per_call(operation: Callable[[], None], synchronize: Callable[[], None]) -> float:
    """The best of a few growing batches: enough to choose the number of iterations, not to report."""
    calls, best = 1, math.inf
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            operation()
        synchronize()
        elapsed = time.perf_counter() - start
        best = min(best, elapsed / calls)
        if elapsed > ROUND_SECONDS or calls > 10**6:
            return max(best, 1e-9)
        calls *= 4


def _warm_up(operation: Callable[[], None], per_call: float) -> Callable[[], None]:
    repeats = range(max(1, math.ceil(WARM_UP_SECONDS / per_call)))

    def warm_up() -> None:
        for _ in repeats:
            operation()

    return warm_up
