"""What a step of a case must give, from the reference: computed once by the runner and read by every worker.

A file holds the point a step starts from and, for each kind of arithmetic the rows declare, the values and bounds
of everything the step must give.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from stepkernels.agreement import STEP_FIELDS, Expectation, Expected, Traits, expect_steps
from stepkernels.problem import Adam, Config, Problem
from stepkernels.reference import Point

POINT_FIELDS = ("w", "b", "moment1", "moment2", "step")


def random_point(problem: Problem, config: Config, seed: int) -> Point:
    """A point no row has seen: weights, bias, and under Adam moments and a step count far from zero."""
    random = np.random.default_rng(seed)
    n = problem.n
    adam = isinstance(config.optimizer, Adam)
    moment1 = random.standard_normal(n + 1) * 0.1 if adam else np.zeros(n + 1)
    moment2 = random.random(n + 1) * 0.1 if adam else np.zeros(n + 1)
    return Point(
        w=random.standard_normal(n) / np.sqrt(n),
        b=float(random.standard_normal()),
        moment1=moment1,
        moment2=moment2,
        step=int(random.integers(0, 1000)) if adam else 0,
    ).astype(config.dtype)


def save_expectations(path: Path, problem: Problem, config: Config, point: Point, traits: Iterable[Traits]) -> None:
    """Compute and store what one step from `point` must give."""
    arrays = {f"point/{name}": np.asarray(getattr(point, name)) for name in POINT_FIELDS}
    for each, expectation in expect_steps(problem, config, point, traits).items():
        for name, expected in expectation.items():
            arrays[f"{_key(each)}/{name}/value"] = expected.value
            arrays[f"{_key(each)}/{name}/bound"] = expected.bound
    np.savez(path, **arrays)  # type: ignore[arg-type]


def load_expectation(path: Path, traits: Traits) -> tuple[Point, Expectation]:
    """The point and what a row of these traits must give there."""
    with np.load(path) as arrays:
        point = Point(
            w=arrays["point/w"],
            b=float(arrays["point/b"]),
            moment1=arrays["point/moment1"],
            moment2=arrays["point/moment2"],
            step=int(arrays["point/step"]),
        )
        key = _key(traits)
        expectation = {
            name: Expected(arrays[f"{key}/{name}/value"], arrays[f"{key}/{name}/bound"]) for name in STEP_FIELDS
        }
    return point, expectation


def _key(traits: Traits) -> str:
    return "-".join(traits)
