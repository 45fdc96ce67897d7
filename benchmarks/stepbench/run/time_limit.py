"""The time given to a run: nothing further is begun when it is used up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class OutOfTimeError(Exception):
    """The time given to the run is used up."""


class TimeLimit:
    """Counts from its making; None is for ever. `now` is the time it goes by, in seconds."""

    def __init__(self, seconds: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.deadline = None if seconds is None else now() + seconds

    @property
    def left_seconds(self) -> float:
        """What is left of it."""
        return math.inf if self.deadline is None else self.deadline - self.now()

    def require_time(self) -> None:
        """Raise `OutOfTimeError` when there is none left."""
        if self.deadline is not None and self.now() > self.deadline:
            raise OutOfTimeError
