"""Programs that change what is around them: the clock, the messages, the harness, the system's view of the process."""

from __future__ import annotations

import os
import sys
import time
import types
from typing import ClassVar

from cheats import TRUE_TIME, Honest, cheat

CLOCK = "its own clock told"


def module(name: str) -> types.ModuleType:
    return sys.modules[name]


@cheat("implausible", CLOCK, measured=True)
class SlowsTheClock(Honest):
    """A second lasts five."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        if not getattr(time, "slowed", False):
            now, time.slowed = time.perf_counter, True
            start = now()
            time.perf_counter = lambda: start + (now() - start) / 5


def clocks():
    import gc

    return [each for each in gc.get_objects() if type(each).__name__ == "Clock" and hasattr(each, "now")]


@cheat("implausible", CLOCK, measured=True)
class ReplacesTheClocksTime(Honest):
    def step(self):
        if not self.since_reset:
            for clock in clocks():
                real = time.perf_counter
                clock.now = lambda real=real: real() / 5
        super().step()


@cheat("implausible", CLOCK, measured=True)
class ForgesWhatIsTold(Honest):
    """The seconds of a round, on their way to the runner."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        if "stepbench.worker.station" in sys.modules:
            station = module("stepbench.worker.station")
            rounded = station.Rounded
            if rounded.__name__ == "Rounded":
                station.Rounded = lambda seconds, device: rounded(seconds / 6, device)


@cheat("implausible", f"the work is not done when synchronize returns|{CLOCK}")
class AnswersAtOnce(Honest):
    """Answers for the round before it begins, and works when it is asked what it holds."""

    early = None

    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.noted = 0
        if "stepbench.worker.station" not in sys.modules or hasattr(module("stepbench.worker.station"), "early"):
            return
        station = module("stepbench.worker.station")
        station.early = True
        station.Station.run_round = AnswersAtOnce.note

    @staticmethod
    def note(station):
        for workspace in station.binding.workspaces:
            workspace.noted += station.calls

    def reset(self, *state, **more):
        self.noted = 0
        super().reset(*state, **more)

    def snapshot(self):
        while self.noted:
            self.noted -= 1
            self.step()
        return super().snapshot()


@cheat("disagreement", "(w|b|J|gw|gb) is off|step is")
class RunsFewerThanWereAskedFor(Honest):
    """The loop itself is replaced by one of half as many turns, and the count is put right."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        binding = module("stepbench.worker.binding").Binding if "stepbench.worker.binding" in sys.modules else None
        if binding and not hasattr(binding, "halved"):
            run, binding.halved = binding.run, True

            def half(it, calls):
                run(it, calls - calls // 2)
                for each in it.workspaces:
                    each.steps_taken += calls // 2

            binding.run = half


@cheat("disagreement", "(w|b|J|gw|gb) is off|step is|cannot be read")
class ForgesWhatItHolds(Honest):
    """The state of the first round ever, again and again."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        if "stepbench.worker.station" in sys.modules:
            station = module("stepbench.worker.station")
            held, kept = station.Held, []

            class Forged:
                @staticmethod
                def of(snapshot):
                    kept.append(held.of(snapshot))
                    return kept[0]

            if held.__name__ == "Held":
                station.Held = Forged


@cheat("error", "no answer")
class AnswersWhatIsNoAnswer(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        if "stepbench.worker.station" in sys.modules:
            module("stepbench.worker.station").Rounded = lambda *_: module("stepbench.worker.messages").Ready()


@cheat("implausible", "changed the priority")
class RaisesItsPriority(Honest):
    def step(self):
        if not self.since_reset:
            os.setpriority(os.PRIO_PROCESS, 0, -5 if os.geteuid() == 0 else 5)
        super().step()


@cheat("error|crash", "SystemExit|ended with")
class Exits(Honest):
    def step(self):
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls > 60:
            raise SystemExit(0)
        super().step()


@cheat("error", "GeneratorExit")
class RaisesGeneratorExit(Honest):
    def step(self):
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls > 60:
            raise GeneratorExit
        super().step()


@cheat("error", "Skipped: not today")
class SkipsItself(Honest):
    def step(self):
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls > 60:
            import pytest

            pytest.skip("not today")
        super().step()


@cheat("crash", "stopped itself")
class StopsItself(Honest):
    def step(self):
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls > 60:
            import signal

            os.kill(os.getpid(), signal.SIGSTOP)
        super().step()


@cheat("implausible", "its memory grew", measured=True)
class LosesMemory(Honest):
    lost: ClassVar[list] = []

    def step(self):
        self.lost.append(bytearray(os.urandom(64) * 128))
        super().step()


@cheat("crash", "SIGSEGV")
class WritesToX(Honest):
    """By address, past what NumPy forbids, and puts it back."""

    def step(self):
        import ctypes

        first = ctypes.c_double.from_address(self.problem.X.ctypes.data)
        kept, first.value = first.value, 0.0
        first.value = kept
        super().step()


@cheat("error|disagreement", "no answer|step")
class CountsInHalves(Honest):
    def snapshot(self):
        snapshot = super().snapshot()
        object.__setattr__(snapshot, "step", float(snapshot.step))
        return snapshot


@cheat(TRUE_TIME)
class PrintsMuch(Honest):
    """To its own log: it is no worse than slow."""

    def step(self):
        if self.since_reset == 0:
            sys.stdout.write("x" * 100_000)
        super().step()


@cheat("error", "stdin")
class ReadsStandardInput(Honest):
    def step(self):
        if self.since_reset == 0:
            sys.stdin.read()
        super().step()
