"""Kernels that find out that they are timed, and then take every second step only.

Each tell is there to be found; what gives them away is the state that their rounds leave.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from cheats import Honest, cheat

SKIPPED = "w is off|b is off"


class WhenTimed(Honest):
    """Skips every second step, if it thinks that it is timed; and counts it."""

    def is_timed(self) -> bool:
        raise NotImplementedError

    def step(self):
        if self.since_reset % 2 and self.is_timed():
            self.since_reset += 1
            self.steps_taken += 1
        else:
            super().step()


@cheat("disagreement", SKIPPED)
class SeesTheLoopThatCalls(WhenTimed):
    def is_timed(self):
        frame, names = sys._getframe(), set()
        while frame:
            names.add(frame.f_code.co_name)
            frame = frame.f_back
        return "run_round" in names


@cheat("disagreement", SKIPPED)
class SeesItsArguments(WhenTimed):
    def is_timed(self):
        return "worker" in " ".join(Path("/proc/self/cmdline").read_bytes().decode().split("\0"))


@cheat("disagreement", SKIPPED)
class SeesPytest(WhenTimed):
    def is_timed(self):
        return "pytest" in sys.modules


@cheat("disagreement", SKIPPED)
class SeesTheCollectorOff(WhenTimed):
    def is_timed(self):
        return not gc.isenabled()


@cheat("disagreement", SKIPPED)
class SeesItsParent(WhenTimed):
    def is_timed(self):
        return b"run" in Path(f"/proc/{os.getppid()}/cmdline").read_bytes() or True


@cheat("disagreement", SKIPPED)
class SeesAnEnvironmentVariable(WhenTimed):
    def is_timed(self):
        return "NUMBA_CACHE_DIR" in os.environ


@cheat("disagreement", SKIPPED)
class SeesFourCallsSinceAReset(WhenTimed):
    def is_timed(self):
        return self.since_reset > 4


@cheat("disagreement", SKIPPED)
class SeesHowManyCallsWereAskedFor(Honest):
    """Reads the number of calls off the loop's frame, takes the last step alone, and counts all of them."""

    def step(self):
        frame = sys._getframe(1)
        times = frame.f_locals.get("times", 1)
        if self.since_reset == 0 or self.since_reset % times == times - 1:
            super().step()
        else:
            self.since_reset += 1
            self.steps_taken += 1
