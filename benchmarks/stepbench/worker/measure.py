"""One case in one worker: bind it, make its first call, then answer what the runner asks, rounds among it.

pytest-benchmark runs the rounds, in pedantic mode; its timer is a `Clock`, which waits for this row's turns. Nothing is
judged here, and no time told here is believed alone: the runner does both.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from stepbench.cases.case import Case
from stepbench.machine.threads import oversized_pools, pool_sizes
from stepbench.worker.binding import Binding
from stepbench.worker.clock import Clock
from stepbench.worker.device import copy_to_device_seconds, device_clock, device_state
from stepbench.worker.faults import OversizedPoolError
from stepbench.worker.messages import Begin, Begun, Bound
from stepbench.worker.station import Station
from stepbench.worker.turnstile import Task, Turnstile
from stepkernels.interface import Implementation

T = TypeVar("T")
Pedantic = Callable[..., object]
PedanticWith = Callable[[Clock], Pedantic]  # pytest-benchmark's pedantic with that timer


def measure(row: Implementation, case: Case, turnstile: Turnstile, pedantic: PedanticWith) -> None:
    """Take one case through its life. Raises `OversizedPoolError`, and whatever the row raises."""
    with without_collector():
        task = turnstile.next_task(row, case)
        binding = _bound(row, task, turnstile)
        station = Station(binding, turnstile)
        clock = Clock(station, binding.synchronize, device_clock(row.device))
        before = device_state(row.device)
        try:
            pedantic(clock)(station.run_round, rounds=task.rounds, iterations=1)
        finally:
            clock.release()
        station.until_finish()
        station.finished(_states(before, row.device))


def _bound(row: Implementation, task: Task, turnstile: Turnstile) -> Binding:
    """Bind the case and make its first call, each as it is asked for."""
    seconds, binding = timed(lambda: Binding(row, task))
    turnstile.answer(Bound(seconds, copy_to_device_seconds(row.device, task.problem.X)))
    turnstile.expect(Begin)
    seconds, _ = timed(binding.begin)
    pools = pools_within(task.case.threads)
    binding.bind_copies()
    turnstile.answer(Begun(seconds, pools, binding.plan))
    return binding


@contextmanager
def without_collector() -> Iterator[None]:
    """Without Python's garbage collector, all along: off in rounds alone, it would tell a row that it is timed."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def pools_within(threads: int) -> dict[str, int]:
    """The sizes of the pools that are loaded. Raises `OversizedPoolError` when one is beyond so many threads."""
    pools = pool_sizes()
    if fault := oversized_pools(pools, threads):
        raise OversizedPoolError(fault)
    return pools


def _states(before: dict[str, Any] | None, device: str) -> dict[str, Any] | None:
    """The device's state before and after, if it has any."""
    return {"before": before, "after": device_state(device)} if before else None


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """The seconds of a call, and what it returns."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result
