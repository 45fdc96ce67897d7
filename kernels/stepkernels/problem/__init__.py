"""What is solved: a problem (data and a starting point) and a configuration (precision, optimizer, penalty).

Everything is validated here, once, and frozen; inside, it is trusted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]

DTYPES = ("float32", "float64")


class ProblemError(ValueError):
    """Data or settings that no row could work on. The message says what was wrong and what to do."""


def _require_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise ProblemError(f"{name} is {value!r}; it must be a positive number.")


@dataclass(frozen=True, slots=True, kw_only=True)
class GD:
    """Gradient descent: w ← w − lr·gw, b ← b − lr·gb."""

    name: ClassVar[str] = "gd"
    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        _require_positive("learning_rate", self.learning_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adam:
    """Adam (Kingma & Ba, 2015, algorithm 1), the same for w and b."""

    name: ClassVar[str] = "adam"
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _require_positive("learning_rate", self.learning_rate)
        _require_positive("epsilon", self.epsilon)
        for name, value in (("beta1", self.beta1), ("beta2", self.beta2)):
            if not 0.0 <= value < 1.0:
                raise ProblemError(f"{name} is {value!r}; it must be at least 0 and below 1.")

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


Optimizer = GD | Adam
OPTIMIZERS: dict[str, type[GD] | type[Adam]] = {GD.name: GD, Adam.name: Adam}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a step is taken: `dtype` ("float32" or "float64"), optimizer, and l2 ≥ 0, which spares the bias."""

    dtype: str = "float64"
    optimizer: Optimizer = GD()
    l2: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", parse_dtype(self.dtype))
        if not isinstance(self.optimizer, (GD, Adam)):
            raise ProblemError(f"optimizer is {self.optimizer!r}; it must be GD(…) or Adam(…).")
        if not (math.isfinite(self.l2) and self.l2 >= 0.0):
            raise ProblemError(f"l2 is {self.l2!r}; it must be zero or a positive number.")


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Problem:
    """Data and a starting point, validated and read-only.

    X   (m, n) features, float32 or float64; a block already in one of them is viewed, not copied
    y   (m,) labels, each 0 or 1, in X's dtype
    w0  (n,) starting weights, in X's dtype; zeros unless given
    b0  starting bias; zero unless given

    Raises `ProblemError` for a wrong shape, no rows or columns, NaN or infinity, and labels other than 0 and 1.
    """

    X: Array
    y: Array
    w0: Array
    b0: float

    def __init__(self, X: ArrayLike, y: ArrayLike, w0: ArrayLike | None = None, b0: float = 0.0) -> None:
        features = _validated_features(X)
        m, n = features.shape
        labels = _validated_labels(y, m, features.dtype)
        weights = _validated_vector("w0", np.zeros(n) if w0 is None else w0, n, features.dtype)
        if not math.isfinite(b0):
            raise ProblemError(f"b0 is {b0!r}; the starting bias must be finite.")
        for name, value in (("X", features), ("y", labels), ("w0", weights)):
            object.__setattr__(self, name, _read_only(value))
        object.__setattr__(self, "b0", float(features.dtype.type(b0)))

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
        return Problem(self.X.astype(kind), self.y.astype(kind), self.w0.astype(kind), self.b0)


def parse_dtype(dtype: object) -> str:
    """The name of a supported dtype. Raises `ProblemError`."""
    try:
        name = str(np.dtype(dtype).name)  # type: ignore[call-overload]
    except TypeError:
        name = str(dtype)
    if name not in DTYPES:
        raise ProblemError(f"dtype {name!r} is not supported; use {' or '.join(DTYPES)}.")
    return name


def unit_roundoff(dtype: str) -> float:
    """u: half the distance from 1 to the next number of `dtype`."""
    return float(np.finfo(dtype).eps) / 2.0


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


def two_classes(labels: NDArray[Any], told: Callable[[NDArray[Any]], str]) -> NDArray[Any]:
    """The two classes among the labels, sorted.

    Raises `ProblemError` when there is another number of them, with the sentence that `told` makes of those there are.
    """
    classes: NDArray[Any] = np.unique(labels)
    if len(classes) != 2:
        raise ProblemError(told(classes))
    return classes


def safe_learning_rate(problem: Problem, l2: float = 0.0) -> float:
    """A learning rate below 1/L, so that gradient descent never raises J.

    L, the largest curvature of J, is at most λmax([X 1]ᵀ[X 1])/(4m) + l2, and the largest
    eigenvalue is at most the trace: the mean of ‖x_i‖² + 1. One pass over X, nothing estimated.
    """
    mean_square = float(np.einsum("ij,ij->", problem.X, problem.X, dtype=np.float64)) / problem.m
    return 0.99 / (0.25 * (mean_square + 1.0) + l2)


def _validated_features(X: ArrayLike) -> Array:
    array = _as_numbers("X", X)
    if array.ndim != 2:
        raise ProblemError(f"X has {array.ndim} dimension(s); it must be a matrix of samples by features.")
    if 0 in array.shape:
        raise ProblemError(f"X is {array.shape[0]} × {array.shape[1]}; it needs at least one row and one column.")
    # The minimum and maximum carry NaN and infinity and need no temporary the size of X.
    if not (math.isfinite(array.min()) and math.isfinite(array.max())):
        raise ProblemError("X contains NaN or infinity; remove or impute those values first.")
    return array


def _validated_labels(y: ArrayLike, m: int, dtype: np.dtype) -> Array:
    labels = _validated_vector("y", y, m, dtype)
    if not bool(((labels == 0) | (labels == 1)).all()):
        wrong = labels[(labels != 0) & (labels != 1)][0]
        raise ProblemError(f"y contains {wrong:g}; every label must be 0 or 1.")
    return labels


def _validated_vector(name: str, values: ArrayLike, length: int, dtype: np.dtype) -> Array:
    array = _as_numbers(name, values)
    if array.shape != (length,):
        raise ProblemError(f"{name} has shape {array.shape}; X asks for ({length},).")
    if not bool(np.isfinite(array).all()):
        raise ProblemError(f"{name} contains NaN or infinity; every value must be finite.")
    return array.astype(dtype, copy=False)


def _as_numbers(name: str, values: ArrayLike) -> Array:
    array = np.asarray(values)
    if array.dtype.name in DTYPES and array.dtype.isnative:
        return array
    if array.dtype.kind not in "biuf":
        raise ProblemError(f"{name} holds {array.dtype} values; it must hold real numbers.")
    return array.astype(np.float64)


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def _log(beta: float) -> float:
    """−∞ for 0, whose correction is then 1."""
    return math.log(beta) if beta else -math.inf
