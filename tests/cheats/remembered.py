"""Answers that are remembered: right, and not computed."""

from __future__ import annotations

from typing import ClassVar

from cheats import TRUE_TIME, Honest, cheat
from stepkernels import Op
from stepkernels.problem import Array


class Remembers(Honest):
    """Of the gradient: the parameters it was last computed at."""

    latest: bytes = b""

    def gradient(self):
        if self.parameters.tobytes() != self.latest:
            super().gradient()
            self.latest = self.parameters.tobytes()

    def reset(self, *state, **more):
        self.latest = b""
        super().reset(*state, **more)


@cheat("implausible", "it remembers its answer", op=Op.GRADIENT, measured=True)
class GradientOfTheSameParameters(Remembers):
    """Eleven to thirty times as fast, were the parameters always the same."""


@cheat("implausible", "it remembers its answer", op=Op.FORWARD, measured=True)
class CostOfTheSameParameters(Honest):
    latest: bytes = b""

    def forward(self):
        if self.parameters.tobytes() != self.latest:
            super().forward()
            self.latest = self.parameters.tobytes()

    def reset(self, *state, **more):
        self.latest = b""
        super().reset(*state, **more)


@cheat("implausible", "it remembers its answer", op=Op.GRADIENT, ops=(Op.GRADIENT, Op.STEP), measured=True)
class GradientOfTheSameParametersWithoutUpdate(Remembers):
    """It cannot be led to other parameters but by a reset."""


@cheat("disagreement", r"wrong beside timing: .*\b(J|gw|gb) is off", op=Op.GRADIENT)
class GradientOfNearParameters(Honest):
    """After an update the parameters are not far from those before: as if they were the same."""

    latest: Array | None = None

    def gradient(self):
        if self.latest is None or abs(self.parameters - self.latest).max() > 0.1:
            super().gradient()
            self.latest = self.parameters.copy()

    def step(self):
        self.latest = None
        super().step()

    def reset(self, *state, **more):
        self.latest = None
        super().reset(*state, **more)


@cheat(TRUE_TIME)
class StepFromTheSameParameters(Remembers):
    """A round of steps never comes to rest, so the parameters are never the same."""


@cheat(TRUE_TIME)
class EveryStepEverTaken(Honest):
    """Keeps the answer of each step by where it began; no round begins where another did.

    No more of them than memory may grow by unnoticed.
    """

    answers: ClassVar[dict[bytes, tuple]] = {}

    def step(self):
        key = self.parameters.tobytes()
        if key not in self.answers:
            super().step()
            if len(self.answers) < 200:
                self.answers[key] = self.parameters.copy(), self.gradients.copy(), self.J.copy()
        else:
            self.parameters[:], self.gradients[:], self.J[:] = self.answers[key]
            self.steps_taken += 1
