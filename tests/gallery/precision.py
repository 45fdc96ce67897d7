"""Precision quietly given away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gallery import STEPS, broken
from gallery.honest import Honest
from stepkernels.problem import Array


def coarser(values: Array) -> Array:
    """Through the next smaller type and back: float64 through float32, float32 through float16."""
    return values.astype(np.float32 if values.dtype == np.float64 else np.float16).astype(values.dtype)


def masked(values: Array, bits: int) -> Array:
    """float32 with only so many bits of mantissa, truncated as tensor cores do; float64 with 23."""
    if values.dtype == np.float64:
        return values.astype(np.float32).astype(np.float64)
    return (values.view(np.uint32) & np.uint32(0xFFFFFFFF << (23 - bits) & 0xFFFFFFFF)).view(np.float32)


@broken(STEPS, "(J|gw|gb) is off")
class FeaturesStoredCoarser(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.X = coarser(np.clip(problem.X, -6e4, 6e4))


@broken(STEPS, "(J|gw|gb) is off")
class ProductsInTF32(Honest):
    def margins(self):
        return masked(self.X, 10) @ masked(self.w, 10) + self.b


@broken(STEPS, "gw is off", "J gb")
class TransposedProductInTF32(Honest):
    def feature_gradient(self, r):
        return masked(r, 10) @ masked(self.X, 10) / self.m + self.real(self.config.l2) * self.w


@broken(STEPS, "(J|gw|gb) is off")
class ProductsInBfloat16(Honest):
    def margins(self):
        return masked(self.X, 7) @ masked(self.w, 7) + self.b


@broken(STEPS, "gb is off", "J gw")
class BiasSummedCoarser(Honest):
    def bias_gradient(self, r):
        return coarser(np.asarray([r.sum()]))[0] / self.m


@broken(STEPS, "J is off", "gw gb w b")
class CostSummedCoarser(Honest):
    def losses(self, z):
        return coarser(np.minimum(super().losses(z), 6e4))


@broken(STEPS, "(gw|gb) is off", "J")
class ResidualsStoredCoarser(Honest):
    def residuals(self, z):
        return coarser(super().residuals(z))


@broken(STEPS, r"\b(w|b) is off", "J gw gb")
class ParametersStoredCoarser(Honest):
    def update(self):
        super().update()
        self.parameters[:] = coarser(self.parameters)


@broken(STEPS, r"\b(w|b) is off", "J gw gb")
class LearningRateCoarser(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        rate = float(coarser(np.asarray([config.optimizer.learning_rate], config.dtype))[0])
        self.config = replace(config, optimizer=replace(config.optimizer, learning_rate=rate + 1e-12))


@broken(STEPS, "moment2 is off", "J gw gb moment1", optimizers=("adam",))
class MomentsStoredCoarser(Honest):
    def accumulate(self, adam, g):
        super().accumulate(adam, g)
        self.moment2[:] = coarser(self.moment2)


@broken(STEPS, "(J|gw|gb) is off")
class ExponentialCoarser(Honest):
    def exp(self, x):
        return coarser(super().exp(x))
