"""Means, penalties and signs."""

from __future__ import annotations

import numpy as np

from gallery import MOST, STEPS, broken
from gallery.honest import Honest


class WrongMean(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.m = self.real(self.divisor(problem.m))


@broken(STEPS, "(J|gw|gb) is off")
class MeanOverOneLess(WrongMean):
    def divisor(self, m):
        return max(1, m - 1)


@broken(STEPS, "(J|gw|gb) is off")
class MeanOverOneMore(WrongMean):
    def divisor(self, m):
        return m + 1


@broken(STEPS, "(J|gw|gb) is off")
class SumInsteadOfMean(WrongMean):
    def divisor(self, m):
        return 1


@broken(STEPS, "(J|gw|gb) is off")
class MeanOverWholeTiles(WrongMean):
    def divisor(self, m):
        return -(-m // 32) * 32


@broken(STEPS, "J is off", "gw gb w")
class CostIsASum(Honest):
    def cost(self, z):
        return self.losses(z).sum() + self.penalty()


@broken(STEPS, r"\bb is off", "J gw gb")
class BiasNeverUpdated(Honest):
    def update(self):
        b = self.b.copy()
        super().update()
        self.b[:] = b


@broken(STEPS, "J is off")
class BiasNotAdded(Honest):
    def margins(self):
        return self.X @ self.w


@broken(f"{MOST}|settings", "gb is off", "J gw")
class PenaltyOnTheBias(Honest):
    def bias_gradient(self, r):
        return super().bias_gradient(r) + self.real(self.config.l2) * self.b[0]


@broken(f"{MOST}|settings", "J is off", "gw gb w b")
class PenaltyOfTheBiasInTheCost(Honest):
    def penalty(self):
        return super().penalty() + self.real(0.5 * self.config.l2) * self.b[0] ** 2


@broken(f"{MOST}|settings", "J is off", "gw gb w b")
class PenaltyNotInTheCost(Honest):
    def penalty(self):
        return 0


@broken(f"{MOST}|settings", "gw is off", "J gb")
class PenaltyNotInTheGradient(Honest):
    def feature_gradient(self, r):
        return r @ self.X / self.m


@broken(f"{MOST}|settings", "J is off", "gw gb w b")
class PenaltyWithoutItsHalf(Honest):
    def penalty(self):
        return 2 * super().penalty()


@broken(f"{MOST}|settings", "J is off", "gw gb w b")
class PenaltyNotSquared(Honest):
    def penalty(self):
        return self.real(0.5 * self.config.l2) * np.sqrt(self.w @ self.w)


@broken(f"{MOST}|settings", "gw is off", "J gb")
class PenaltyOverTheRows(Honest):
    """scikit-learn's C, half understood."""

    def feature_gradient(self, r):
        return (r @ self.X + self.real(self.config.l2) * self.w) / self.m


@broken(f"{MOST}|settings", r"\bw is off", "J gw gb b")
class DecoupledWeightDecay(Honest):
    def update(self):
        super().update()
        self.w[:] *= 1 - self.real(self.config.optimizer.learning_rate * self.config.l2)


@broken(STEPS, "(gw|gb) is off", "J")
class SignOfTheResidual(Honest):
    def residuals(self, z):
        return -super().residuals(z)


@broken(STEPS, "(gw|gb) is off", "J")
class LabelsSmoothed(Honest):
    def residuals(self, z):
        return super().residuals(z) + self.real(1e-3) * (2 * self.y - 1)


@broken(STEPS, "J is off", "gw gb w b")
class CostOfOneClassOnly(Honest):
    def losses(self, z):
        return super().losses(z) * self.y
