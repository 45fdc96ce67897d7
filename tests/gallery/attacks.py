"""Kernels that attack whoever judges them, and kernels that cannot be judged: each in a process of its own.

`@attack(says)` states the reason for which a check must reject it. What an attack computes is wrong, so that one that
had its way would be accepted with numbers that are not right: every step leaves the parameters where they are.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from gallery import PHASES
from gallery.honest import Honest
from stepkernels import Config, Implementation, Problem

OFF = r"(J|w|b|gw|gb) is off"
ATTACKS: dict[str, tuple[type[Honest], str]] = {}


def attack(says: str) -> Callable[[type[Honest]], type[Honest]]:
    def register(kernel: type[Honest]) -> type[Honest]:
        ATTACKS[kernel.__name__] = kernel, says
        return kernel

    return register


def attacking(name: str) -> Implementation:
    return Implementation(
        name=name,
        module=__name__,
        options=MappingProxyType({"name": name}),
        ops=PHASES,
        dtypes=("float64",),
        optimizers=("gd",),
        allocates=True,
    )


def bind(problem: Problem, config: Config, name: str) -> Honest:
    return ATTACKS[name][0](problem, config)


class Wrong(Honest):
    """Never moves."""

    def update(self):
        self.steps_taken += 1


def line_to_the_judge() -> socket.socket:
    """The executor's own end: the number that it was started with."""
    return socket.socket(fileno=os.dup(int(sys.argv[1])))


# ---- what is expected, the plan, the comparison, the clock: none of them are here ----


@attack(OFF)
class CopiesExpectationsFromFrames(Wrong):
    """Whatever lies in a frame above or in the collector's hands that looks like an expectation or a truth."""

    def step(self):
        super().step()
        frame = sys._getframe()
        while frame:
            for name in ("expected", "expectation", "truth", "after"):
                self.take(frame.f_locals.get(name))
            frame = frame.f_back
        for thing in gc.get_objects():
            if isinstance(thing, dict) and {"J", "gw", "w"} <= set(map(str, thing)):
                self.take(thing)

    def take(self, found):
        with contextlib.suppress(Exception):
            self.parameters[:-1] = found["w"].value
            self.parameters[-1] = found["b"].value


@attack(OFF)
class PatchesTheComparison(Wrong):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        from stepbench.checking import bound_row
        from stepkernels import agreement
        from stepkernels.agreement import Agreement

        agreement.compare = bound_row.compare = lambda *_: Agreement({"J": 0.0})
        bound_row.require = lambda *_: None
        bound_row.BoundRow.judge = lambda row, *_: row.snapshot()


@attack(OFF)
class PatchesThePlan(Wrong):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        from stepbench.checking import judge, schedule, scheduled_trial, supervise

        for module in (judge, schedule, supervise):
            module.schedule_of = schedule.check_schedule = lambda *_: []
        scheduled_trial.ScheduledTrial.run = lambda *_: None


@attack(OFF)
class PatchesRandomNumbers(Wrong):
    """If every draw were known, every answer could be kept."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        np.random.default_rng = lambda *_: np.random.Generator(np.random.PCG64(0))


@attack("work is done when a snapshot is taken")
class PatchesTheClock(Honest):
    """Puts its work off until somebody asks, and stops the clock meanwhile."""

    due = 0

    def __init__(self, problem, config):
        super().__init__(problem, config)
        for name in ("perf_counter", "monotonic", "time", "process_time", "perf_counter_ns", "monotonic_ns"):
            setattr(time, name, lambda: 0)

    def step(self):
        self.due += 1

    def settle(self):
        due, self.due = self.due, 0
        for _ in range(due):
            Honest.gradient(self)
            Honest.update(self)

    def gradient(self):
        self.settle()
        super().gradient()

    def forward(self):
        self.settle()
        super().forward()

    def update(self):
        self.settle()
        super().update()

    def snapshot(self):
        self.settle()
        return super().snapshot()

    def reset(self, *args, **kwargs):
        self.due = 0
        super().reset(*args, **kwargs)


@attack(OFF)
class KnowsThatItIsChecked(Wrong):
    """Right when anything says that this is a check: arguments, environment, modules, parents."""

    def update(self):
        told = " ".join([*sys.argv, *os.environ, *sys.modules])
        with contextlib.suppress(OSError):
            told += Path(f"/proc/{os.getppid()}/environ").read_text(errors="replace")
        if "schedule" in told or "seed" in told:
            super(Wrong, self).update()
        else:
            super().update()


# ---- what is sent ----


@attack("answered what is no answer")
class ForgesFindings(Wrong):
    """Sends the judge's findings itself, to whoever listens."""

    def step(self):
        from stepbench.checking.protocol import Finding

        payload = pickle.dumps(Finding(next_trial=""))
        for descriptor in range(3, 64):
            with contextlib.suppress(OSError):
                os.write(descriptor, struct.pack("!i", len(payload)) + payload)
        super().step()


@attack("answered what is no answer")
class AnswersBeforehand(Wrong):
    """Says that it is done with what nobody has asked for yet."""

    def step(self):
        from stepbench.executor.wire import Done, answer_frame

        line_to_the_judge().sendall(answer_frame(Done(token=1)))
        super().step()


@attack("answered what is no answer: .* bytes, when .* are more than were asked for")
class AnswersWithoutEnd(Wrong):
    def step(self):
        line_to_the_judge().sendall(struct.pack("<Q", 2**60) + bytes(2**16))


@attack("answered what is no answer")
class AnswersAPickle(Wrong):
    """Code, to be run by whoever unpickles it."""

    def step(self):
        payload = pickle.dumps(np.zeros(3))
        line_to_the_judge().sendall(struct.pack("<Q", len(payload)) + payload)


@attack("answered what is no answer|ended its process|closed the line")
class PatchesTheAnswers(Wrong):
    """The executor says whatever it likes: a snapshot of nothing."""

    def step(self):
        from stepbench.executor import serving

        serving.answer_frame = lambda _: struct.pack("<Q", 1) + b"\xc0"


@attack("closed the line|ended its process")
class ClosesTheLine(Wrong):
    def step(self):
        os.close(int(sys.argv[1]))


@attack("TypeError: step of a snapshot is .* it must be an int")
class StepIsAFloat(Honest):
    def snapshot(self):
        self.steps_taken = float(self.steps_taken)
        return super().snapshot()


@attack("TypeError: J of a snapshot holds .* no numbers|AttributeError")
class SnapshotIsNoSnapshot(Honest):
    def snapshot(self):
        snapshot = super().snapshot()
        return type("Own", (), {**{name: getattr(snapshot, name) for name in ("w", "b", "step")}, "J": "0.5"})()


@attack(r"steps left \d+\.\d MiB behind, [78]\d\d\d bytes each")
class KeepsEightKibibytesAStep(Honest):
    """What a step keeps it keeps for ever; where little is computed nobody would see it."""

    kept: ClassVar[list[bytearray]] = []

    def update(self):
        super().update()
        self.kept.append(bytearray(8192))


# ---- processes ----


@attack("answered what is no answer|after a fork")
class ForksInAStep(Wrong):
    """Both go on: one computes, one answers."""

    def step(self):
        os.fork()
        super().step()


@attack("ended its process with status 0")
class LeavesItsChildInItsPlace(Wrong):
    def step(self):
        if os.fork():
            os._exit(0)
        super().step()


@attack("its judge was ended by SIGKILL")
class KillsItsJudge(Wrong):
    def step(self):
        os.kill(os.getppid(), signal.SIGKILL)


@attack("its judge stopped itself|cannot be judged")
class StopsItsJudge(Wrong):
    def step(self):
        os.kill(os.getppid(), signal.SIGSTOP)
        time.sleep(60)


@attack("the row stopped itself and was ended")
class StopsItself(Wrong):
    def step(self):
        os.kill(os.getpid(), signal.SIGSTOP)


@attack("the row was ended by SIGKILL")
class KillsItself(Wrong):
    def step(self):
        os.kill(os.getpid(), signal.SIGKILL)


@attack("the row was ended by SIG(SEGV|BUS): X, y and w0 lie in memory that cannot be written to")
class FeaturesWrittenAndRestored(Honest):
    """Through an address, where NumPy does not look, and back again before anybody can see it."""

    def forward(self):
        kept = self.X.copy()
        ctypes.memset(self.problem.X.ctypes.data, 0, self.problem.X.nbytes)
        super().forward()
        ctypes.memmove(self.problem.X.ctypes.data, kept.ctypes.data, kept.nbytes)


@attack("the row ended its process with status 7")
class EndsItsProcess(Wrong):
    def step(self):
        os._exit(7)


@attack(r"SystemExit: 0 \(attacks.py, line \d+, in step\)")
class ExitsInAStep(Wrong):
    def step(self):
        atexit.register(os._exit, 0)
        raise SystemExit(0)


@attack(r"GeneratorExit: .*\(attacks.py, line \d+, in step\)")
class RaisesGeneratorExit(Wrong):
    def step(self):
        raise GeneratorExit


@attack(r"KeyboardInterrupt: .*\(attacks.py, line \d+, in step\)")
class InterruptsItself(Wrong):
    def step(self):
        raise KeyboardInterrupt


@attack("Skipped: not today")
class SkipsItsTest(Wrong):
    def step(self):
        import pytest

        pytest.skip("not today")


class UnspeakableError(Exception):
    def __str__(self):
        raise SystemExit(0)


@attack("UnspeakableError: .its text could not be had: SystemExit")
class RaisesWhatCannotBeTold(Wrong):
    def step(self):
        raise UnspeakableError


@attack(r"RuntimeError: x{2000}…")
class RaisesAGigabyte(Wrong):
    def step(self):
        raise RuntimeError("x" * 10**8)


@attack("the row printed more than 16 MiB and was ended")
class PrintsAGigabyte(Wrong):
    def step(self):
        for _ in range(1024):
            sys.stdout.write("all numbers agree\n" * 2**16)


@attack(r"(OSError|UnsupportedOperation): .*\(attacks.py, line \d+, in step\)")
class ReadsStandardInput(Wrong):
    def step(self):
        sys.stdin.read()


@attack("the row did nothing for 20 seconds and was ended")
class Sleeps(Wrong):
    def step(self):
        threading.Event().wait(600)


@attack("the row did nothing for 20 seconds and was ended|gave no answer")
class WaitsForASubprocess(Wrong):
    def step(self):
        subprocess.run(["sleep", "600"], check=True)
