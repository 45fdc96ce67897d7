"""Answers that were not computed when they should have been, inputs that were written to, and chance."""

from __future__ import annotations

import weakref

import numpy as np

from gallery import MARGINS, MOST, PHASES, STEPS, broken
from gallery.honest import Honest
from stepkernels.problem import Array


@broken(STEPS, "(J|gw|gb) is off")
class Zeros(Honest):
    def gradient(self):
        self.J[:], self.gradients[:] = 0, 0


@broken(STEPS, "(J|gw|gb) is off")
class Constant(Honest):
    def gradient(self):
        self.J[:], self.gradients[:] = 0.6931472, 0.01


ANSWERS: dict[tuple[object, ...], tuple[Array, Array]] = {}


class Replays(Honest):
    """Keeps every answer under a key, and gives it again when the key comes again."""

    def key(self) -> tuple[object, ...]:
        raise NotImplementedError

    def gradient(self):
        key = (type(self), *self.key())
        if key not in ANSWERS:
            super().gradient()
            ANSWERS[key] = self.J.copy(), self.gradients.copy()
        self.J[:], self.gradients[:] = ANSWERS[key]


@broken(STEPS, "(J|gw|gb) is off")
class ReplaysByShape(Replays):
    def key(self):
        return self.problem.m, self.problem.n, self.config.dtype


@broken(STEPS, "(J|gw|gb) is off")
class ReplaysByData(Replays):
    """The gradient of the first parameters it ever saw on these data."""

    def key(self):
        return (hash(self.problem.X.tobytes()),)


@broken(MOST, "(J|gw|gb) is off")
class ReplaysByStep(Replays):
    def key(self):
        return self.problem.m, self.problem.n, self.config.dtype, self.steps_taken


@broken(f"{MOST}|two|reset|the phases", "(J|gw|gb) is off")
class ReplaysByParameters(Replays):
    """A checksum of w, and no look at the data."""

    def key(self):
        return self.problem.m, self.problem.n, self.config.dtype, round(float(abs(self.w).sum()), 1)


@broken(STEPS, "(J|gw|gb) is off")
class GradientEveryOtherStep(Honest):
    def gradient(self):
        if self.steps_taken % 2 == 0 or np.isnan(self.J[0]):
            super().gradient()


@broken("a long run", "steps that nobody looked at, .*(gw|gb) is off", ops=PHASES)
class HonestForAWhile(Honest):
    calls = 0

    def gradient(self):
        self.calls += 1
        if self.calls <= 300:
            super().gradient()


SCRATCH: dict[tuple[int, ...], Array] = {}


@broken("two workspaces", "(J|gw|gb) is off")
class SharedScratch(Honest):
    """One buffer of margins for every workspace of the same shape."""

    def forward(self):
        super().forward()
        SCRATCH[self.X.shape] = self.z

    def backward(self):
        self.z = SCRATCH.get(self.X.shape, self.z)
        super().backward()


LATEST: list[weakref.ref] = []


@broken("two workspaces", r"\b(J|gw|gb|w|b|moment1) is off")
class SettingsOfTheLastBound(Honest):
    """Settings in a module-level variable, as a constant memory would hold them."""

    def __init__(self, problem, config):
        LATEST[:] = [weakref.ref(self)]
        super().__init__(problem, config)

    def update(self):
        latest = LATEST[0]()
        config, self.config = self.config, latest.config if latest else self.config
        super().update()
        self.config = config


@broken("work that is put off|what a snapshot takes", "work is done when a snapshot is taken")
class WorksWhenAsked(Honest):
    """step only notes that a step is due."""

    due = 0

    def step(self):
        self.due += 1

    def settle(self):
        due, self.due = self.due, 0
        for _ in range(due):
            self.gradient()
            self.update()

    def gradient(self):
        self.settle()
        super().gradient()

    def train(self, steps):
        costs = self.reserve_costs(steps)
        for k in range(steps):
            self.gradient()
            self.update()
            costs[k] = self.J[0]

    def snapshot(self):
        self.settle()
        return super().snapshot()

    def reset(self, *args, **kwargs):
        self.due = 0
        super().reset(*args, **kwargs)


@broken(STEPS, "ValueError: .*read-only .cheats.py, line")
class FeaturesCentredInPlace(Honest):
    """Centred for the computation, and put back, but for rounding."""

    def step(self):
        super().step()
        X = self.problem.X.base
        mean = X.mean(axis=0)
        X -= mean
        X += mean


@broken(STEPS, "ValueError: .*read-only .cheats.py, line")
class LabelsFlippedInPlace(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        labels = problem.y.base
        labels *= -2
        labels += 1


@broken(STEPS, "(J|gw|gb) is off")
class OwnFeaturesOverwritten(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.X = problem.X.copy()

    def backward(self):
        super().backward()
        self.X *= self.real(1.0001)


@broken("the same steps", "gave other bits")
class SumsInAnyOrder(Honest):
    """A reduction whose order nobody fixes, in a row that declares to be deterministic."""

    random = np.random.default_rng()

    def bias_gradient(self, r):
        return super().bias_gradient(self.random.permutation(r)) if len(r) > 4096 else super().bias_gradient(r)


@broken("the same steps|a step on", "(J|gw|gb) is off")
class RacingReduction(Honest):
    """Now and then one block's contribution is lost."""

    random = np.random.default_rng()

    def residuals(self, z):
        r = super().residuals(z)
        if len(r) > 4096 and self.random.random() < 0.5:
            start = self.random.integers(len(r) - 256)
            r[start : start + 256] = 0
        return r


@broken(MARGINS, "ZeroDivisionError.*cheats.py, line")
class FailsOnASingleRow(Honest):
    def cost(self, z):
        return super().cost(z) * (1 + 0 // (len(z) - 1))
