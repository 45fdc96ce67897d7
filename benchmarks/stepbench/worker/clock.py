"""The clock of a worker: the timer of pytest-benchmark, read with the device idle, at the edges of rounds in turns."""

from __future__ import annotations

import time
from collections.abc import Callable

from stepbench.worker.device import DeviceClock
from stepbench.worker.turnstile import Turnstile


class Clock:
    """Called at each edge of a round, returns the time in seconds.

    At the first edge it waits until the runner says that it is this row's turn and warms up; at both it synchronizes
    the device. `now` is the time it goes by.
    """

    def __init__(
        self,
        turnstile: Turnstile,
        synchronize: Callable[[], None],
        warm_up: Callable[[], None],
        iterations: int,
        device: DeviceClock | None = None,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.turnstile, self.synchronize, self.warm_up = turnstile, synchronize, warm_up
        self.iterations, self.device, self.now = iterations, device, now
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
        self.start = self.now()
        return self.start

    def _end(self, start: float) -> float:
        if self.device:
            self.device.stop()
        self.synchronize()
        end = self.now()
        self.start = None
        device_seconds = self.device.seconds() / self.iterations if self.device else None
        self.turnstile.round_done((end - start) / self.iterations, device_seconds)
        return end

    def release(self) -> None:
        """Let go of the workspace: pytest-benchmark keeps every timer, and so would keep every case's data."""
        self.synchronize = self.warm_up = _nothing
        self.device = None


def _nothing() -> None:
    """What a released clock calls."""
