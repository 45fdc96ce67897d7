"""Where a round starts: a point that no row has seen, far from the optimum."""

from __future__ import annotations

import numpy as np

from stepkernels.problem import Adam, Config, Problem
from stepkernels.reference import Point


def random_point(problem: Problem, config: Config, seed: int) -> Point:
    """Weights, bias, and under Adam moments and a step count far from zero; the last row is on the wrong side.

    A row on the right side by a margin leaves no trace in the gradient, and nobody could see that it was left out.
    """
    random = np.random.default_rng(seed)
    n = problem.n
    adam = isinstance(config.optimizer, Adam)
    moment1 = random.standard_normal(n + 1) * 0.1 if adam else np.zeros(n + 1)
    moment2 = random.random(n + 1) * 0.1 if adam else np.zeros(n + 1)
    w, b = random.standard_normal(n) / np.sqrt(n), float(random.standard_normal())
    margin = (2.0 * float(problem.y[-1]) - 1.0) * (float(problem.X[-1].astype(np.float64) @ w) + b)
    side = -1.0 if margin > 0.0 else 1.0
    return Point(
        w=side * w,
        b=side * b,
        moment1=moment1,
        moment2=moment2,
        step=int(random.integers(0, 1000)) if adam else 0,
    ).astype(config.dtype)
