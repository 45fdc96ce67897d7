"""Many updates by one gradient, compiled: `reference.update` so many times, to the last bit, and held to it.

A round of updates of a small state has hundreds of thousands, and the runner repeats them while all rows stand still.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import math

import numpy as np
from numba import njit

from stepkernels.problem import Adam, Array, Optimizer
from stepkernels.reference import Gradient, Point

STEPS_AT_ONCE = 4096  # of Adam, whose corrections are in a table


def updated(start: Point, gradient: Gradient, optimizer: Optimizer, updates: int) -> tuple[Point, float]:
    """The point after so many updates, all by one gradient, and the length of the way there in parameters."""
    parameters, g = start.parameters.copy(), gradient.packed
    if not isinstance(optimizer, Adam):
        length = _descend(parameters, optimizer.learning_rate * g, updates)
        return _point(parameters, start.moment1, start.moment2, start.step + updates), length
    moment1, moment2, length = start.moment1.copy(), start.moment2.copy(), 0.0
    settings = optimizer.learning_rate, optimizer.beta1, optimizer.beta2, optimizer.epsilon
    for first in range(0, updates, STEPS_AT_ONCE):
        corrections = optimizer.correction_table(start.step + first + 1, min(STEPS_AT_ONCE, updates - first))
        length += _adapt(parameters, moment1, moment2, g, corrections, *settings)
    return _point(parameters, moment1, moment2, start.step + updates), length


def _point(parameters: Array, moment1: Array, moment2: Array, step: int) -> Point:
    return Point(w=parameters[:-1], b=float(parameters[-1]), moment1=moment1, moment2=moment2, step=step)


@njit(cache=True)
def _descend(parameters: Array, change: Array, updates: int) -> float:
    length = 0.0
    for _ in range(updates):
        square = 0.0
        for j in range(len(parameters)):
            after = parameters[j] - change[j]
            square += (after - parameters[j]) ** 2
            parameters[j] = after
        length += math.sqrt(square)
    return length


@njit(cache=True)
def _adapt(
    parameters: Array, moment1: Array, moment2: Array, g: Array, corrections: Array,
    rate: float, beta1: float, beta2: float, epsilon: float,
) -> float:  # fmt: skip
    length = 0.0
    for k in range(len(corrections)):
        square = 0.0
        for j in range(len(parameters)):
            moment1[j] = beta1 * moment1[j] + (1.0 - beta1) * g[j]
            moment2[j] = beta2 * moment2[j] + (1.0 - beta2) * (g[j] * g[j])
            change = rate * (moment1[j] / corrections[k, 0]) / (np.sqrt(moment2[j] / corrections[k, 1]) + epsilon)
            after = parameters[j] - change
            square += (after - parameters[j]) ** 2
            parameters[j] = after
        length += math.sqrt(square)
    return length
