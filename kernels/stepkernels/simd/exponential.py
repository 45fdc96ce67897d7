"""The exponential of a vector."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

import math
from typing import Any, NamedTuple

from numba import types
from numba.extending import overload

from stepkernels.simd.arithmetic import add_to_exponent, fma, maximum
from stepkernels.simd.llvm import Builder, Value, intrinsic
from stepkernels.simd.polynomial import polynomial
from stepkernels.simd.vector import Vector


class _ExpConstants(NamedTuple):
    """Of exp in one dtype: see `exp`."""

    lowest: float
    round_to_integer: float
    ln2_high: float
    ln2_low: float
    series: tuple[float, ...]


_EXP = {
    types.float32: _ExpConstants(
        lowest=-104.0,
        round_to_integer=1.5 * 2**23 + 64,
        ln2_high=0.693359375,
        ln2_low=-2.1219444005469058e-4,
        series=(
            0.5000000013457727, 0.16666666681614256, 0.04166646500604005, 0.008333310934448869,
            0.0013933641031986701, 0.00019890980869750327,
        ),
    ),
    types.float64: _ExpConstants(
        lowest=-746.0,
        round_to_integer=1.5 * 2**52 + 64,
        ln2_high=6.93147180369123816490e-01,
        ln2_low=1.90821492927058770002e-10,
        series=(
            0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326141,
            0.0013888888888883752, 0.00019841269874800493, 2.4801587325533363e-05, 2.7557255425746435e-06,
            2.7557273661348637e-07, 2.510520637395701e-08, 2.0914679376583935e-09,
        ),
    ),
}  # fmt: skip

_LOG2_E = 1.0 / math.log(2.0)


@intrinsic
def _series(typing: Any, x: Any) -> Any:  # noqa: ARG001
    """The polynomial q of `exp`."""

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        scalar = context.get_value_type(x.scalar)
        return polynomial(builder, scalar, f"exp_{x.scalar}", _EXP[x.scalar].series, values[0])

    return x(x), codegen


def exp(x: Any) -> Any:
    """eˣ of a vector x ≤ 0, to within one unit in the last place; NaN stays NaN. Only in compiled code.

    x = k·ln 2 + r with |r| ≤ ln 2 / 2, and eˣ = 2ᵏ·(1 + r + r²·q(r)). Adding a number whose last bit counts ones
    rounds x/ln 2 to k. ln 2 comes in two parts (fdlibm's and Cephes'), the first so short that k times it is exact.
    q is the polynomial through (eʳ − 1 − r)/r² at Chebyshev's points; its error is below a hundredth of an ulp.
    The exponent is set 64 too high and taken back by a multiplication, so that results below the smallest normal
    number are rounded once. Below `lowest` every result is zero.
    """
    raise NotImplementedError(f"exp of {x!r} is a function for compiled code.")


@overload(exp)
def _exp(x: Any) -> Any:
    if not isinstance(x, Vector):
        return None
    lowest, round_to_integer, ln2_high, ln2_low, _ = _EXP[x.scalar]

    def exp_of_vector(x: Any) -> Any:
        x = maximum(x, lowest)
        rounded = fma(x, _LOG2_E, round_to_integer)
        k = rounded - round_to_integer
        r = fma(k, -ln2_low, fma(k, -ln2_high, x))
        excess = fma(_series(r), r * r, r)
        return add_to_exponent(excess + 1.0, rounded) * 2.0**-64

    return exp_of_vector
