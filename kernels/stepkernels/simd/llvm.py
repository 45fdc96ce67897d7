"""Pieces of LLVM code that the functions on vectors are built of."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils

from stepkernels.simd.vector import HAS_FMA, NARROW, Vector

Value = Any  # an llvmlite ir.Value
Builder = Any  # an llvmlite ir.IRBuilder


def intrinsic(function: Callable[..., Any], prefer_literal: bool = False) -> Any:
    """Numba's decorator. Compiled code calls the function without its first argument, which no checker knows."""
    return extending.intrinsic(prefer_literal=prefer_literal)(function)


INT8, INT16, INT32, INT64, DOUBLE = *map(ir.IntType, (8, 16, 32, 64)), ir.DoubleType()
NARROWED = {"float16": INT16, "bfloat16": INT16, "int8": INT8}  # as what their bits are loaded


def shuffle(builder: Builder, a: Value, b: Value, lanes: list[int]) -> Value:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(INT32, len(lanes)), lanes))


def splat(builder: Builder, scalar: Value, lanes: int) -> Value:
    empty = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    first = builder.insert_element(empty, scalar, INT32(0))
    return shuffle(builder, first, first, [0] * lanes)


def zero(kind: Any) -> Value:
    return ir.Constant(kind, [0.0] * kind.count)


def widened(builder: Builder, vector: Value) -> Value:
    wide = ir.VectorType(DOUBLE, vector.type.count)
    return vector if vector.type == wide else builder.fpext(vector, wide)


def folded(builder: Builder, vector: Value, combine: Callable[[Value, Value], Value], lanes: int) -> Value:
    """`vector` folded in half by `combine` until `lanes` are left: a tree."""
    while vector.type.count > lanes:
        half = vector.type.count // 2
        low, high = (shuffle(builder, vector, vector, list(range(at, at + half))) for at in (0, half))
        vector = combine(low, high)
    return vector


def call(builder: Builder, name: str, result: Any, *operands: Value) -> Value:
    function_type = ir.FunctionType(result, [operand.type for operand in operands])
    return builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), operands)


def call_for_vectors(builder: Builder, name: str, *operands: Value) -> Value:
    """The LLVM intrinsic `name` for vectors of the operands' type."""
    kind = operands[0].type
    return call(builder, f"{name}.v{kind.count}{kind.element.intrinsic_name}", kind, *operands)


def multiply_add(builder: Builder, a: Value, b: Value, c: Value) -> Value:
    """a·b + c, rounded once where the processor can; else twice, for `llvm.fma` would be a call for each lane there."""
    return call_for_vectors(builder, "llvm.fma" if HAS_FMA else "llvm.fmuladd", a, b, c)


def itemsize(vector: Any) -> int:
    return bytes_of(vector.element)


def bytes_of(element: Any) -> int:
    return element.width // 8 if isinstance(element, ir.IntType) else 8 if element == DOUBLE else 4


def pointer_to(context: Any, builder: Builder, array_type: Any, array: Value, index: Value, kind: Any) -> Value:
    """Where element `index` of a contiguous array, or of what `elements` told of it, lies: a pointer to `kind`."""
    by_address = isinstance(array_type, types.CPointer)
    data = array if by_address else context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), ir.PointerType(kind))


def first_lanes(builder: Builder, count: Value, lanes: int) -> Value:
    """A mask of the first `count` lanes."""
    wanted = splat(builder, builder.trunc(count, INT32), lanes)
    return builder.icmp_signed("<", ir.Constant(wanted.type, list(range(lanes))), wanted)


def load_elements(
    context: Any, builder: Builder, array_type: Any, array: Value, index: Value, count: Value | None = None
) -> Value:
    """The vector of the elements from `index` on, unaligned; of the first `count`, with zeros behind them, if given.

    Narrow elements are widened, which is exact.
    """
    kind = Vector(array_type.dtype)
    stored = NARROWED[NARROW[array_type.dtype]] if array_type.dtype in NARROW else context.get_value_type(kind.scalar)
    vector = ir.VectorType(stored, kind.lanes)
    pointer = pointer_to(context, builder, array_type, array, index, vector)
    if count is None:
        loaded = builder.load(pointer, align=bytes_of(stored))
    else:
        mask, nothing = first_lanes(builder, count, kind.lanes), ir.Constant(vector, None)
        name = f"llvm.masked.load.v{kind.lanes}{stored.intrinsic_name}.p0"
        loaded = call(builder, name, vector, pointer, INT32(bytes_of(stored)), mask, nothing)
    return widened_to_float32(builder, loaded, NARROW[array_type.dtype]) if array_type.dtype in NARROW else loaded


def widened_to_float32(builder: Builder, bits: Value, storage: str) -> Value:
    """The numbers whose bits these are, in float32: whole and subnormal ones alike, exactly."""
    count = bits.type.count
    floats, words = ir.VectorType(ir.FloatType(), count), ir.VectorType(INT32, count)
    if storage == "int8":
        return builder.sitofp(bits, floats)
    if storage == "bfloat16":
        return builder.bitcast(builder.shl(builder.zext(bits, words), ir.Constant(words, [16] * count)), floats)
    return builder.fpext(builder.bitcast(bits, ir.VectorType(ir.HalfType(), count)), floats)
