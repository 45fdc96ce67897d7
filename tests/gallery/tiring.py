"""Kernels that are right as long as somebody looks: after some calls, in the middle of a train, between snapshots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gallery import PHASES, broken
from gallery.honest import Honest

# Either may come first: how many steps the second takes goes by the time that they take.
LONG = "a long run|work that is put off"
LEADS_ELSEWHERE = (
    r"step \d+ of a long run, |steps that nobody looked at, |times (step|gradient; update|forward; backward; update), "
)


class Tiring(Honest):
    """Counts the steps since the last reset."""

    calls = 0
    patience = 40

    @property
    def tired(self) -> bool:
        return self.calls > self.patience

    def reset(self, *args, **kwargs):
        super().reset(*args, **kwargs)
        self.calls = 0

    def update(self):
        self.calls += 1
        super().update()


@broken(LONG, rf"({LEADS_ELSEWHERE}).*\b(w|b) is off", ops=PHASES)
class EverySecondStepAfterForty(Tiring):
    def update(self):
        kept = self.parameters.copy()
        super().update()
        if self.tired and self.calls % 2:
            self.parameters[:] = kept


@broken(LONG, rf"({LEADS_ELSEWHERE}).*\b(gw|gb|w) is off", ops=PHASES)
class EverySecondRowAfterForty(Tiring):
    def residuals(self, z):
        r = super().residuals(z)
        if self.tired:
            r[::2] *= 2
            r[1::2] = 0
        return r


@broken(LONG, f"({LEADS_ELSEWHERE}).*J is off", "gw gb w b", ops=PHASES)
class NoLossAfterForty(Tiring):
    def cost(self, z):
        return self.J[0] if self.tired else super().cost(z)


@broken(LONG, f"({LEADS_ELSEWHERE}).*is off", ops=PHASES)
class CoarserAfterForty(Tiring):
    """float32 inside a float64 row, float16 inside a float32 row."""

    def margins(self):
        if not self.tired:
            return super().margins()
        narrow = np.float32 if self.config.dtype == "float64" else np.float16
        return (self.X.astype(narrow) @ self.w.astype(narrow) + self.b.astype(narrow)).astype(self.config.dtype)


@broken(LONG, f"({LEADS_ELSEWHERE}).*is off", ops=PHASES)
class RemembersNearlyTheSameParameters(Tiring):
    """After a while the gradient of before, as long as the parameters have moved by less than a thousandth."""

    seen = None

    def gradient(self):
        if self.tired and self.seen is not None and np.allclose(self.seen, self.parameters, rtol=1e-3, atol=0):
            return
        super().gradient()
        self.seen = self.parameters.copy()

    def reset(self, *args, **kwargs):
        super().reset(*args, **kwargs)
        self.seen = None


@broken(LONG, f"({LEADS_ELSEWHERE}).*is off", ops=PHASES)
class RestsWhenTheGradientIsSmall(Tiring):
    """Below a tenth of its first gradient it is near enough."""

    first = None
    patience = 0

    def reset(self, *args, **kwargs):
        super().reset(*args, **kwargs)
        self.first = None

    def update(self):
        size = float(np.abs(self.gradients).max())
        self.first = self.first or size
        kept = self.parameters.copy()
        super().update()
        if size < 0.9 * self.first and self.calls > 20:
            self.parameters[:] = kept


class OnceInAWhile(Honest):
    """A fault of once in a thousand steps of a workspace."""

    done = 0

    @property
    def faulty(self) -> bool:
        return self.done % 1000 == 999

    def update(self):
        self.done += 1
        super().update()


@broken(LONG, rf"({LEADS_ELSEWHERE}).*\b(w|b) is off", ops=PHASES)
class StepLostOnceInAThousand(OnceInAWhile):
    def update(self):
        kept = self.parameters.copy()
        super().update()
        if self.faulty:
            self.parameters[:] = kept


@broken(LONG, f"({LEADS_ELSEWHERE}).*is off", dtypes=("float64",), ops=PHASES)
class RowLostOnceInAThousand(OnceInAWhile):
    def residuals(self, z):
        r = super().residuals(z)
        if self.faulty:
            r[-1] = 0
        return r


@broken("train", r"cost \d+ of train\(\d+\) is nan")
class CostsAreNaNAfterTheFifth(Honest):
    def train(self, steps):
        super().train(steps)
        self.costs[5:] = np.nan


@broken("train", r"cost \d+ of train\(\d{2,}\) is .* off by")
class OneCostOfManyRepeated(Honest):
    def train(self, steps):
        super().train(steps)
        if steps > 200:
            self.costs[201] = self.costs[200]


@broken("train", r"after train\(\d{3}\), .*\b(w|b) is off")
class Every256thStepSkipped(Honest):
    def train(self, steps):
        costs = self.reserve_costs(steps)
        for k in range(steps):
            self.gradient()
            if k % 256 == 255:
                self.steps_taken += 1
            else:
                self.update()
            costs[k] = self.J[0]


@broken("train", r"after train\(\d{2,}\), .*\b(w|b) is off")
class OneStepOfManyAtAnotherRate(Honest):
    def train(self, steps):
        config, costs = self.config, self.reserve_costs(steps)
        fast = replace(config, optimizer=replace(config.optimizer, learning_rate=2 * config.optimizer.learning_rate))
        for k in range(steps):
            self.config = fast if k == 100 else config
            self.step()
            costs[k] = self.J[0]
        self.config = config


@broken("what a snapshot takes", "work is done when a snapshot is taken", ops=PHASES)
class CostComputedInSnapshot(Honest):
    """J is of the margins before the update: they are kept, and J is made of them when somebody asks."""

    owed = None

    def forward(self):
        self.z = self.margins()
        self.owed = self.parameters.copy()

    def snapshot(self):
        if self.owed is not None:
            kept = self.parameters.copy()
            self.parameters[:] = self.owed
            self.J[0] = self.cost(self.z)
            self.parameters[:] = kept
            self.owed = None
        return super().snapshot()

    def reset(self, *args, **kwargs):
        super().reset(*args, **kwargs)
        self.owed = None
