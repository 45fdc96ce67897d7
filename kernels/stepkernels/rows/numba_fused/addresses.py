"""Arrays told by their addresses: Numba takes 30 ns to open each array that a call is given, which a small step feels.

Compiled code that makes an array of an address does not keep its memory alive: whoever calls it must.
"""

# mypy: disable-error-code="attr-defined,no-untyped-call,import-untyped,untyped-decorator"

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, types
from numba.extending import overload

from stepkernels.problem import Array
from stepkernels.simd import compiled
from stepkernels.simd.llvm import Builder, Value, intrinsic


def addresses_of(*arrays: Any) -> Array:
    """A table (arrays, 3) of where each array lies and of its extents: C-contiguous arrays of one or two dimensions."""
    return np.array(
        [(array.ctypes.data, *array.shape[:1], array.size // max(len(array), 1)) for array in arrays], np.int64
    )


@intrinsic
def _pointer(typing: Any, address: Any) -> Any:  # noqa: ARG001
    """An integer as a pointer."""

    def codegen(context: Any, builder: Builder, signature: Any, values: Any) -> Value:
        return builder.inttoptr(values[0], context.get_value_type(signature.return_type))

    return types.voidptr(types.int64), codegen


@compiled
def vector_at(addresses: Array, place: int, dtype: Any) -> Array:
    """The array of one dimension in a line of the table."""
    array: Array = carray(_pointer(addresses[place, 0]), (addresses[place, 1],), dtype)
    return array


@compiled
def matrix_at(addresses: Array, place: int, dtype: Any) -> Array:
    """The array of two dimensions in a line of the table."""
    array: Array = carray(_pointer(addresses[place, 0]), (addresses[place, 1], addresses[place, 2]), dtype)
    return array


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
