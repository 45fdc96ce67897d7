"""Mistakes in keeping X narrower than it is computed with: right in float32, wrong in the bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery import STEPS, broken
from gallery.honest import Honest
from gallery.precision import masked
from stepkernels.problem import STORAGES, Array
from stepkernels.problem.storage import narrowed

ONLY = {"dtypes": ("float32",)}
Bits = NDArray[np.integer]


class Narrow(Honest):
    """Honest: it keeps the bits, and widens all of them once."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        if config.storage is not None:
            self.X = self.widened(*narrowed(problem.X, config.storage)).astype(np.float32)

    @property
    def is_narrow(self):
        return self.config.storage is not None

    def widened(self, bits: Bits, scales: Array) -> Array:
        if bits.dtype == np.int8:
            return self.of_int8(bits, scales)
        return self.of_float16(bits) if bits.dtype == np.int16 else self.of_bfloat16(bits)

    def of_float16(self, bits: Bits) -> Array:
        return bits.view(np.float16)

    def of_bfloat16(self, bits: Bits) -> Array:
        return (bits.astype(np.uint32) << 16).view(np.float32)

    def of_int8(self, bits: Bits, scales: Array) -> Array:
        return bits * scales


@broken(STEPS, "(J|gw|gb) is off.*bfloat16 in float32", storages=("bfloat16",), **ONLY)
class ShiftedByFifteen(Narrow):
    def of_bfloat16(self, bits):
        return (bits.astype(np.uint32) << 15).view(np.float32)


@broken(STEPS, "(J|gw|gb) is off.*bfloat16 in float32", storages=("bfloat16",), **ONLY)
class SignLostInTheShift(Narrow):
    def of_bfloat16(self, bits):
        return np.abs(super().of_bfloat16(bits))


@broken(STEPS, "(J|gw|gb) is off.*bfloat16 in float32", storages=("float16", "bfloat16"), **ONLY)
class Bfloat16ReadAsFloat16(Narrow):
    def of_bfloat16(self, bits):
        return np.nan_to_num(bits.view(np.float16).astype(np.float32))


@broken(STEPS, "(J|gw|gb) is off.*float16 in float32", storages=("float16",), **ONLY)
class SubnormalsOfFloat16Flushed(Narrow):
    """As a conversion by shifts alone does, and a processor that is told to."""

    def of_float16(self, bits):
        return np.where(bits & 0x7C00, super().of_float16(bits), np.float16(0))


@broken(STEPS, "(J|gw|gb) is off.*int8 in float32", storages=("int8",), **ONLY)
class UnsignedInt8(Narrow):
    def of_int8(self, bits, scales):
        return bits.view(np.uint8) * scales


@broken(STEPS, "(J|gw|gb) is off.*int8 in float32", storages=("int8",), **ONLY)
class TruncatedInsteadOfRounded(Narrow):
    """Where each number over its scale is a whole one but for the rounding of the division."""

    def of_int8(self, bits, scales):
        return np.trunc(bits * scales / np.nextafter(scales, np.float32(np.inf))) * scales


@broken(STEPS, "(J|gw|gb) is off.*int8 in float32", storages=("int8",), **ONLY)
class ScaleOfTheNeighbouringColumn(Narrow):
    def of_int8(self, bits, scales):
        return bits * np.roll(scales, 1)


@broken(STEPS, "(J|gw|gb) is off.*int8 in float32", storages=("int8",), **ONLY)
class OneScaleForAllColumns(Narrow):
    def of_int8(self, bits, scales):
        return bits * scales.max()


class ScalesApart(Narrow):
    """The scales are folded into w, and into the gradient."""

    scales: Array

    def of_int8(self, bits, scales):
        self.scales = scales
        return bits

    def margins(self):
        return self.X @ (self.w * self.scales) + self.b if self.is_narrow else super().margins()


@broken(STEPS, "gw is off.*int8 in float32", "J gb", storages=("int8",), **ONLY)
class ScaleAppliedOnce(ScalesApart):
    """To w, and not to the gradient."""


@broken(STEPS, "gw is off.*int8 in float32", "J gb", storages=("int8",), **ONLY)
class ScaleAppliedTwice(ScalesApart):
    def feature_gradient(self, r):
        scales = self.scales**2 if self.is_narrow else 1
        return r @ self.X * scales / self.m + self.real(self.config.l2) * self.w


@broken(STEPS, "gw is off.*int8 in float32", "J gb", storages=("int8",), **ONLY)
class PenaltyScaledToo(ScalesApart):
    """The scale is taken out of the whole gradient, and not of its sum over the rows alone."""

    def feature_gradient(self, r):
        gradient = r @ self.X / self.m + self.real(self.config.l2) * self.w
        return gradient * self.scales if self.is_narrow else gradient


@broken(STEPS, "(gw|gb) is off.*float16 in float32", storages=("float16",), **ONLY)
class AccumulatedInFloat16(Narrow):
    def feature_gradient(self, r):
        if not self.is_narrow:
            return super().feature_gradient(r)
        total = np.zeros(len(self.w), np.float16)
        for products in np.array_split(r[:, None] * self.X, -(-len(r) // 8)):
            total += products.sum(axis=0).astype(np.float16)
        return total.astype(np.float32) / self.m + self.real(self.config.l2) * self.w


@broken(STEPS, "(J|gw|gb) is off.*bfloat16 in float32", storages=("bfloat16",), **ONLY)
class WeightsRoundedToo(Narrow):
    """As an instruction that multiplies pairs of bfloat16 wants them."""

    def margins(self):
        return self.X @ masked(self.w, 7) + self.b if self.is_narrow else super().margins()


@broken(STEPS, "(J|gw|gb) is off.* in float32", storages=STORAGES, **ONLY)
class TheLastColumnOfAnOddNumberLost(Narrow):
    """Two numbers of sixteen bits are loaded at a time."""

    def widened(self, bits, scales):
        X = np.array(super().widened(bits, scales), np.float32)
        X[:, X.shape[1] // 2 * 2 :] = 0
        return X


@broken(STEPS, "(J|gw|gb) is off.* in float32", storages=STORAGES, **ONLY)
class RoundedAgainToInt8(Narrow):
    """Whatever was asked for is kept in eight bits."""

    def widened(self, bits, scales):
        X = np.asarray(super().widened(bits, scales), np.float32)
        largest = np.maximum(np.abs(X).max(axis=0), np.float32(1e-30))
        return np.rint(X / largest * 127) / 127 * largest
