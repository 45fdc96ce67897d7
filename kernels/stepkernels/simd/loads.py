"""Vectors in memory. An `index` counts elements of a contiguous array of any shape from its first one."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

from functools import partial
from typing import Any

from llvmlite import ir
from numba import types

from stepkernels.simd.llvm import (
    INT8,
    INT32,
    Builder,
    Value,
    call,
    intrinsic,
    itemsize,
    load_elements,
    pointer_to,
    splat,
    widened,
)
from stepkernels.simd.vector import VECTOR_BYTES, Vector

LINE_BYTES = 64


@intrinsic
def elements(typing: Any, array: Any) -> Any:  # noqa: ARG001
    """Where the elements of a contiguous array begin, to be given wherever an array is.

    It has no shape and does not count who holds it, which a call with arrays does, and which takes longer than the
    products of a short row. Whoever calls keeps the array.
    """
    kind = types.CPointer(array.dtype)

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        return context.make_array(array)(context, builder, values[0]).data

    return kind(array), codegen


@intrinsic
def behind(typing: Any, start: Any, index: Any) -> Any:  # noqa: ARG001
    """Where the elements from `index` on begin, of what `elements` told."""

    def codegen(_context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        return builder.gep(values[0], [values[1]])

    return start(start, types.intp), codegen


@intrinsic
def lanes(typing: Any, array: Any) -> Any:  # noqa: ARG001
    """How many elements of `array` make a vector; a constant once compiled."""
    count = Vector(array.dtype).lanes
    return types.intp(array), lambda context, *_: context.get_constant(types.intp, count)


@intrinsic
def zeros(typing: Any, array: Any) -> Any:  # noqa: ARG001
    """A vector of zeros of the array's dtype."""
    kind = Vector(array.dtype)
    return kind(array), lambda context, *_: context.get_constant_null(kind)


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
    """The vector at `index`, which need not be aligned."""
    kind = Vector(array.dtype)

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        return load_elements(context, builder, array, values[0], values[1])

    return kind(array, types.intp), codegen


@intrinsic
def load_part(typing: Any, array: Any, index: Any, count: Any) -> Any:  # noqa: ARG001
    """The `count` elements at `index`, then zeros; memory behind them is not touched. `count` may be negative."""
    kind = Vector(array.dtype)

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        return load_elements(context, builder, array, *values)

    return kind(array, types.intp, types.intp), codegen


@intrinsic
def load_int8(typing: Any, array: Any, index: Any, like: Any) -> Any:  # noqa: ARG001
    """As many int8 at `index` as make a vector of the dtype of the array `like`, converted to it."""
    kind = Vector(like.dtype)

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        pointer = pointer_to(context, builder, array, values[0], values[1], ir.VectorType(INT8, kind.lanes))
        return builder.sitofp(builder.load(pointer, align=1), context.get_value_type(kind))

    return kind(array, types.intp, like), codegen


@intrinsic
def broadcast(typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
    """A vector full of the element at `index`."""
    kind = Vector(array.dtype)

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        scalar = context.get_value_type(kind.scalar)
        pointer = pointer_to(context, builder, array, values[0], values[1], scalar)
        return splat(builder, builder.load(pointer), kind.lanes)

    return kind(array, types.intp), codegen


@intrinsic
def store(typing: Any, array_out: Any, index: Any, vector: Any) -> Any:  # noqa: ARG001
    """Write a vector at `index`."""

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        pointer = pointer_to(context, builder, array_out, values[0], values[1], values[2].type)
        builder.store(values[2], pointer, align=itemsize(values[2].type))
        return context.get_dummy_value()

    return types.void(array_out, types.intp, vector), codegen


@intrinsic
def add_to_float64(typing: Any, totals_out: Any, index: Any, vector: Any) -> Any:  # noqa: ARG001
    """Add a vector of either dtype to the float64 numbers at `index`."""

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        terms = widened(builder, values[2])
        pointer = pointer_to(context, builder, totals_out, values[0], values[1], terms.type)
        builder.store(builder.fadd(builder.load(pointer, align=8), terms), pointer, align=8)
        return context.get_dummy_value()

    return types.void(totals_out, types.intp, vector), codegen


@partial(intrinsic, prefer_literal=True)
def prefetch(typing: Any, array: Any, index: Any, vectors: Any) -> Any:  # noqa: ARG001
    """Fetch as many vectors, a number known when compiled, from `index` on into the second-level cache.

    The index may lie outside the array: a prefetch never faults.
    """
    size = vectors.literal_value * VECTOR_BYTES

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        start = pointer_to(context, builder, array, values[0], values[1], INT8)
        read, second_level, data = INT32(0), INT32(2), INT32(1)
        for offset in range(0, size, LINE_BYTES):
            line = builder.gep(start, [INT32(offset)])
            call(builder, "llvm.prefetch.p0", ir.VoidType(), line, read, second_level, data)
        return context.get_dummy_value()

    return types.void(array, types.intp, vectors), codegen
