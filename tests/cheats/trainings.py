"""Training that leaves out what a look at its end does not show."""

from __future__ import annotations

import numpy as np

from cheats import OPS, Honest, cheat
from stepkernels import Op

TRAINS = (*OPS, Op.TRAIN)


class Trains(Honest):
    def train(self, steps):
        costs = self.reserve_costs(steps)
        for k in range(steps):
            self.train_step(k)
            costs[k] = self.J[0]

    def train_step(self, k):
        self.step()


@cheat("disagreement", r"cost 5 of train\(\d+\) is n", op=Op.TRAIN, ops=TRAINS)
class KeepsFiveCosts(Trains):
    def train(self, steps):
        super().train(steps)
        self.costs[5:] = np.nan


@cheat("disagreement", "J is off", op=Op.TRAIN, ops=TRAINS)
class GuessesMostCosts(Trains):
    """Between every eighth, along a line."""

    def train(self, steps):
        super().train(steps)
        at = np.append(np.arange(0, steps - 1, 8), steps - 1)
        self.costs[:] = np.interp(np.arange(steps), at, self.costs[at])


@cheat("disagreement", "(w|b|J|gw|gb) is off", op=Op.TRAIN, ops=TRAINS)
class SkipsSomeSteps(Trains):
    def train_step(self, k):
        if k % 64 == 63:
            self.steps_taken += 1
        else:
            self.step()


@cheat("disagreement", "(w|b|J|gw|gb) is off", op=Op.TRAIN, ops=TRAINS)
class TakesLongerSteps(Trains):
    """Half as many, each twice as long."""

    def train_step(self, k):
        if k % 2:
            self.steps_taken += 1
            return
        self.gradient()
        self.gradients *= 2
        self.update()
        self.gradients /= 2
