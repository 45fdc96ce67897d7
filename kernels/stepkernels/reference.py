"""The truth: the mathematics in float64, plainly, in row blocks. Never timed, and compared with no row's own code.

Forms that neither overflow nor cancel, for every finite z:

    t_i    = (1 − 2y_i)·z_i                       z = Xw + b
    loss_i = softplus(t_i) = max(t_i, 0) + log1p(exp(−|t_i|))
    r_i    = (1 − 2y_i)·σ(t_i)                    which is p_i − y_i
    J      = Σ loss_i / m + (l2/2)·‖w‖²
    gw     = Xᵀr/m + l2·w                         gb = Σ r_i / m

With weights, each loss_i and r_i is multiplied by s_i = weights_i·m/Σweights, whose mean is 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stepkernels.interface import Snapshot
from stepkernels.problem import Adam, Array, Config, Optimizer, Problem, undisturbed

BLOCK_ELEMENTS = 2**17  # elements of X turned to float64 at a time: 1 MiB, so that it is still in a cache when used


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Point:
    """Where a step starts: parameters, moments and the number of updates taken. float64 arrays."""

    w: Array
    b: float
    moment1: Array
    moment2: Array
    step: int

    @classmethod
    def start(cls, problem: Problem) -> Point:
        """The problem's own start: w0, b0, zero moments."""
        zeros = np.zeros(problem.n + 1)
        return cls(w=problem.w0.astype(np.float64), b=problem.b0, moment1=zeros, moment2=zeros, step=0)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Point:
        """A row's own state: every float32 is a float64, so nothing is rounded."""
        return cls(
            w=snapshot.w.astype(np.float64),
            b=float(snapshot.b),
            moment1=snapshot.moment1.astype(np.float64),
            moment2=snapshot.moment2.astype(np.float64),
            step=snapshot.step,
        )

    @undisturbed
    def astype(self, dtype: str) -> Point:
        """The nearest point a row of `dtype` can start from."""
        w, moment1, moment2 = (v.astype(dtype).astype(np.float64) for v in (self.w, self.moment1, self.moment2))
        return Point(w=w, b=float(np.dtype(dtype).type(self.b)), moment1=moment1, moment2=moment2, step=self.step)

    @property
    def parameters(self) -> Array:
        """(n + 1,) w and b."""
        return np.append(self.w, self.b)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gradient:
    """J (scalar), gw (n,) and gb (scalar) at a point, float64."""

    J: float
    gw: Array
    gb: float

    @property
    def packed(self) -> Array:
        """(n + 1,) gw and gb."""
        return np.append(self.gw, self.gb)

    def __add__(self, other: Gradient) -> Gradient:
        return Gradient(J=self.J + other.J, gw=self.gw + other.gw, gb=self.gb + other.gb)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Gradient:
        """What a row computed."""
        return cls(J=float(snapshot.J), gw=snapshot.gw.astype(np.float64), gb=float(snapshot.gb))


@undisturbed
def softplus(t: Array) -> Array:
    """log(1 + exp(t)), elementwise."""
    return np.maximum(t, 0.0) + np.log1p(np.exp(-np.abs(t)))


@undisturbed
def sigmoid(t: Array) -> Array:
    """1 / (1 + exp(−t)), elementwise, with full relative accuracy where it is tiny."""
    decay = np.exp(-np.abs(t))
    return np.where(t >= 0.0, 1.0, decay) / (1.0 + decay)


def row_blocks(problem: Problem) -> Iterator[tuple[Array, Array, Array]]:
    """X, y and the relative weights in float64, a block of rows at a time: (rows, n) and twice (rows,).

    Without weights the last is a 1 without dimensions.
    """
    rows, weights = max(1, BLOCK_ELEMENTS // problem.n), problem.relative_weights("float64")
    for first in range(0, problem.m, rows):
        block = slice(first, first + rows)
        s = np.ones(()) if weights is None else weights[block]
        yield problem.X[block].astype(np.float64), problem.y[block].astype(np.float64), s


@undisturbed
def forward(problem: Problem, w: Array, b: float, l2: float = 0.0) -> tuple[Array, Array, float]:
    """Z (m,), p = σ(z) (m,), and the cost J."""
    z = np.concatenate([X @ w + b for X, _, _ in row_blocks(problem)])
    t = (1.0 - 2.0 * problem.y.astype(np.float64)) * z
    weights = problem.relative_weights("float64")
    losses = softplus(t) if weights is None else weights * softplus(t)
    J = losses.sum() / problem.m + 0.5 * l2 * float(w @ w)
    return z, sigmoid(z), float(J)


@undisturbed
def gradient(problem: Problem, w: Array, b: float, l2: float = 0.0) -> Gradient:
    """J, gw and gb at (w, b)."""
    loss, gw, gb = 0.0, np.zeros(problem.n), 0.0
    for X, y, s in row_blocks(problem):
        sign = 1.0 - 2.0 * y
        t = sign * (X @ w + b)
        r = s * sign * sigmoid(t)
        loss += float((s * softplus(t)).sum())
        gw += r @ X
        gb += float(r.sum())
    m = problem.m
    return Gradient(J=loss / m + 0.5 * l2 * float(w @ w), gw=gw / m + l2 * w, gb=gb / m)


@undisturbed
def update(point: Point, gradient: Gradient, optimizer: Optimizer) -> Point:
    """The point after one update: gradient descent, or Adam with bias-corrected moments."""
    g = gradient.packed
    moment1, moment2, step = point.moment1, point.moment2, point.step + 1
    if isinstance(optimizer, Adam):
        moment1 = optimizer.beta1 * moment1 + (1.0 - optimizer.beta1) * g
        moment2 = optimizer.beta2 * moment2 + (1.0 - optimizer.beta2) * g**2
        correction1, correction2 = optimizer.bias_corrections(step)
        change = (
            optimizer.learning_rate * (moment1 / correction1) / (np.sqrt(moment2 / correction2) + optimizer.epsilon)
        )
    else:
        change = optimizer.learning_rate * g
    parameters = point.parameters - change
    return Point(w=parameters[:-1], b=float(parameters[-1]), moment1=moment1, moment2=moment2, step=step)


def step(problem: Problem, config: Config, point: Point) -> tuple[Gradient, Point]:
    """One training step from `point`: the gradient there, and the point after the update."""
    at_point = gradient(problem, point.w, point.b, config.l2)
    return at_point, update(point, at_point, config.optimizer)
