"""The logarithm of one plus a vector."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import overload

from stepkernels.simd.arithmetic import fma
from stepkernels.simd.llvm import Builder, Value, intrinsic
from stepkernels.simd.polynomial import polynomial
from stepkernels.simd.vector import Vector

# Terms behind the first of atanh(s)/s = 1 + s²/3 + s⁴/5 + …: for s² ≤ 1/9 what is left out is below a third of u.
_TERMS = {types.float32: 7, types.float64: 15}


@intrinsic
def _series(typing: Any, x: Any) -> Any:  # noqa: ARG001
    """1/3 + x/5 + x²/7 + …"""
    coefficients = [1.0 / (2 * k + 3) for k in range(_TERMS[x.scalar])]

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        scalar = context.get_value_type(x.scalar)
        return polynomial(builder, scalar, f"log1p_{x.scalar}", coefficients, values[0])

    return x(x), codegen


def log1p(x: Any) -> Any:
    """log(1 + x) of a vector of 0 ≤ x ≤ 1, to within two units in the last place; NaN stays NaN. Only in compiled code.

    log(1 + x) = 2·atanh(s) for s = x/(2 + x) ≤ 1/3. Nothing cancels, and a tiny x is its own logarithm.
    """
    raise NotImplementedError(f"log1p of {x!r} is a function for compiled code.")


@overload(log1p)
def _log1p(x: Any) -> Any:
    if not isinstance(x, Vector):
        return None

    def log1p_of_vector(x: Any) -> Any:
        s = x / (x + 2.0)
        twice, square = s + s, s * s
        return fma(twice * square, _series(square), twice)

    return log1p_of_vector
