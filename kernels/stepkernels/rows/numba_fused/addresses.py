"""Arrays and code told by their addresses, whose memory whoever calls must keep alive.

Arrays, for Numba takes 30 ns to open each one that a call is given, which a small step feels. Code, for a function that
compiled code calls by its name is optimized again with each of its callers, and the heaviest has five.
"""

# mypy: disable-error-code="attr-defined,call-overload,no-untyped-call,import-untyped,untyped-decorator"

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.core.typing.npydecl import parse_dtype
from numba.extending import overload
from numba.np.arrayobj import populate_array

from stepkernels.problem import Array
from stepkernels.simd.llvm import INT64, Builder, Value, intrinsic, pointer_to

PARTS = 3  # of a line of the table


def addresses_of(*arrays: Any) -> Array:
    """A table (arrays, `PARTS`) of where each lies and of its extents: C-contiguous arrays of one or two dimensions."""
    return np.array(
        [(array.ctypes.data, *array.shape[:1], array.size // max(len(array), 1)) for array in arrays], np.int64
    )


def _array_at(dimensions: int) -> Any:
    """The function (addresses, place, dtype): the array of so many dimensions in a line of the table."""

    def array_at(typing: Any, addresses: Any, place: Any, dtype: Any) -> Any:  # noqa: ARG001
        array = types.Array(parse_dtype(dtype), dimensions, "C")

        def codegen(context: Any, builder: Builder, signature: Any, values: Any) -> Value:
            def told(part: int) -> Value:
                at = builder.add(builder.mul(builder.sext(values[1], INT64), INT64(PARTS)), INT64(part))
                return builder.load(pointer_to(context, builder, signature.args[0], values[0], at, INT64))

            return array_of(context, builder, array, told(0), [told(1 + k) for k in range(dimensions)])

        return array(addresses, place, dtype), codegen

    return intrinsic(array_at)


def array_of(context: Any, builder: Builder, kind: Any, address: Value, extents: list[Value]) -> Value:
    """A C-contiguous array over memory that is another's. Numba's `carray` does the same, in functions to compile."""
    array, itemsize = (
        context.make_array(kind)(context, builder),
        context.get_constant(types.intp, kind.dtype.bitwidth // 8),
    )
    strides = [itemsize]
    for extent in reversed(extents[1:]):
        strides.insert(0, builder.mul(strides[0], extent))
    data = builder.inttoptr(address, array.data.type)
    populate_array(array, data=data, shape=extents, strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()  # noqa: SLF001 - so a struct of Numba's is read


vector_at, matrix_at = _array_at(1), _array_at(2)


def given_or_at(given: Array | None, addresses: Array, place: int, dtype: Any) -> Array:
    """The array that is given, or, for None, the one of one dimension in a line of the table. Only in compiled code.

    Which of them is known when compiled, as the type of what is given.
    """
    raise NotImplementedError(f"given_or_at of {given!r} is a function for compiled code.")


@overload(given_or_at)
def _given_or_at(given: Any, addresses: Any, place: Any, dtype: Any) -> Any:  # noqa: ARG001
    def given_one(given: Any, addresses: Any, place: Any, dtype: Any) -> Any:  # noqa: ARG001
        return given

    def told_one(given: Any, addresses: Any, place: Any, dtype: Any) -> Any:  # noqa: ARG001
        return vector_at(addresses, place, dtype)

    return told_one if isinstance(given, types.NoneType) else given_one


@intrinsic
def call_at(typing: Any, function: Any, address: Any, arguments: Any) -> Any:  # noqa: ARG001
    """Calls `function`, which returns nothing, where it lies for these arguments: `calls.address_of`."""
    kinds = tuple(map(types.unliteral, arguments.types))
    if kinds not in function.dispatcher.overloads:
        raise TypingError(f"{function.dispatcher.__name__} was compiled for other arguments than {kinds}.")

    def codegen(context: Any, builder: Builder, _signature: Any, values: Any) -> Value:
        convention, unpacked = context.call_conv, cgutils.unpack_tuple(builder, values[2])
        pointer = builder.inttoptr(values[1], convention.get_function_type(types.none, kinds).as_pointer())
        status, _ = convention.call_function(builder, pointer, types.none, kinds, unpacked)
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.void(function, types.int64, types.Tuple(kinds)), codegen
