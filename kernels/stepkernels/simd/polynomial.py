"""A polynomial of a vector, by Estrin's scheme: its halves, and theirs, side by side."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from stepkernels.simd.llvm import INT32, Builder, Value, multiply_add, splat


def polynomial(builder: Builder, scalar: Any, name: str, coefficients: Sequence[float], x: Value) -> Value:
    """Σ coefficients[k]·xᵏ of a vector of `scalar`, an LLVM type; `name` is the table's, one for each polynomial.

    The coefficients lie in memory that LLVM must take for writable. As constants they would be hoisted out of the
    caller's loop, all at once, into more registers than there are, and stored on the stack for each call.
    """
    table = cgutils.add_global_variable(builder.module, ir.ArrayType(scalar, len(coefficients)), name)
    table.initializer = ir.Constant(table.type.pointee, [scalar(c) for c in coefficients])
    table.linkage = "weak"
    places = (builder.gep(table, [INT32(0), INT32(k)]) for k in range(len(coefficients)))
    terms, power = [splat(builder, builder.load(place), x.type.count) for place in places], x
    while len(terms) > 1:
        pairs = zip(terms[::2], terms[1::2], strict=False)
        merged = [multiply_add(builder, high, power, low) for low, high in pairs]
        terms, power = merged + terms[2 * len(merged) :], builder.fmul(power, power)
    return terms[0]
