"""The clock of a worker: the timer of pytest-benchmark, read with the device idle, at the edges of rounds in turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from stepbench.worker.device import DeviceClock


class Rounds(Protocol):
    """What a clock asks of a `Station`."""

    def until_round(self) -> None: ...
    def rounded(self, seconds: float, device_seconds: float | None) -> None: ...


class Clock:
    """Called at each edge of a round, returns the time in seconds.

    At the first edge it waits until the runner says that it is this row's turn; at both it synchronizes the device.
    `now` is the time it goes by. The runner keeps its own, and believes no more of this one than that shows.
    """

    def __init__(
        self,
        rounds: Rounds,
        synchronize: Callable[[], None],
        device: DeviceClock | None = None,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.rounds, self.synchronize, self.device, self.now = rounds, synchronize, device, now
        self.start: float | None = None

    def __call__(self) -> float:
        """The time at an edge: the first and every other one starts a round, the rest end it."""
        return self._start() if self.start is None else self._end(self.start)

    def _start(self) -> float:
        self.rounds.until_round()
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
        self.rounds.rounded(end - start, self.device.seconds() if self.device else None)
        return end

    def release(self) -> None:
        """Let go of the workspace: pytest-benchmark keeps every timer, and so would keep every case's data."""
        del self.rounds, self.synchronize
        self.device = None
