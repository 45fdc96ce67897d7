"""What is solved: a problem (data and a starting point) and a configuration (precision, optimizer, penalty).

Everything is validated here, once, and frozen; inside, it is trusted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from stepkernels.problem.storage import STORAGES, require_storage, rounded_to
from stepkernels.problem.validated import (
    DTYPES,
    Array,
    ProblemError,
    fraction,
    not_negative,
    number_of,
    parse_dtype,
    positive,
    rounded,
    two_classes,
    undisturbed,
    validated_features,
    validated_labels,
    validated_vector,
    validated_weights,
)

__all__ = [
    "DTYPES",
    "GD",
    "OPTIMIZERS",
    "STORAGES",
    "Adam",
    "Array",
    "Config",
    "Optimizer",
    "Problem",
    "ProblemError",
    "number_of",
    "parse_dtype",
    "rate_below",
    "rounded",
    "safe_learning_rate",
    "synthetic_problem",
    "two_classes",
    "undisturbed",
    "unit_roundoff",
    "validated_weights",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GD:
    """Gradient descent: w ← w − lr·gw, b ← b − lr·gb."""

    name: ClassVar[str] = "gd"
    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "learning_rate", positive("learning_rate", self.learning_rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class Adam:
    """Adam (Kingma & Ba, 2015, algorithm 1), the same for w and b."""

    name: ClassVar[str] = "adam"
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        ranges = {"learning_rate": positive, "epsilon": positive, "beta1": fraction, "beta2": fraction}
        for name, valid in ranges.items():
            object.__setattr__(self, name, valid(name, getattr(self, name)))

    def bias_corrections(self, step: int) -> tuple[float, float]:
        """1 − β1ᵗ and 1 − β2ᵗ in float64 for the update numbered `step` (the first is 1).

        `expm1` keeps the digits that 1 − βᵗ loses when β is close to 1.
        """
        return -math.expm1(step * _log(self.beta1)), -math.expm1(step * _log(self.beta2))

    def correction_table(self, first_step: int, steps: int) -> Array:
        """The bias corrections of `steps` consecutive updates, float64, shape (steps, 2).

        Each bit is that of `bias_corrections`, so that train(k) can be k steps to the last bit: it calls the same
        `expm1`. NumPy's own differs from that in the last place here and there, and by processor.
        """
        exponents = np.multiply.outer(np.arange(first_step, first_step + steps), (_log(self.beta1), _log(self.beta2)))
        return -np.fromiter(map(math.expm1, exponents.ravel().tolist()), np.float64, 2 * steps).reshape(steps, 2)


_LEAST_CURVATURE = 1e-290  # of columns that are all zero, without an intercept: any learning rate will do

Optimizer = GD | Adam
OPTIMIZERS: dict[str, type[GD] | type[Adam]] = {GD.name: GD, Adam.name: Adam}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a step is taken: `dtype` ("float32" or "float64"), optimizer, and l2 ≥ 0, which spares the bias.

    storage  None, or of `STORAGES` what a row keeps of X, to be computed with in float32: less of it has to be read
    """

    dtype: str = "float64"
    optimizer: Optimizer = GD()
    l2: float = 0.0
    storage: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", parse_dtype(self.dtype))
        if not isinstance(self.optimizer, (GD, Adam)):
            raise ProblemError(f"optimizer is {self.optimizer!r}; it must be GD(…) or Adam(…).")
        object.__setattr__(self, "l2", not_negative("l2", self.l2))
        if self.storage is not None:
            require_storage(self.storage, self.dtype)


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Problem:
    """Data and a starting point, validated and read-only.

    X             (m, n) features, float32 or float64; a block already in one of them is viewed, not copied
    y             (m,) labels, each 0 or 1, in X's dtype
    w0            (n,) starting weights of the features, in X's dtype; zeros unless given
    b0            starting bias; zero unless given
    weights       (m,) how much each row counts, float64, zero or more: 2 is the row twice, 0 the row left out; or None
    total_weight  what weighted sums are divided by: the sum of the weights, or m, unless given. Of a block of a larger
                  problem it is the block's share of that one's, so that the mean over the blocks is the whole J

    With weights J = Σ s_i·loss_i / total_weight + (l2/2)·‖w‖²; a row that does not take them refuses the problem.
    Raises `ProblemError` for a wrong shape, no rows or columns, NaN or infinity, labels other than 0 and 1, a negative
    weight, and weights that sum to nothing.
    """

    X: Array
    y: Array
    w0: Array
    b0: float
    weights: Array | None
    total_weight: float

    @undisturbed
    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        w0: ArrayLike | None = None,
        b0: float = 0.0,
        weights: ArrayLike | None = None,
        total_weight: float | None = None,
    ) -> None:
        features = validated_features(X)
        m, n = features.shape
        values = {
            "X": _read_only(features),
            "y": _read_only(validated_labels(y, m, features.dtype)),
            "w0": _read_only(validated_vector("w0", np.zeros(n) if w0 is None else w0, n, features.dtype)),
            "b0": _validated_bias(b0, features.dtype),
            "weights": None if weights is None else _read_only(validated_weights(weights, m)),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "total_weight", self._total() if total_weight is None else float(total_weight))

    def _total(self) -> float:
        if self.weights is None:
            return float(self.m)
        total = float(self.weights.sum())
        if not (math.isfinite(total) and total > 0.0):
            raise ProblemError(f"weights sum to {total:g}; their sum must be a positive number that float64 can hold.")
        return total

    @undisturbed
    def relative_weights(self, dtype: str) -> Array | None:
        """(m,) the weights over their mean, in `dtype`; None without weights.

        With them every row divides by m, whatever the weights sum to, and none is too large or too small for `dtype`.
        """
        if self.weights is None:
            return None
        return (self.weights / self.total_weight * self.m).astype(dtype)

    @property
    def m(self) -> int:
        """Samples."""
        return int(self.X.shape[0])

    @property
    def n(self) -> int:
        """Features."""
        return int(self.X.shape[1])

    @property
    def dtype(self) -> str:
        """The name of X's dtype."""
        return str(self.X.dtype.name)

    def astype(self, dtype: str) -> Problem:
        """The same problem rounded to `dtype`; itself when it has that dtype already."""
        if dtype == self.dtype:
            return self
        kind = np.dtype(parse_dtype(dtype))
        X, y, w0 = (rounded(name, getattr(self, name), kind) for name in ("X", "y", "w0"))
        return Problem(X, y, w0, self.b0, self.weights, self.total_weight)

    def stored(self, storage: str | None) -> Problem:
        """The same with X rounded to what a storage holds, in float32; itself for none.

        Raises `ProblemError` beyond its range.
        """
        if storage is None:
            return self
        require_storage(storage, "float32")
        kind = np.dtype(np.float32)
        y, w0 = (rounded(name, getattr(self, name), kind) for name in ("y", "w0"))
        return Problem(rounded_to(self.X, storage), y, w0, self.b0, self.weights, self.total_weight)


def unit_roundoff(dtype: str) -> float:
    """u: half the distance from 1 to the next number of `dtype`."""
    return float(np.finfo(dtype).eps) / 2.0


@undisturbed
def synthetic_problem(m: int, n: int, dtype: str = "float64", seed: int = 0) -> Problem:
    """Normal features and labels drawn from a logistic model, so that no plane separates them.

    The margins have a standard deviation of about 2 whatever n is: most rows are uncertain, some are confident.
    """
    if m < 1 or n < 1:
        raise ProblemError(f"A problem of {m} rows and {n} columns is empty; both must be at least 1.")
    random = np.random.default_rng([seed, m, n])
    kind = np.dtype(parse_dtype(dtype))
    X = random.standard_normal((m, n), dtype=kind.type)
    w = random.standard_normal(n) * (2.0 / math.sqrt(n))
    chance = random.random(m)
    y = chance < 1.0 / (1.0 + np.exp(-(X @ w.astype(kind) + 0.5)))
    return Problem(X, y)


@undisturbed
def safe_learning_rate(problem: Problem, l2: float = 0.0, *, intercept: bool = True) -> float:
    """A learning rate below 1/L, so that gradient descent never raises J.

    L, the largest curvature of J, is at most λmax([X 1]ᵀ[X 1])/(4m) + l2, and the largest
    eigenvalue is at most the trace: the mean of ‖x_i‖² + 1. One pass over X, nothing estimated. With weights the mean
    is a weighted one; without an intercept the 1 is left out.
    Raises `ProblemError` for an X whose squares are beyond float64.
    """
    X, weights = problem.X, problem.relative_weights("float64")
    operands = ("ij,ij->", X, X) if weights is None else ("i,ij,ij->", weights, X, X)
    mean_square = float(np.einsum(*operands, dtype=np.float64)) / problem.m
    if not math.isfinite(mean_square):
        largest = max(X.max(), X.min(), key=abs)
        raise ProblemError(
            f"X holds {largest:g}, whose square is beyond float64, so that gradient descent has no learning rate that "
            "is safe; bring the features to a common scale (StandardScaler does)."
        )
    return rate_below(mean_square, l2, intercept=intercept)


def rate_below(mean_square: float, l2: float, *, intercept: bool = True) -> float:
    """A learning rate below 1/L for rows x whose ‖x‖² have this mean."""
    curvature = 0.25 * (mean_square + (1.0 if intercept else 0.0)) + l2
    return 0.99 / max(curvature, _LEAST_CURVATURE)


def _validated_bias(b0: float, dtype: np.dtype) -> float:
    number = number_of(b0)
    if not math.isfinite(number):
        raise ProblemError(f"b0 is {b0!r}; the starting bias must be finite.")
    return float(rounded("b0", np.array([number]), dtype)[0])


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def _log(beta: float) -> float:
    """−∞ for 0, whose correction is then 1."""
    return math.log(beta) if beta else -math.inf
