"""Why not squared error: after a sigmoid it has a minimum that is not the best one, and cross-entropy has not.

The squared error belongs to no row of the suite, so it is written here; cross-entropy is the suite's own J.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from stepbench.lesson.descent import best_point, walk
from stepbench.lesson.neuron import neuron
from stepbench.lesson.students import students, x, y
from stepkernels import reference
from stepkernels.problem import GD, Array

Cost = Callable[[float, float], float]

START = (-1.5, 5.0)
NEAR_BEST = (0.9, 2.2)
SQUARED_STEPS, ENTROPY_STEPS = 8000, 2000  # the ground of the trap is nearly level
SQUARED_RATE, ENTROPY_RATE = 1.0, 0.15
DESIGN = np.column_stack([x, np.ones_like(x)])  # (m, 2): what w and b are multiplied by

WEIGHTS = np.linspace(-2.0, 2.0, 121)
BIASES = np.linspace(-2.0, 7.0, 136)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point of a surface: its cost, and how many students are answered right there."""

    w: float
    b: float
    cost: float
    right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """Two descents from one start, and the numbers of the text.

    hilltop           the highest squared error on the straight line between the trap and the best point
    pull, faded_pull  of the student who practised least, at the start: a − y, and that times a(1 − a)
    """

    start: Place
    trap: Place
    best: Place
    entropy_best: Place
    entropy_at_trap: float
    hilltop: float
    pull: float
    faded_pull: float


def squared_cost(w: float, b: float) -> float:
    """The mean of (a − y)²."""
    return float(np.mean((answers(w, b) - y) ** 2))


def entropy_cost(w: float, b: float) -> float:
    """The suite's J."""
    return reference.gradient(students(), np.array([w]), b).J


def answers(w: float, b: float) -> Array:
    """The answers a = σ(wx + b), one a student."""
    return reference.sigmoid(w * x + b)


def squared_gradient(w: float, b: float) -> Array:
    """The slopes of the squared error in w and b: the residual of every student, faded by a(1 − a)."""
    a = answers(w, b)
    gradient: Array = DESIGN.T @ (2.0 * (a - y) * a * (1.0 - a)) / len(x)
    return gradient


def squared_curvature(w: float, b: float) -> Array:
    """The second derivatives of the squared error, (2, 2). Negative where a confident answer is wrong."""
    a = answers(w, b)
    second = 2.0 * a * (1.0 - a) * (a * (1.0 - a) + (a - y) * (1.0 - 2.0 * a))
    curvature: Array = (DESIGN.T * second) @ DESIGN / len(x)
    return curvature


@cache
def squared_walk() -> Array:
    """Gradient descent on the squared error from `START`: (steps + 1, 2), every w and b."""
    points = [np.array(START)]
    for _ in range(SQUARED_STEPS):
        points.append(points[-1] - SQUARED_RATE * squared_gradient(*points[-1]))
    return np.array(points)


@cache
def entropy_walk() -> Array:
    """Steps on cross-entropy from the same start, taken by a row of the suite."""
    return walk(students(), GD(learning_rate=ENTROPY_RATE), ENTROPY_STEPS, START).parameters


def settled(w: float, b: float) -> tuple[float, float]:
    """The minimum of the squared error in whose basin a point lies, by Newton's method."""
    point = np.array([w, b])
    for _ in range(50):
        point = point - np.linalg.solve(squared_curvature(*point), squared_gradient(*point))
    return float(point[0]), float(point[1])


@cache
def trap() -> Trap:
    """Where the two descents end, and what that costs."""
    stuck, best, entropy = settled(*squared_walk()[-1]), settled(*NEAR_BEST), best_point(students())
    a = float(answers(*START)[0])
    return Trap(
        start=place(START, squared_cost),
        trap=place(stuck, squared_cost),
        best=place(best, squared_cost),
        entropy_best=place(entropy, entropy_cost),
        entropy_at_trap=entropy_cost(*stuck),
        hilltop=max(profile()[1]),
        pull=a - float(y[0]),
        faded_pull=(a - float(y[0])) * a * (1.0 - a),
    )


def place(point: tuple[float, float], cost: Cost) -> Place:
    return Place(w=point[0], b=point[1], cost=cost(*point), right=neuron(*point).right)


def surface(cost: Cost) -> Array:
    """A cost at every pair of `BIASES` (down) and `WEIGHTS` (across)."""
    return np.array([[cost(w, b) for w in WEIGHTS] for b in BIASES])


@cache
def profile() -> tuple[list[float], list[float], list[float]]:
    """Along the straight line from the trap (0) to the best point (1) and beyond: place, squared error, J."""
    stuck, best = np.array(settled(*squared_walk()[-1])), np.array(settled(*NEAR_BEST))
    shares = np.linspace(-0.35, 1.35, 171)
    points = [stuck + share * (best - stuck) for share in shares]
    return shares.tolist(), [squared_cost(*point) for point in points], [entropy_cost(*point) for point in points]
