"""The problems a wrong kernel cannot hide in.

Large ordinary data forgives: at a million rows an honest float32 sum errs more than a dropped row does, and random
rounding errors average out. So each kind of scene here is small or plants its evidence:

- planted rows: the first, the last, and rows at block, warp and tile edges are misclassified by a large margin with
  entries 2¹⁰ larger, so that one of them lost changes everything;
- an offset: every entry is 1 + 2⁻¹³ (and 2⁻²⁶ in float64) or a little off it, which half, bf16 and TF32 (and float32)
  all round the same way, so that the error is biased and does not average out;
- one entry a row, and the ladder of margins: each residual stands alone in its column, where the bound is a few
  roundings wide, from z = 0 to |z| = 10⁸ and past every branch of an exponential;
- confident rows, whose residuals and losses are tiny and must be right in their own digits;
- one class only, columns of zeros, scales from 10⁻⁸ to 10⁸, outliers without a variance; constant, duplicated and
  one-hot columns, zero and equal rows, weights of zero, entries that float16 has without all its digits, labels in
  blocks.

The start of a scene's problem (w0, b0) is where its margins are what the name says.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepkernels import Problem
from stepkernels.problem import Array

Random = np.random.Generator


class Scene(NamedTuple):
    """A problem with a name that says, in words, what it is made to show."""

    name: str
    problem: Problem

    def labelled(self, label: float) -> Scene:
        """The same with one label in every row."""
        return Scene(self.name, replace(self.problem, y=np.full_like(self.problem.y, label)))

    def __str__(self) -> str:
        return f"{self.name}, {self.problem.m} × {self.problem.n}"


# Around every branch: where 1 + e⁻ᶻ loses its tail (float32 17, float64 37), torch's softplus threshold (20),
# the ends of exp (float32 88.7, 103.9; float64 709.8, 745.1), and far past them.
_MAGNITUDES = (
    0.0, 1e-30, 1e-8, 1e-4, 0.01, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.5, 6.0, 9.0, 12.0, 15.9, 16.7, 18.0, 19.9, 20.1,
    25.0, 30.1, 33.0, 36.5, 37.5, 40.0, 60.0, 80.0, 87.0, 88.5, 89.0, 95.0, 103.0, 104.5, 150.0, 300.0, 499.0, 501.0,
    700.0, 709.5, 710.0, 744.0, 746.0, 1e3, 1e4, 1e8,
)  # fmt: skip
MARGINS = np.array(sorted({*_MAGNITUDES, *(-z for z in _MAGNITUDES)}))

_EDGES = (32, 64, 128, 256, 512, 1024, 2048, 4096)
_MOST_PLANTED = 48  # more of them would hide one another: the bound grows with their sum


def ordinary(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """X, y, w, b with margins of about ±2 and labels drawn from the model."""
    X = random.standard_normal((m, n))
    w = random.standard_normal(n) * (2.0 / math.sqrt(n)) + 0.01
    b = float(random.standard_normal()) * 0.5 + 0.05
    chance = 1.0 / (1.0 + np.exp(-np.clip(X @ w + b, -30.0, 30.0)))
    return X, (random.random(m) < chance).astype(float), w, b


def planted(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    X, y, w, b = ordinary(random, m, n)
    rows = edges(random, m)
    X[rows] *= 2.0**10
    y[rows] = X[rows] @ w + b < 0.0
    return X, y, w, b


def edges(random: Random, length: int) -> list[int]:
    """The first index, the last, and some of those at a multiple of a block size or just before one."""
    at_edges = {k for size in _EDGES for k in (size - 1, size, length // size * size - 1, length // size * size)}
    inner = [k for k in at_edges if 0 < k < length - 1]
    chosen = random.permutation(np.array(inner, int))[:_MOST_PLANTED]
    return sorted({0, length - 1, *chosen.tolist()})


def offset(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """One sign and one class while the sums are short: adding equal numbers for long, honest roundings conspire too."""
    X = (1.0 + 2.0**-13 + 2.0**-26) + 2.0**-15 * random.uniform(-1.0, 1.0, (m, n))
    size = 2.0 ** -round(math.log2(n) / 2.0) * (1.0 + 2.0**-13 + 2.0**-26)
    w = size * random.choice([-1.0, 1.0], n)
    if m > 256:
        return X * random.choice([-1.0, 1.0], (m, 1)), labels(random, m), w, 0.25
    return X, np.full(m, float(random.integers(2))), w, 0.25


def one_entry_a_row(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    X = np.zeros((m, n))
    X[np.arange(m), random.permutation(max(m, n))[:m] % n] = random.uniform(0.5, 2.0, m) * random.choice([-1.0, 1.0], m)
    return X, labels(random, m), random.uniform(0.5, 3.0, n), 0.125


def ladder(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """Margins of every size: one a column in the diagonal part, and in one column when n = 1."""
    X = np.zeros((m, n))
    X[np.arange(m), np.arange(m) % n] = random.permutation(np.resize(MARGINS, m))
    return X, labels(random, m), np.ones(n), 0.0


def confident(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """Every row right by a margin of 12 to 60: residuals and losses from 6·10⁻⁶ down to 9·10⁻²⁷."""
    y = labels(random, m)
    X = (2.0 * y - 1.0)[:, None] * random.uniform(0.5, 1.5, (m, n))
    X *= (random.uniform(12.0, 60.0, m) / np.abs(X).sum(axis=1))[:, None]
    return X, y, np.ones(n), 0.0


def hopeless(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """Every row wrong by a margin of 12 to 120."""
    X, y, w, b = confident(random, m, n)
    return 2.0 * X, 1.0 - y, w, b


def one_class(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    X, _, w, b = ordinary(random, m, n)
    return X, np.full(m, float(random.integers(2))), w, b


def zero_columns(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    X, y, w, b = ordinary(random, m, n)
    X[:, random.random(n) < 0.5] = 0.0
    return X, y, w, b


def scales(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    X, y, w, b = ordinary(random, m, n)
    powers = 10.0 ** random.uniform(-8.0, 8.0, n)
    return X * powers, y, w / powers, b


def outliers(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    X, y, w, b = ordinary(random, m, n)
    return np.clip(X * random.standard_cauchy((m, n)), -1e5, 1e5), y, w, b


_MOST_ALIKE = 256  # rows whose numbers are equal: of more the honest roundings of a sum conspire, as in `offset`


_MOST_CONSTANT = 1024


def alike(random: Random, m: int) -> NDArray[np.bool_]:
    """(m,) which rows may be alike: about half of a few, and not more than so many."""
    chosen = random.permutation(m)[: min(m // 2 + 1, _MOST_ALIKE)]
    return np.isin(np.arange(m), chosen)


def constant_columns(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """About half of the columns one value each, of any size and sign, while sums are short: so many more biases."""
    X, y, w, b = ordinary(random, m, n)
    same = random.random(n) < (0.5 if m <= _MOST_CONSTANT else 0.0)
    same[0] &= m <= _MOST_ALIKE
    values = random.choice([-1.0, 1.0], n) * 10.0 ** random.uniform(-3.0, 3.0, n)
    X[:, same] = values[same]
    w[same] /= np.abs(values[same])
    return X, y, w, b


def duplicated_columns(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """Half of them are the one before again, some several times."""
    X, y, w, b = ordinary(random, m, n)
    own = (random.random(n) < 0.5) | (np.arange(n) == 0)
    return X[:, np.maximum.accumulate(np.where(own, np.arange(n), 0))], y, w, b


def one_hot_columns(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """Of a row one category of n, which may be of nobody else; beside rows of ordinary numbers."""
    X, y, w, b = ordinary(random, m, n)
    rows = np.flatnonzero(alike(random, m))
    X[rows] = 0.0
    X[rows, random.integers(0, n, len(rows))] = 1.0
    return X, y, w * math.sqrt(n), b


def zero_rows(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """Of some rows nothing is known: their margin is the bias."""
    X, y, w, b = ordinary(random, m, n)
    X[alike(random, m)] = 0.0
    return X, y, w, b


def equal_rows(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """A row again and again, under both labels, among others."""
    X, y, w, b = ordinary(random, m, n)
    X[alike(random, m)] = X[0]
    return X, y, w, b


def zero_weights(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """Where everybody starts: J = ln 2 and p = ½ to the last bit."""
    X, y, w, _ = ordinary(random, m, n)
    return X, y, 0.0 * w, 0.0


def tiny_entries(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """Those that float16 has below its smallest normal number, down to its smallest, and a little above."""
    X = 2.0 ** random.uniform(-24.0, -12.0, (m, n)) * random.choice([-1.0, 1.0], (m, n))
    return X, labels(random, m), 2.0**14 * random.standard_normal(n) / math.sqrt(n), 0.1


def labels_in_blocks(random: Random, m: int, n: int) -> tuple[Array, Array, Array, float]:
    """Sorted as files are: all labels of a block, a warp or a thread's part are equal."""
    X, _, w, b = ordinary(random, m, n)
    size = int(random.choice([8, 32, 64, 128, 256, max(1, m // 2)]))
    return X, (np.arange(m) // size + random.integers(2)) % 2.0, w, b


def labels(random: Random, m: int) -> Array:
    return random.integers(0, 2, m).astype(float)


Kind = Callable[[Random, int, int], tuple[Array, Array, Array, float]]

KINDS: dict[str, Kind] = {
    "ordinary data": ordinary,
    "planted rows": planted,
    "a common offset": offset,
    "one entry a row": one_entry_a_row,
    "a ladder of margins": ladder,
    "confident rows": confident,
    "hopeless rows": hopeless,
    "one class": one_class,
    "columns of zeros": zero_columns,
    "scales from 1e-8 to 1e8": scales,
    "outliers": outliers,
    "constant columns": constant_columns,
    "duplicated columns": duplicated_columns,
    "one-hot columns": one_hot_columns,
    "zero rows": zero_rows,
    "equal rows": equal_rows,
    "weights of zero": zero_weights,
    "tiny entries": tiny_entries,
    "labels in blocks": labels_in_blocks,
}


def scene(kind: str, m: int, n: int, dtype: str, random: Random) -> Scene:
    """A new problem of this kind and size, its start included, in `dtype`."""
    X, y, w, b = KINDS[kind](random, m, n)
    return Scene(kind, Problem(X.astype(dtype), y.astype(dtype), w.astype(dtype), b))


_ROWS = (
    1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 32, 33, 61, 63, 64, 65, 97, 127, 128, 129, 191, 255, 256, 257, 499, 511, 512, 513,
    769, 1021, 1023, 1024, 1025, 2047, 2048, 2049, 4093, 4095, 4096,
)  # fmt: skip
_COLUMNS = (
    1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 17, 19, 24, 30, 31, 32, 33, 47, 63, 64, 65, 100, 127, 128, 129,
    255, 256, 257, 512, 513, 1023, 1025, 2049,
)  # fmt: skip
BEYOND_NARROW = ("a common offset", "a ladder of margins", "scales from 1e-8 to 1e8", "outliers")
NARROW_KINDS = [kind for kind in KINDS if kind not in BEYOND_NARROW]  # within the range of every storage
ENOUGH = (101, 37)
SQUARE = ((1, 1), (2, 3), (3, 2), (31, 33), (65, 64), (94, 94), (129, 127), (257, 255))
LONG_AND_WIDE = ((70_003, 3), (3, 70_001))
LARGE = ((20_011, 8), *LONG_AND_WIDE, (2**20 + 7, 1))
FEW = ((1, 1), (33, 7), (257, 33))
MANY_PLANTED = (4093, 7)  # rows: more, and honest sums err as much as a planted row that is lost
TIMED = (300_007, 6)  # a step takes milliseconds, much of it over vectors of m; an answer a tenth of one
ALLOCATING = (4096, 256)
SANITIZED = ((1, 1), (37, 5), (257, 33), (5, 1023), (9, 2049), (3, 70_001))
TINY = ((1, 1), (7, 3), (37, 5), (3, 33), (13, 17))


def edge_sizes(random: Random) -> list[tuple[int, int]]:
    """Around every block, warp and tile edge, in rows and in columns: the more rows, the fewer columns, roughly."""
    columns = sorted(_COLUMNS, key=lambda n: -n * random.uniform(0.5, 2.0))
    return list(zip(_ROWS, columns, strict=True))
