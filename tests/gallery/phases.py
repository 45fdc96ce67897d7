"""Mistakes between the phases, and in training."""

from __future__ import annotations

from dataclasses import replace

from gallery import broken
from gallery.honest import Honest


@broken("the phases", "(J|gw|gb) is off")
class BackwardOfTheForwardBefore(Honest):
    """Two buffers of margins, and the wrong one is read."""

    older = None

    def gradient(self):
        Honest.forward(self)
        super().backward()

    def forward(self):
        self.older = self.z
        super().forward()

    def backward(self):
        z, self.z = self.z, self.z if self.older is None else self.older
        super().backward()
        self.z = z


@broken("the phases", r"\b(J|gw|gb|w|b) is off")
class GradientStepsToo(Honest):
    def gradient(self):
        super().gradient()
        self.parameters -= self.real(1e-3) * self.gradients

    def step(self):
        Honest.gradient(self)
        self.update()


@broken("operations", "(gw|gb) is off")
class BackwardChangesWhatItReads(Honest):
    def backward(self):
        super().backward()
        self.z *= self.real(0.5)


@broken("train", r"after train\(2\), (J|w) is off")
class TrainsOneStepLess(Honest):
    def train(self, steps):
        super().train(max(1, steps - 1))
        self.reserve_costs(steps)[:] = self.J[0]


@broken("train|two workspaces", r"cost 0 of train\(1\) is .* off by")
class CostsShiftedByOne(Honest):
    def train(self, steps):
        super().train(steps)
        self.costs[:-1] = self.costs[1:].copy()
        self.costs[-1] = self.cost(self.margins())


@broken("train", r"cost 0 of train\((2|40)\) is .* off by")
class OnlyTheLastCostKept(Honest):
    def train(self, steps):
        super().train(steps)
        self.costs[:-1] = self.costs[-1]


@broken("train|two workspaces", r"after train\(\d+\).*\b(w|b) is off", "J gw gb")
class LearningRateDividedInTraining(Honest):
    def train(self, steps):
        config = self.config
        rate = config.optimizer.learning_rate / (1 + steps)
        self.config = replace(config, optimizer=replace(config.optimizer, learning_rate=rate))
        super().train(steps)
        self.config = config


@broken("train", r"train\(\d{3}\), .*\b(w|b) is off")
class AnotherLearningRateForManySteps(Honest):
    def train(self, steps):
        config = self.config
        rate = config.optimizer.learning_rate * (1.01 if steps >= 100 else 1)
        self.config = replace(config, optimizer=replace(config.optimizer, learning_rate=rate))
        super().train(steps)
        self.config = config


@broken("train|two workspaces", r"after train\(\d+\).*, J is off")
class TrainingStartsOver(Honest):
    def train(self, steps):
        self.steps_taken = 0
        self.parameters[:-1] = self.problem.w0
        super().train(steps)


@broken("train|two workspaces", r"after train\(\d+\).*, (w|b) is off", "J gw gb", optimizers=("adam",))
class TrainingCorrectsFromStepOne(Honest):
    def train(self, steps):
        taken, self.steps_taken = self.steps_taken, 0
        super().train(steps)
        self.steps_taken = taken + steps


@broken("train", "costs of the last train behind")
class CostsLeftAfterReset(Honest):
    def reset(self, *args, **kwargs):
        costs = self.costs
        super().reset(*args, **kwargs)
        self.costs = costs
