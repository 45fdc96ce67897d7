"""Kernels that do less of each step, or fewer of them, once nobody seems to look."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np

from cheats import Honest, cheat

MANY = 4  # steps since a reset


@contextmanager
def half_of_the_rows(kernel, first):
    """Every second row, in the place of all."""
    kept = {name: getattr(kernel, name) for name in ("X", "sign", "weighted_sign", "t", "decay", "scratch", "r")}
    for name, part in kept.items():
        half = (
            np.ascontiguousarray(part[first::2]) if name in ("X", "sign", "weighted_sign") else part[: len(part) // 2]
        )
        setattr(kernel, name, half)
    try:
        yield
    finally:
        for name, part in kept.items():
            setattr(kernel, name, part)


@cheat("disagreement", "w is off|b is off")
class EverySecondStep(Honest):
    def step(self):
        self.since_reset += 1
        if self.since_reset % 2:
            self.gradient()
        self.update()


@cheat("disagreement", "w is off|b is off|J is off")
class EverySecondGradientAfterMany(Honest):
    def step(self):
        self.since_reset += 1
        if self.since_reset < MANY or self.since_reset % 2:
            self.gradient()
        self.update()


@cheat("disagreement", "J is off")
class NoLossAfterMany(Honest):
    def forward(self):
        if self.since_reset <= MANY:
            return super().forward()
        np.dot(self.X, self.w, out=self.t)
        np.multiply(np.add(self.t, self.b, out=self.t), self.sign, out=self.t)
        np.exp(-np.abs(self.t), out=self.decay)
        return None


@cheat("disagreement", "(J|gw|gb|w|b) is off")
class EverySecondRowAfterMany(Honest):
    def step(self):
        if self.since_reset < MANY:
            return super().step()
        with half_of_the_rows(self, 0):
            return super().step()


@cheat("disagreement", "(J|gw|gb|w|b) is off")
class SinglePrecisionAfterMany(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.X32 = self.X.astype(np.float32)

    def step(self):
        self.X = self.X32 if self.since_reset >= MANY else self.problem.X
        if self.since_reset < MANY:
            return super().step()
        self.since_reset += 1
        z = self.X32 @ self.w.astype(np.float32) + np.float32(self.b[0])
        t = self.sign * z
        r = self.sign / (1 + np.exp(-t))
        self.J[:] = np.logaddexp(0, t).mean() + 0.5 * self.config.l2 * self.w @ self.w
        self.gw[:] = self.X32.T @ r.astype(np.float32) / len(z) + self.config.l2 * self.w
        self.gb[:] = r.mean()
        return self.update()


@cheat("disagreement", "(J|gw|gb|w|b) is off")
class LastRowsLeftOut(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        m = len(self.X) - len(self.X) // 50
        self.X, self.sign, self.weighted_sign = self.X[:m], self.sign[:m], self.weighted_sign[:m]
        self.t, self.decay, self.scratch, self.r = (part[:m] for part in (self.t, self.decay, self.scratch, self.r))


@cheat("disagreement", "(J|gw|gb|w|b) is off")
class StopsWhereTheGradientIsSmall(Honest):
    """Convergence by a taste of its own, and the same answers from then on."""

    def step(self):
        if np.linalg.norm(self.gradients) < 10:
            self.since_reset += 1
            self.steps_taken += 1
        else:
            super().step()


@cheat("disagreement", "w is off|b is off|J is off")
class GradientOfHalfTheData(Honest):
    """A random half of the rows, which is what stochastic descent does, and is another algorithm."""

    def gradient(self):
        with half_of_the_rows(self, self.since_reset % 2):
            super().gradient()
