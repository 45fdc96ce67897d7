"""Storages of X narrower than float32: the numbers that each can hold, and their bits.

A problem is rounded to what a storage holds first (`stored`), and is then a problem like any other, in float32: truth
and bound are those of the stored numbers. A row that takes the storage keeps their bits (`narrowed`), which is exact,
and computes with them in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepkernels.problem.validated import ProblemError

STORAGES = ("float16", "bfloat16", "int8")
Array = NDArray[np.floating]

ROWS_BYTES = 2**22  # of X at a time, so that they stay in a cache


def require_storage(storage: str, dtype: str) -> None:
    """Raise `ProblemError` for an unknown storage, and for one beside another dtype than float32."""
    if storage not in STORAGES:
        raise ProblemError(f"storage is {storage!r}; it must be one of {', '.join(STORAGES)}, or None.")
    if dtype != "float32":
        raise ProblemError(f"An X in {storage} is computed with in float32, not in {dtype}; set dtype to float32.")


def rounded_to(X: Array, storage: str) -> Array:
    """X (m, n), float32 or float64, rounded to nearest, ties to even, as the storage holds it: float32.

    Raises `ProblemError` for a number beyond its range.
    """
    if storage == "int8":
        return _through_int8(X)
    out = np.empty(X.shape, np.float32)
    for rows, into in zip(_blocks(X), _blocks(out), strict=True):
        into[...] = ROUNDED[storage](rows)
        if not np.isfinite(into).all():
            worst = rows[~np.isfinite(into)][0]
            raise ProblemError(
                f"X holds {worst:g}, which is beyond {storage}, whose largest number is {LARGEST[storage]:g}; "
                "bring the values to a smaller scale (standardize them), or take another storage."
            )
    return out


def kept_of(X: Array, storage: str | None) -> tuple[NDArray[Any], NDArray[np.floating]]:
    """X (m, n), or its bits in a storage; and what the columns of int8 are multiplied by, (n,), of others (0,)."""
    return (X, np.empty(0, X.dtype)) if storage is None else narrowed(X, storage)


def narrowed(X: Array, storage: str) -> tuple[NDArray[np.integer], NDArray[np.float32]]:
    """The bits of X (m, n), float32, in a storage that holds it: int16 of float16, uint16 of bfloat16, or int8.

    And the scales that the columns of int8 are multiplied by, (n,); none of the others, (0,). Raises `ProblemError` for
    an X that was not rounded to the storage.
    """
    scales = scales_of(X) if storage == "int8" else np.empty(0, np.float32)
    out = np.empty(X.shape, BITS[storage])
    for rows, into in zip(_blocks(X), _blocks(out), strict=True):
        into[...] = np.rint(rows / scales) if storage == "int8" else _bits(rows, storage)
        if not np.array_equal(into * scales if storage == "int8" else _numbers(into, storage), rows):
            raise ProblemError(
                f"X is not rounded to {storage}; take problem.stored({storage!r}), whose truth is that of what is kept."
            )
    return out, scales


def scales_of(X: Array) -> NDArray[np.float32]:
    """What the columns of X are multiples of in int8, (n,): the largest entry over 127, rounded up to sixteen bits.

    A multiple of it by a number of seven bits is a number of float32. Of a column that is such multiples already, its
    largest 127 times the scale, the scale is found again. A column of zeros has the scale 1.
    """
    largest = np.maximum(np.abs(X.max(axis=0)), np.abs(X.min(axis=0))).astype(np.float64)
    _, exponent = np.frexp(largest / LARGEST["int8"])
    exponent = np.maximum(exponent, SMALLEST_EXPONENT)  # below, float32 has fewer digits
    fraction = np.ldexp(largest / LARGEST["int8"], -exponent)
    scales = np.ldexp(np.ceil(np.ldexp(fraction, SCALE_BITS)), exponent - SCALE_BITS)
    return np.where(largest > 0.0, scales, 1.0).astype(np.float32)


def _through_int8(X: Array) -> NDArray[np.float32]:
    scales, out = scales_of(X), np.empty(X.shape, np.float32)
    for rows, into in zip(_blocks(X), _blocks(out), strict=True):
        np.multiply(np.rint(rows / scales.astype(np.float64)), scales, out=into, casting="same_kind")
    return out


def _bits(X: NDArray[np.float32], storage: str) -> NDArray[np.integer]:
    """The bits of the numbers of a storage; of one that it does not hold, those of another number."""
    if storage == "float16":
        with np.errstate(over="ignore"):
            return X.astype(np.float16).view(np.int16)
    return (X.view(np.uint32) >> np.uint32(16)).astype(np.uint16)


def _numbers(bits: NDArray[np.integer], storage: str) -> NDArray[np.float32]:
    if storage == "float16":
        return bits.view(np.float16).astype(np.float32)
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def _blocks(X: NDArray[Any]) -> list[NDArray[Any]]:
    """X in blocks of rows, views of it."""
    rows = max(1, ROWS_BYTES // max(1, X.shape[1] * 4))
    return [X[first : first + rows] for first in range(0, len(X), rows)]


def _through_float16(X: Array) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return X.astype(np.float16).astype(np.float32)


def _through_bfloat16(X: Array) -> NDArray[np.float32]:
    """The upper sixteen bits of float32, rounded to nearest, ties to even: an integer that carries into the exponent.

    From float64 by way of float32 rounded to odd, so that no number is rounded twice.
    """
    bits = _rounded_to_odd(X).view(np.uint32).astype(np.uint64)
    kept = (bits + np.uint64(0x7FFF) + ((bits >> np.uint64(16)) & np.uint64(1))) & np.uint64(0xFFFF0000)
    return kept.astype(np.uint32).view(np.float32)


def _rounded_to_odd(X: Array) -> NDArray[np.float32]:
    """X in float32; a number that float32 does not hold goes to that neighbour whose last bit is 1."""
    with np.errstate(over="ignore"):
        near = np.ascontiguousarray(X, np.float32)
    if X.dtype == np.float32:
        return near
    over = np.abs(near.astype(np.float64)) > np.abs(X)
    inexact = near.astype(np.float64) != X
    bits = near.view(np.uint32).copy()
    bits -= over.astype(np.uint32)  # toward zero
    bits |= inexact.astype(np.uint32)
    return bits.view(np.float32)


ROUNDED: dict[str, Callable[[Array], NDArray[np.float32]]] = {
    "float16": _through_float16,
    "bfloat16": _through_bfloat16,
}
BITS: dict[str, type[np.integer]] = {"float16": np.int16, "bfloat16": np.uint16, "int8": np.int8}
LARGEST = {"float16": 65504.0, "bfloat16": math.ldexp(255.0, 120), "int8": 127.0}
SCALE_BITS = 16  # of a scale of int8: with the seven of a number, no more than float32 has
SMALLEST_EXPONENT = -149 + SCALE_BITS
