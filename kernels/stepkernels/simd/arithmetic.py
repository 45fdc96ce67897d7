"""Arithmetic lane by lane. Numbers among the arguments stand for vectors full of them."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import overload

from stepkernels.simd.llvm import (
    DOUBLE,
    INT32,
    INT64,
    Builder,
    Value,
    call_for_vectors,
    first_lanes,
    intrinsic,
    multiply_add,
    splat,
    zero,
)
from stepkernels.simd.vector import Vector


def _lane_by_lane(build: Callable[..., Value], *operands: Any) -> Any:
    kind = next((operand for operand in operands if isinstance(operand, Vector)), None)
    if kind is None:
        return None

    def codegen(context: Any, builder: Builder, signature: Any, values: Any) -> Value:
        vectors = [
            value
            if isinstance(operand, Vector)
            else splat(builder, context.cast(builder, value, operand, kind.scalar), kind.lanes)
            for value, operand in zip(values, signature.args, strict=True)
        ]
        return build(builder, *vectors)

    return kind(*operands), codegen


def _unary(build: Callable[..., Value]) -> Any:
    return intrinsic(lambda typing, a: _lane_by_lane(build, a))  # noqa: ARG005


def _binary(build: Callable[..., Value]) -> Any:
    return intrinsic(lambda typing, a, b: _lane_by_lane(build, a, b))  # noqa: ARG005


def _ternary(build: Callable[..., Value]) -> Any:
    return intrinsic(lambda typing, a, b, c: _lane_by_lane(build, a, b, c))  # noqa: ARG005


add = _binary(lambda builder, a, b: builder.fadd(a, b))
subtract = _binary(lambda builder, a, b: builder.fsub(a, b))
multiply = _binary(lambda builder, a, b: builder.fmul(a, b))
divide = _binary(lambda builder, a, b: builder.fdiv(a, b))
fma = _ternary(multiply_add)
negate = _unary(lambda builder, a: builder.fneg(a))
absolute = _unary(lambda builder, a: call_for_vectors(builder, "llvm.fabs", a))


@_binary
def maximum(builder: Builder, a: Value, b: Value) -> Value:
    """The larger of a and b; a where either is NaN, so that a NaN in a stays."""
    return builder.select(builder.fcmp_ordered("<", a, b), b, a)


@_ternary
def where_negative(builder: Builder, x: Value, a: Value, b: Value) -> Value:
    """A where x < 0, else b."""
    return builder.select(builder.fcmp_ordered("<", x, zero(x.type)), a, b)


@_binary
def add_to_exponent(builder: Builder, x: Value, k: Value) -> Value:
    """x·2ᵏ for the integer k in the lowest bits of the mantissa; x, k and the result must be normal numbers."""
    bits, integer = (52, INT64) if x.type.element == DOUBLE else (23, INT32)
    integers = ir.VectorType(integer, x.type.count)
    powers = builder.shl(builder.bitcast(k, integers), ir.Constant(integers, [bits] * x.type.count))
    return builder.bitcast(builder.add(builder.bitcast(x, integers), powers), x.type)


@intrinsic
def first(typing: Any, vector: Any, count: Any, rest: Any) -> Any:  # noqa: ARG001
    """The vector with its lanes behind the first `count` replaced by the number `rest`. `count` may be negative."""

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        number = splat(builder, context.cast(builder, values[2], rest, vector.scalar), vector.lanes)
        return builder.select(first_lanes(builder, values[1], vector.lanes), values[0], number)

    return vector(vector, types.intp, rest), codegen


def _register_operator(symbol: Any, function: Any) -> None:
    def on_vectors(a: Any, b: Any) -> Any:
        return function(a, b)

    @overload(symbol)
    def operation(a: Any, b: Any) -> Any:
        return on_vectors if isinstance(a, Vector) or isinstance(b, Vector) else None


for _symbol, _function in (
    (operator.add, add),
    (operator.iadd, add),
    (operator.sub, subtract),
    (operator.mul, multiply),
    (operator.truediv, divide),
):
    _register_operator(_symbol, _function)


@overload(operator.neg)
def _negative(a: Any) -> Any:
    def of_vector(a: Any) -> Any:
        return negate(a)

    return of_vector if isinstance(a, Vector) else None
