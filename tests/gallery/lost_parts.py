"""Rows and columns that are lost, or counted twice."""

from __future__ import annotations

import numpy as np

from gallery import LARGE, STEPS, broken
from gallery.honest import Honest
from stepkernels.problem import Array


class LosesRows(Honest):
    """Rows where `kept` is false take no part in the sums over rows."""

    def kept(self) -> Array:
        raise NotImplementedError

    def cost(self, z):
        return self.losses(z)[self.kept()].sum() / self.m + self.penalty()

    def feature_gradient(self, r):
        return super().feature_gradient(r * self.kept())

    def bias_gradient(self, r):
        return super().bias_gradient(r * self.kept())


@broken(STEPS, "(J|gw|gb) is off")
class LastRowDropped(LosesRows):
    def kept(self):
        return np.arange(len(self.y)) < max(1, len(self.y) - 1)


@broken(STEPS, "(J|gw|gb) is off.* 257 × 33")
class TailOfARowTileSkipped(LosesRows):
    def kept(self):
        return np.arange(len(self.y)) < max(len(self.y) // 64 * 64, 33)


@broken(STEPS, "(J|gw|gb) is off")
class OneThreadsPartLost(LosesRows):
    def kept(self):
        quarter = len(self.y) // 4
        return (np.arange(len(self.y)) < 2 * quarter) | (np.arange(len(self.y)) >= 3 * quarter)


@broken(STEPS, "(J|gw|gb) is off")
class OnlyTheFirst1024Rows(LosesRows):
    """One block of 1,024 threads and no loop around it."""

    def kept(self):
        return np.arange(len(self.y)) < 1024


@broken(LARGE, "(J|gw|gb) is off")
class OnlyTheFirst65535Rows(LosesRows):
    def kept(self):
        return np.arange(len(self.y)) < 65535


@broken(LARGE, "(J|gw|gb) is off.* 1048583 × 1")
class OnlyAFullGrid(LosesRows):
    """1,024 blocks of 1,024 threads and no stride."""

    def kept(self):
        return np.arange(len(self.y)) < 2**20


@broken(f"{LARGE}|the same steps", "(J|gw|gb) is off")
class SubsampledWhenLarge(LosesRows):
    """Every second row counts twice, in the hope that nobody sees it on much data."""

    def kept(self):
        return np.ones(len(self.y)) if len(self.y) <= 4096 else 2 * (np.arange(len(self.y)) % 2)

    def cost(self, z):
        return (self.losses(z) * self.kept()).sum() / self.m + self.penalty()


@broken(STEPS, "(J|gw|gb) is off")
class RowsAtTileEdgesCountTwice(LosesRows):
    def kept(self):
        return np.where((np.arange(len(self.y)) % 32 == 0) & (np.arange(len(self.y)) > 0), 2, 1)

    def cost(self, z):
        return (self.losses(z) * self.kept()).sum() / self.m + self.penalty()


@broken(STEPS, "gw is off", "J gb")
class LastColumnOfAnOddWidthHasNoGradient(Honest):
    def feature_gradient(self, r):
        gw = super().feature_gradient(r)
        gw[len(gw) // 2 * 2 :] = 0
        return gw


@broken(STEPS, "gw is off", "J gb")
class ColumnsOfATileTailNotReduced(Honest):
    def feature_gradient(self, r):
        gw = super().feature_gradient(r)
        gw[max(len(gw) // 32 * 32, 32) :] = self.config.l2 * self.w[max(len(gw) // 32 * 32, 32) :]
        return gw


@broken(STEPS, "J is off")
class TailOfADotProductSkipped(Honest):
    def margins(self):
        n = max(1, len(self.w) // 4 * 4)
        return self.X[:, :n] @ self.w[:n] + self.b


@broken(LARGE, "gw is off", "J gb")
class GradientOfTheFirst32kColumns(Honest):
    def feature_gradient(self, r):
        gw = super().feature_gradient(r)
        gw[2**15 :] = 0
        return gw


@broken(STEPS, "gb is off", "J gw")
class WarpSumWithoutItsLastLane(Honest):
    def bias_gradient(self, r):
        return (r.sum() - r[31::32].sum()) / self.m


@broken(STEPS, "(gw|gb) is off", "J")
class ResidualOfTheRowBefore(Honest):
    """A tile that starts one row early."""

    def residuals(self, z):
        r = super().residuals(z)
        r[32:] = r[31:-1] if len(r) > 32 else r[32:]
        return r
