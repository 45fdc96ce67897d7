"""Forms that overflow, cancel, clip or approximate."""

from __future__ import annotations

import math

import numpy as np

from gallery import MOST, broken
from gallery.honest import Honest
from stepkernels.problem import Array


def naive_sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


@broken(MOST, "J is off by inf bounds.*not finite", "gw gb")
class LogOfASigmoid(Honest):
    def losses(self, z):
        return -np.log(naive_sigmoid(-self.sign * z))


@broken(MOST, "(gw|gb) is off")
class ExponentialOverItself(Honest):
    """exp(z) / (1 + exp(z)): infinity over infinity."""

    def residuals(self, z):
        t = self.sign * z
        return self.sign * np.exp(t) / (1 + np.exp(t))


@broken(MOST, "(gw|gb) is off by \\d")
class NaNTurnedToZero(Honest):
    """The same, with the evidence removed."""

    def residuals(self, z):
        t = self.sign * z
        return np.nan_to_num(self.sign * np.exp(t) / (1 + np.exp(t)))


@broken(MOST, "J is off", "gw gb w")
class LogClippedAt1e12(Honest):
    def losses(self, z):
        return -np.log(np.maximum(naive_sigmoid(-self.sign * z), 1e-12))


@broken(MOST, "J is off", "gw gb w")
class LogClippedLikeKeras(Honest):
    def losses(self, z):
        return -np.log(np.clip(naive_sigmoid(-self.sign * z), 1e-7, 1 - 1e-7))


@broken(MOST, "(gw|gb) is off", residual="difference")
class ProbabilityClipped(Honest):
    def residuals(self, z):
        return np.clip(naive_sigmoid(z), 1e-6, 1 - 1e-6).astype(z.dtype) - self.y


@broken(MOST, "(J|gw|gb) is off")
class MarginClippedAt30(Honest):
    def margins(self):
        return np.clip(super().margins(), -30, 30)


@broken(MOST, "(gw|gb) is off", "J")
class ResidualZeroFarOut(Honest):
    def residuals(self, z):
        return np.where(self.sign * z < -15, 0, super().residuals(z)).astype(z.dtype)


@broken(MOST, "J is off", "gw gb w")
class SoftplusIsLinearTooSoon(Honest):
    def losses(self, z):
        return np.where(self.sign * z > 10, self.sign * z, super().losses(z))


@broken(MOST, "J is off", "gw gb w")
class LogOfOnePlus(Honest):
    """log(1 + e⁻ᵗ) in a row that claims the stable form."""

    def losses(self, z):
        t = self.sign * z
        return np.maximum(t, 0) + np.log(1 + np.exp(-np.abs(t)))


@broken(MOST, "(gw|gb) is off", "J")
class UndeclaredDifference(Honest):
    def residuals(self, z):
        return naive_sigmoid(z) - self.y


@broken(MOST, "J is off", "gw gb w")
class UndeclaredDifferenceOfCosts(Honest):
    def losses(self, z):
        return np.logaddexp(0, z) - self.y * z


@broken(MOST, "(gw|gb) is off", "J", residual="difference")
class SigmoidFromATanh(Honest):
    """½(1 + tanh(z/2)) cancels for negative z."""

    def residuals(self, z):
        return (self.real(0.5) * (1 + np.tanh(z / 2))) - self.y


@broken(MOST, "(J|gw|gb) is off")
class FastExponential(Honest):
    """Wrong by 10⁻⁴, here and there more, here and there less."""

    def exp(self, x):
        return super().exp(x) * (1 + self.real(1e-4) * np.cos(50 * x))


@broken(MOST, "(J|gw|gb) is off")
class PowerOfTwoInHalfPrecision(Honest):
    def exp(self, x):
        return np.exp2(np.maximum(x * self.real(math.log2(math.e)), -10).astype(np.float16)).astype(x.dtype)


@broken(MOST, "(gw|gb) is off", "J")
class SigmoidFromATable(Honest):
    def residuals(self, z):
        grid = np.linspace(-40, 40, 4096)
        return (self.sign * np.interp(self.sign * z, grid, naive_sigmoid(grid))).astype(z.dtype)


@broken(MOST, "(gw|gb) is off", "J")
class ExponentialOfBigArgumentsIsZero(Honest):
    def residuals(self, z):
        return np.where(np.abs(z) > 17, (z > 0) - self.y, super().residuals(z)).astype(z.dtype)
