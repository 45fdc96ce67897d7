"""As many rows at once as registers allow: their places, their factors, and products with all of them."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from stepkernels.simd.llvm import (
    INT8,
    INT32,
    INT64,
    Builder,
    Value,
    call,
    first_lanes,
    intrinsic,
    load_elements,
    multiply_add,
    pointer_to,
    splat,
    zero,
)
from stepkernels.simd.vector import ROWS_AT_ONCE, Vector


@intrinsic
def rows_at_once(typing: Any, array: Any) -> Any:  # noqa: ARG001
    """How many rows; a constant once compiled."""
    return types.intp(array), lambda context, *_: context.get_constant(types.intp, ROWS_AT_ONCE)


@intrinsic
def zero_for_each_row(typing: Any, array: Any) -> Any:  # noqa: ARG001
    """A vector of zeros of the array's dtype for each of the rows: a tuple."""
    kind = types.UniTuple(Vector(array.dtype), ROWS_AT_ONCE)
    return kind(array), lambda context, *_: context.get_constant_null(kind)


@intrinsic
def element_of_each_row(typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
    """Vectors full of the elements at `index` and behind it, one for each of the rows: a tuple."""
    kind = Vector(array.dtype)
    each = types.UniTuple(kind, ROWS_AT_ONCE)

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        start = pointer_to(context, builder, array, values[0], values[1], context.get_value_type(kind.scalar))
        places = (builder.gep(start, [INT64(k)]) for k in range(ROWS_AT_ONCE))
        return context.make_tuple(builder, each, [splat(builder, builder.load(place), kind.lanes) for place in places])

    return each(array, types.intp), codegen


def _vectors_of_rows(
    context: Any, builder: Builder, array: Any, values: tuple[Value, Value, Value], count: Value | None
) -> list[Value]:
    """The vector at (index, index + stride, …) of an array; with zeros behind the first `count` lanes, if given.

    Whole vectors are read in any case, since masked loads are slow where processors have none.
    """
    kind = Vector(array.dtype)
    place, vectors = values[1], []
    for _ in range(ROWS_AT_ONCE):
        vector = load_elements(context, builder, array, values[0], place)
        if count is not None:
            vector = builder.select(first_lanes(builder, count, kind.lanes), vector, zero(vector.type))
        vectors.append(vector)
        place = builder.add(place, values[2])
    return vectors


def _add_to_each(typing: Any, sums: Any, factor: Any, array: Any, *rest: Any) -> Any:  # noqa: ARG001
    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        rows = _vectors_of_rows(context, builder, array, values[2:5], values[5] if len(rest) > 2 else None)
        totals = zip(cgutils.unpack_tuple(builder, values[0]), rows, strict=True)
        results = [multiply_add(builder, values[1], x, total) for total, x in totals]
        return context.make_tuple(builder, sums, results)

    return sums(sums, factor, array, *(types.intp for _ in rest)), codegen


def _add_of_all(typing: Any, total: Any, factors: Any, array: Any, *rest: Any) -> Any:  # noqa: ARG001
    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        rows = _vectors_of_rows(context, builder, array, values[2:5], values[5] if len(rest) > 2 else None)
        result = values[0]
        for factor, x in zip(cgutils.unpack_tuple(builder, values[1]), rows, strict=True):
            result = multiply_add(builder, factor, x, result)
        return result

    return total(total, factors, array, *(types.intp for _ in rest)), codegen


@intrinsic
def add_to_each_row(typing: Any, sums: Any, factor: Any, array: Any, index: Any, stride: Any) -> Any:
    """sums[k] + factor·(the vector at index + k·stride), for a tuple of sums."""
    return _add_to_each(typing, sums, factor, array, index, stride)


@intrinsic
def add_to_each_row_part(typing: Any, sums: Any, factor: Any, array: Any, index: Any, stride: Any, count: Any) -> Any:
    """As `add_to_each_row`, of the first `count` elements of each vector; those behind are read and not used."""
    return _add_to_each(typing, sums, factor, array, index, stride, count)


@intrinsic
def add_of_all_rows(typing: Any, total: Any, factors: Any, array: Any, index: Any, stride: Any) -> Any:
    """Total + Σ factors[k]·(the vector at index + k·stride), in this order, for a tuple of factors."""
    return _add_of_all(typing, total, factors, array, index, stride)


@intrinsic
def add_of_all_rows_part(typing: Any, total: Any, factors: Any, array: Any, index: Any, stride: Any, count: Any) -> Any:
    """As `add_of_all_rows`, of the first `count` elements of each vector; those behind are read and not used."""
    return _add_of_all(typing, total, factors, array, index, stride, count)


@intrinsic
def prefetch_rows(typing: Any, array: Any, index: Any, stride: Any) -> Any:  # noqa: ARG001
    """Ask for the lines at (index, index + stride, …) in the first cache. They may lie outside the array."""

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        place = values[1]
        for _ in range(ROWS_AT_ONCE):
            line = pointer_to(context, builder, array, values[0], place, INT8)
            call(builder, "llvm.prefetch.p0", ir.VoidType(), line, INT32(0), INT32(3), INT32(1))
            place = builder.add(place, values[2])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), codegen
