"""The truth and its bounds in one compiled pass over X: `reference.gradient` and `gradient_bounds`, and held to them.

A path of thousands of steps needs the truth of each, and the runner takes it while all rows stand still. The formulas
are those of `stepkernels.agreement.bounds`; sums are of blocks of rows, so that they round no worse than the
reference's. Threads share the rows; a thread per processor is no pool that would disturb a row.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit

from stepkernels.agreement import C
from stepkernels.agreement.bounds import Arithmetic, Means, bound_of_means
from stepkernels.problem import Array, Problem
from stepkernels.reference import Gradient, Point

ROWS = 128  # summed before they are added to the rest
SMALL = 2**17  # elements of X below which threads cost more than they bring
SHARES = 4  # of the rows for each thread


class Sums(NamedTuple):
    """Sums over rows. Of the columns, the bias's ones come last: n + 1. K is the number of arithmetics.

    losses      (1 + K,) Σ loss, then Σ δloss of each
    products    (n + 1,) Σ r·x
    magnitudes  (1 + K, n + 1) Σ |r·x|, then Σ δr·|x| of each
    """

    losses: Array
    products: Array
    magnitudes: Array

    @classmethod
    def zeros(cls, n: int, kinds: int) -> Sums:
        return cls(np.zeros(1 + kinds), np.zeros(n + 1), np.zeros((1 + kinds, n + 1)))

    def add(self, other: Sums) -> None:
        for mine, its in zip(self, other, strict=True):
            np.add(mine, its, out=mine)


class CompiledTruth:
    """The truth of one problem, anywhere."""

    def __init__(self, problem: Problem, threads: int) -> None:
        if problem.weights is not None:
            raise ValueError("What is timed has no weights; take the plain truth.")
        self.problem, self.threads = problem, threads
        self.row_terms, self.column_terms = np.empty(problem.m), np.ones(problem.n + 1) * problem.m
        _count_terms(problem.X, self.row_terms, self.column_terms)

    def __call__(
        self, problem: Problem, l2: float, point: Point, arithmetics: Sequence[Arithmetic]
    ) -> tuple[Gradient, list[Gradient]]:
        """J, gw and gb at a point, and for each arithmetic how far an honest row may be. `problem` is this one."""
        if problem is not self.problem:
            raise ValueError("The truth was made ready for another problem.")
        table = np.array([(a.u, a.tiny, a.traits[0] == "sequential", a.traits[1] == "difference") for a in arithmetics])
        return _finished(self._sums(point, table), problem, l2, point, arithmetics, self.column_terms)

    def _sums(self, point: Point, table: Array) -> Sums:
        X, y = self.problem.X, self.problem.y
        m, n = X.shape
        threads = 1 if m * n < SMALL else self.threads
        edges = np.linspace(0, m, 1 + (threads * SHARES if threads > 1 else 1), dtype=int)

        def share(first: int, last: int) -> Sums:
            sums = Sums.zeros(n, len(table))
            _add_rows(X, y, self.row_terms, point.w, point.b, first, last, C, table, *sums)
            return sums

        if threads == 1:
            return share(0, m)
        total = Sums.zeros(n, len(table))
        with ThreadPoolExecutor(threads) as pool:
            for part in pool.map(share, edges[:-1].tolist(), edges[1:].tolist()):
                total.add(part)
        return total


def _finished(
    sums: Sums, problem: Problem, l2: float, point: Point, arithmetics: Sequence[Arithmetic], terms: Array
) -> tuple[Gradient, list[Gradient]]:
    """From sums to the gradient and its bounds, as `gradient_bounds` has them."""
    m, w = problem.m, point.w
    loss, products, magnitudes = sums.losses[0], sums.products, sums.magnitudes[0]
    penalty = 0.5 * l2 * float(w @ w)
    truth = Gradient(J=float(loss) / m + penalty, gw=products[:-1] / m + l2 * w, gb=float(products[-1]) / m)
    means = Means(m, terms, float(loss) / m, magnitudes / m)
    return truth, [
        bound_of_means(arithmetic, means, float(δloss) / m, δsum / m, l2, w)
        for arithmetic, δloss, δsum in zip(arithmetics, sums.losses[1:], sums.magnitudes[1:], strict=True)
    ]


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def _add_rows(
    X: Array, y: Array, terms: Array, w: Array, b: float, first: int, last: int, c: float, table: Array,
    losses: Array, products: Array, magnitudes: Array,
) -> None:  # fmt: skip
    """Add rows first … last − 1 to the sums. `table` (K, 4) has u, tiny, and whether sequential, whether difference."""
    n, kinds, m = X.shape[1], len(table), X.shape[0]
    block, block_of_magnitudes, weights = np.zeros(n + 1), np.zeros((1 + kinds, n + 1)), np.zeros(1 + kinds)
    for i in range(first, last):
        z, scale = _margin(X[i], w, b)
        t = (1.0 - 2.0 * y[i]) * z
        decay = math.exp(-abs(t))
        r, other = 1.0 / (1.0 + decay), decay / (1.0 + decay)
        if t < 0.0:
            r, other = other, r
        weights[0] = r
        losses[0] += max(t, 0.0) + math.log1p(decay)
        for k in range(kinds):
            u, tiny, sequential, difference = table[k]
            δz = c * u * (terms[i] if sequential else math.sqrt(terms[i])) * scale + terms[i] * tiny
            stretch = math.exp(min(δz, 100.0))
            δr = min(0.25, r * other * stretch) * δz + c * u * r + tiny + m * tiny
            δloss = min(1.0, r * stretch) * δz + tiny
            if difference:
                δr += c * u * (r if y[i] == 0.0 else other)
                δloss += c * u * abs(z)
            weights[1 + k] = δr
            losses[1 + k] += δloss
        _add_product(X[i], (1.0 - 2.0 * y[i]) * r, block)
        for k in range(1 + kinds):
            _add_magnitude(X[i], weights[k], block_of_magnitudes[k])
        if (i - first) % ROWS == ROWS - 1 or i == last - 1:
            products += block
            magnitudes += block_of_magnitudes
            block[:], block_of_magnitudes[:] = 0.0, 0.0


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def _margin(x: Array, w: Array, b: float) -> tuple[float, float]:
    """z, and Σ|x_j·w_j| + |b|."""
    z, scale = b, abs(b)
    for j in range(len(w)):
        product = np.float64(x[j]) * w[j]
        z += product
        scale += abs(product)
    return z, scale


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def _add_product(x: Array, r: float, total: Array) -> None:
    for j in range(len(x)):
        total[j] += r * np.float64(x[j])
    total[len(x)] += r


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def _add_magnitude(x: Array, weight: float, total: Array) -> None:
    for j in range(len(x)):
        total[j] += weight * abs(np.float64(x[j]))
    total[len(x)] += weight


@njit(nogil=True, cache=True)
def _count_terms(X: Array, row_terms: Array, column_terms: Array) -> None:
    """How many are not zero, in each row with the bias's one, and in each column; the last column is the bias's."""
    m, n = X.shape
    column_terms[:n] = 0.0
    for i in range(m):
        row_terms[i] = 1.0
        for j in range(n):
            if X[i, j] != 0:
                row_terms[i] += 1.0
                column_terms[j] += 1.0
