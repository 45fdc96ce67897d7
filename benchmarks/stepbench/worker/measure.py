"""One case in one worker: bind it, prove that it agrees, time it in rounds, prove it again.

pytest-benchmark runs the rounds, in pedantic mode; its timer is a `Clock`, which waits for this row's turns.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any, TypeVar

from stepbench.cases.case import Case
from stepbench.machine.threads import oversized_pools, pool_sizes
from stepbench.worker.binding import bind, from_the_start
from stepbench.worker.clock import Clock
from stepbench.worker.device import copy_to_device_seconds, device_clock, device_state
from stepbench.worker.faults import OversizedPoolError
from stepbench.worker.judging import require_agreement
from stepbench.worker.memory import peak_memory_bytes, reset_peak_memory
from stepbench.worker.messages import Bound, Judged
from stepbench.worker.operation import Call, iterations_of, seconds_per_call, warm_up_of
from stepbench.worker.turnstile import Turnstile
from stepkernels.interface import Implementation

T = TypeVar("T")
Pedantic = Callable[..., object]
PedanticWith = Callable[[Clock], Pedantic]  # pytest-benchmark's pedantic with that timer


def measure(row: Implementation, case: Case, turnstile: Turnstile, pedantic: PedanticWith) -> None:
    """Take one case through its life.

    Raises `DisagreementError`, `OversizedPoolError`, and whatever the row raises.
    """
    reset_peak_memory()
    task = turnstile.next_task(case)
    bind_seconds, binding = timed(lambda: bind(row, task))
    operation = binding.operation
    first_call_seconds, _ = timed(lambda: binding.first_call(operation))
    pools = pools_within(case.threads)
    errors = require_agreement(binding, task.before, "before")
    operation = from_the_start(binding, operation)
    per_call = seconds_per_call(operation, binding.workspace.synchronize)
    iterations = iterations_of(per_call)
    turnstile.bound(
        Bound(
            bind_seconds=bind_seconds,
            first_call_seconds=first_call_seconds,
            copy_to_device_seconds=copy_to_device_seconds(row.device, task.problem.X),
            iterations=iterations,
            pools=pools,
            agreement=errors,
        )
    )
    warm_up = warm_up_of(operation, per_call)
    clock = Clock(turnstile, binding.workspace.synchronize, warm_up, iterations, device_clock(row.device))
    states = take_rounds(clock, pedantic(clock), operation, task.rounds, row.device)
    errors = require_agreement(binding, turnstile.fresh_expectations(), "after")
    turnstile.judged(Judged(agreement=errors, device_state=states, peak_memory_bytes=peak_memory_bytes()))


def pools_within(threads: int) -> dict[str, int]:
    """The sizes of the pools that are loaded. Raises `OversizedPoolError` when one is beyond so many threads."""
    pools = pool_sizes()
    if fault := oversized_pools(pools, threads):
        raise OversizedPoolError(fault)
    return pools


def take_rounds(
    clock: Clock, pedantic: Pedantic, operation: Call, rounds: int, device: str
) -> dict[str, dict[str, Any] | None] | None:
    """All the rounds of a case. Returns the device's state before and after, if it has a clock of its own."""
    before, has_clock = device_state(device), clock.device is not None
    gc.disable()
    try:
        pedantic(operation, rounds=rounds, iterations=clock.iterations)
    finally:
        gc.enable()
        clock.release()
    return {"before": before, "after": device_state(device)} if has_clock else None


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """The seconds of a call, and what it returns."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result
