"""Synthetic data in which less than float32 shows, at the size that is timed.

At 100,000 rows an honest float32 sum errs by more than a row that was left out, and the roundings of a 16-bit product
average out. So float32 data carry their evidence with them:

- every entry is as far below the next number of 16 bits as it can be: all of bfloat16, half and TF32 round it the same
  way, toward zero, and so does everything that is computed with them;
- a few rows at the edges, the last among them, are larger by as much as makes one of them show. They lie in one
  direction and have one label, so that they are all misclassified together, or none is.

An X that is kept in a storage of sixteen bits or fewer has the large rows alone, since its tail is rounded away; of
int8, whose columns have one scale each, they are as large as the largest entry, and a single row of a million is then
told by `stepbench check` alone.

Neither changes what a step costs, nor what descent does: entries stay normal, and the rows are few.
"""

from __future__ import annotations

import math

import numpy as np

from stepkernels.problem import Array, Problem, unit_roundoff
from stepkernels.problem.storage import LARGEST

KEPT = np.uint32(0xFFFF0000)  # sign, exponent and the seven bits that bfloat16 keeps of the fraction
TAIL = np.uint32(0x6F00)  # 0 11 0 1111: a little less than half of bfloat16's last place, and of half's and TF32's
FREE = np.uint32(0x00FF)  # bits left as they were drawn
DRESSED_BYTES = 2**22  # at a time, so that they stay in a cache
PLANTED = 8
ROUNDINGS = 4.0  # C of the error bound
VISIBLE = 8.0  # bounds, that one planted row is worth
LARGER = 1.5  # times that, at most
RESIDUAL = 0.4  # the mean of |r·x| of such data, about


def planted(problem: Problem, seed: int, storage: str | None = None) -> Problem:
    """The problem with its evidence: itself in float64, whose bounds are a thousand million times as narrow.

    `storage` is what X is to be kept in, None for its dtype.
    """
    if problem.dtype != "float32":
        return problem
    X, y = problem.X.copy(), problem.y.copy()
    if (size := planted_size(problem.m, problem.dtype)) > 1.0:
        random = np.random.default_rng([seed, 2])
        rows = edges(problem.m)
        direction = _largest(size, X, storage) * random.choice([-1.0, 1.0], problem.n)
        X[rows] = direction * random.uniform(1.0, 1.5, (len(rows), problem.n)) / LARGER
        y[rows] = random.integers(2)
    if storage is None:
        dress(X)
    return Problem(X, y, problem.w0, problem.b0)


def _largest(size: float, X: Array, storage: str | None) -> Array:
    """How large the entries of planted rows may be, (n,)."""
    if storage == "int8":
        largest: Array = np.abs(X).max(axis=0)
        return largest
    return np.full(X.shape[1], min(LARGER * size, LARGEST[storage] if storage else math.inf))


def planted_size(m: int, dtype: str) -> float:
    """How large the entries of one row of m have to be, for the gradient without it to be off by `VISIBLE` bounds."""
    return float(2.0 ** math.ceil(math.log2(VISIBLE * ROUNDINGS * unit_roundoff(dtype) * m**1.5 * RESIDUAL)))


def edges(m: int) -> list[int]:
    """The first row, the last, and rows at a half, a quarter, … of the way: at the edges of shares and of blocks."""
    shares = [m * k // PLANTED for k in range(1, PLANTED - 1)]
    return sorted({0, *shares, m - 1})


def dress(X: Array) -> None:
    """Set the tail of each entry's fraction, in place; X is float32, and its zeros stay zero."""
    for rows in np.array_split(X, math.ceil(X.nbytes / DRESSED_BYTES)):
        zero = rows == 0.0
        bits = rows.view(np.uint32)
        bits &= KEPT | FREE
        bits |= TAIL
        rows[zero] = 0.0
