"""Sums of several vectors at once, and across the lanes of one."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from numba import types
from numba.core import cgutils

from stepkernels.simd.llvm import (
    INT32,
    Builder,
    Value,
    folded,
    intrinsic,
    itemsize,
    load_elements,
    multiply_add,
    pointer_to,
    shuffle,
    widened,
)


def _each(builder: Builder, value: Value, kind: Any, count: int) -> list[Value]:
    """The elements of a tuple, or one value as often."""
    return cgutils.unpack_tuple(builder, value) if isinstance(kind, types.BaseTuple) else [value] * count


@intrinsic
def add_products(typing: Any, sums: Any, factors: Any, array: Any, indices: Any) -> Any:  # noqa: ARG001
    """sums[k] + factors[k]·(the vector at indices[k]), for tuples; one factor may serve for all."""

    def codegen(context: Any, builder: Builder, signature: Any, values: Any) -> Value:
        results = []
        each = (_each(builder, values[k], signature.args[k], len(sums)) for k in (0, 1, 3))
        for total, factor, index in zip(*each, strict=True):
            x = load_elements(context, builder, array, values[2], index)
            results.append(multiply_add(builder, factor, x, total))
        return context.make_tuple(builder, sums, results)

    return sums(sums, factors, array, indices), codegen


@intrinsic
def add_all_products(typing: Any, total: Any, factors: Any, array: Any, indices: Any) -> Any:  # noqa: ARG001
    """Total + Σ factors[k]·(the vector at indices[k]), in this order, for two tuples."""

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        result = values[0]
        for factor, index in zip(*(cgutils.unpack_tuple(builder, values[k]) for k in (1, 3)), strict=True):
            x = load_elements(context, builder, array, values[2], index)
            result = multiply_add(builder, factor, x, result)
        return result

    return total(total, factors, array, indices), codegen


def _unpacked_sum(builder: Builder, a: Value, b: Value, block: int, group: int) -> Value:
    """Within each 16 bytes: the lower half of a's and of b's blocks of lanes, interleaved, plus the upper half."""
    lower = [
        start + source + at + lane
        for start in range(0, a.type.count, group)
        for at in range(0, group // 2, block)
        for source in (0, a.type.count)
        for lane in range(block)
    ]
    upper = [lane + group // 2 for lane in lower]
    return builder.fadd(shuffle(builder, a, b, lower), shuffle(builder, a, b, upper))


def _grouped_sum(builder: Builder, a: Value, b: Value, group: int, lanes: int) -> Value:
    """The even groups among the first `lanes` of a's lanes and then b's, plus the odd groups."""
    even = [start + lane for start in range(0, lanes, 2 * group) for lane in range(group)]
    return builder.fadd(shuffle(builder, a, b, even), shuffle(builder, a, b, [lane + group for lane in even]))


def _sums_of_each(builder: Builder, vectors: list[Value]) -> Value:
    """The sums of the lanes of 4 or 8 vectors, as one vector of as many.

    Pairs merge while their lanes are added, so that 8 sums of 8 lanes take 7 additions of vectors and not 24: first
    within 16 bytes, by `unpack` instructions, then whole groups of 16 bytes. Each sum is a tree.
    """
    width = vectors[0].type.count
    group, block = 16 // itemsize(vectors[0].type), 1
    while block < group:
        vectors = [_unpacked_sum(builder, a, b, block, group) for a, b in _pairs(vectors)]
        block *= 2
    copies = width // group  # of the groups of each row, to be added
    while copies > 1 and len(vectors) > 1:
        vectors = [_grouped_sum(builder, a, b, group, 2 * width) for a, b in _pairs(vectors)]
        copies //= 2
    while copies > 1:  # of one vector, in halves
        vectors = [_grouped_sum(builder, vectors[0], vectors[0], group, vectors[0].type.count)]
        copies //= 2
    while len(vectors) > 1:
        vectors = [shuffle(builder, a, b, list(range(2 * a.type.count))) for a, b in _pairs(vectors)]
    return vectors[0]


def _pairs(vectors: list[Value]) -> Iterator[tuple[Value, Value]]:
    return zip(vectors[::2], vectors[1::2], strict=True)


@intrinsic
def store_sums(typing: Any, array_out: Any, index: Any, vectors: Any) -> Any:  # noqa: ARG001
    """array_out[index + k] = the sum of the lanes of vectors[k], for a tuple of 4 or 8 of them."""

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        sums = _sums_of_each(builder, cgutils.unpack_tuple(builder, values[2]))
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
