"""Sums of several vectors at once, and across the lanes of one."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.core import cgutils

from stepkernels.numba_simd.llvm import (
    INT32,
    Builder,
    Value,
    call_for_vectors,
    folded,
    intrinsic,
    itemsize,
    load_vector,
    pointer_to,
    shuffle,
    widened,
)


def _add_products(
    context: Any, builder: Builder, array_type: Any, sums: Any, factor: Value, array: Value, indices: Any, counts: Any
) -> list[Value]:
    results = []
    for total, index, count in zip(sums, indices, counts, strict=True):
        pointer = pointer_to(context, builder, array_type, array, index, factor.type)
        results.append(call_for_vectors(builder, "llvm.fma", factor, load_vector(builder, pointer, count), total))
    return results


@intrinsic
def add_products(typing: Any, sums: Any, factor: Any, array: Any, indices: Any) -> Any:  # noqa: ARG001
    """sums[k] + factor·(the vector at indices[k]), for each k of a tuple of vectors."""

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        totals, places = (cgutils.unpack_tuple(builder, values[k]) for k in (0, 3))
        whole = [None] * len(totals)
        results = _add_products(context, builder, array, totals, values[1], values[2], places, whole)
        return context.make_tuple(builder, sums, results)

    return sums(sums, factor, array, indices), codegen


@intrinsic
def add_products_part(typing: Any, sums: Any, factor: Any, array: Any, indices: Any, counts: Any) -> Any:  # noqa: ARG001
    """As `add_products`, of the first counts[k] elements at each place; one count may serve for all."""

    def codegen(context: Any, builder: Builder, signature: Any, values: Any) -> Value:
        totals, places = (cgutils.unpack_tuple(builder, values[k]) for k in (0, 3))
        if isinstance(signature.args[4], types.Integer):
            parts = [values[4]] * len(totals)
        else:
            parts = cgutils.unpack_tuple(builder, values[4])
        results = _add_products(context, builder, array, totals, values[1], values[2], places, parts)
        return context.make_tuple(builder, sums, results)

    return sums(sums, factor, array, indices, counts), codegen


def _sums_of_pair(builder: Builder, a: Value, b: Value, block: int) -> Value:
    """A and b, each of blocks of lanes, as one vector: sums of neighbouring blocks, a's and b's in turn."""
    width = a.type.count
    blocks = [start + source for start in range(0, width, 2 * block) for source in (0, width)]
    left = [at + lane for at in blocks for lane in range(block)]
    return builder.fadd(shuffle(builder, a, b, left), shuffle(builder, a, b, [lane + block for lane in left]))


def _sums(builder: Builder, vectors: list[Value]) -> Value:
    """A vector of the sums of each vector's lanes; their number is a power of two.

    A transposition on the way: every round adds neighbours and merges pairs, so 8 sums of 8 lanes cost 7 additions
    and not 24.
    """
    count, width, block = len(vectors), vectors[0].type.count, 1
    while len(vectors) > 1 and block < width:
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [_sums_of_pair(builder, a, b, block) for a, b in pairs]
        block *= 2
    vectors = [folded(builder, vector, builder.fadd, min(count, width)) for vector in vectors]
    while len(vectors) > 1:
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [shuffle(builder, a, b, list(range(2 * a.type.count))) for a, b in pairs]
    return vectors[0]


@intrinsic
def store_sums(typing: Any, array_out: Any, index: Any, vectors: Any) -> Any:  # noqa: ARG001
    """array_out[index + k] = the sum of the lanes of vectors[k], for a tuple of 2, 4, 8, … of them."""

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        sums = _sums(builder, cgutils.unpack_tuple(builder, values[2]))
        pointer = pointer_to(context, builder, array_out, values[0], values[1], sums.type)
        builder.store(sums, pointer, align=itemsize(sums.type))
        return context.get_dummy_value()

    return types.void(array_out, types.intp, vectors), codegen


# Across the lanes of one vector, as a tree and in float64


def _across_lanes(typing: Any, vector: Any, combine: Callable[[Builder, Value, Value], Value]) -> Any:  # noqa: ARG001
    def codegen(_context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        terms = widened(builder, values[0])
        result = folded(builder, terms, lambda a, b: combine(builder, a, b), 1)
        return builder.extract_element(result, INT32(0))

    return types.float64(vector), codegen


@intrinsic
def lane_sum(typing: Any, vector: Any) -> Any:
    """The sum of the lanes."""
    return _across_lanes(typing, vector, lambda builder, a, b: builder.fadd(a, b))


@intrinsic
def lane_growth(typing: Any, vector: Any) -> Any:
    """∏(1 + lane) − 1, without cancellation: two of them make a·b + a + b."""
    return _across_lanes(typing, vector, lambda builder, a, b: builder.fadd(builder.fmul(a, b), builder.fadd(a, b)))
