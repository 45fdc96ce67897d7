"""Settings, counts and numbers at the ends of their ranges, and beyond: where the truth is infinite, or no number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from stepbench.checking import not_finite
from stepbench.checking.bound_row import BoundRow, Rejected, require
from stepbench.checking.draws import draw_config, spread_configs
from stepbench.checking.scenes import Random, Scene
from stepbench.checking.trials.setup import Setup
from stepkernels import Adam, Op, Problem, reference
from stepkernels.agreement import GRADIENT_FIELDS, STEP_FIELDS
from stepkernels.reference import Point

SETTINGS, SETTINGS_COMPILED = 16, 2
LARGEST_POWER = {"float32": 30, "float64": 300}


def settings(setup: Setup) -> None:
    """Every part of every range of the settings, with counts of steps that 16, 24 or 32 bits do not hold."""
    count = SETTINGS_COMPILED if setup.implementation.compiles_per_shape else SETTINGS
    for config in spread_configs(setup.random, setup.config.dtype, setup.config.optimizer.name, count):
        row = setup.bind(config=config)
        before = row.reset(row.random_point(setup.random))
        for k in range(2):
            before = Point.of(row.judge_step(before, when=f"step {k + 1} from step {before.step}, {config.optimizer}"))


def not_a_number(setup: Setup) -> None:
    """Parameters and moments that are NaN or infinite: what is none must not look like a number."""
    row, random = setup.bind(), setup.random
    for k, (what, point) in enumerate(not_finite.points(row.random_point(random), row.config, _feature(row, random))):
        route = setup.routes()[k % len(setup.routes())]
        _step_from(row, point, route)
        _require_none(row, point, f"{'; '.join(route)} from {what}")
    for what, point in not_finite.points_of_moments(row.random_point(random), row.config, _feature(row, random)):
        _step_from(row, point, (Op.STEP,))
        _require_none(row, point, f"step from {what}")
        _require_others(row, point, f"step from {what}")


def _feature(row: BoundRow, random: Random) -> int:
    return int(random.integers(row.truth.n))


def _step_from(row: BoundRow, point: Point, route: Sequence[Op]) -> None:
    row.put(point)
    row.run(*route)


def _require_none(row: BoundRow, point: Point, when: str) -> None:
    found = not_finite.a_number_instead(
        row.snapshot(), not_finite.truths(*reference.step(row.truth, row.config, point)), row.config.dtype
    )
    if found:
        raise Rejected(f"after {when}, {found[1]}", found[0])


def _require_others(row: BoundRow, point: Point, when: str, fields: Iterable[str] = STEP_FIELDS) -> None:
    field, error = not_finite.worst_of_the_others(row.snapshot(), row.expect(point), row.config.dtype, fields)
    require(error <= 1.0, field, f"after {when}, {field} is off by {error:.3g} bounds where the truth is a number")


def extremes(setup: Setup) -> None:
    """Columns of 10⁻³⁰⁰ beside ordinary ones and some of 10³⁰⁰ (in float32 10^±30), whose squares are infinite.

    A moment2 beyond the row's dtype makes its w another than the truth's, which has it still: w is judged under GD.
    """
    scene = extreme_scene(setup.scene, setup.random)
    drawn = draw_config(setup.random, None, setup.config.dtype, setup.config.optimizer.name)
    config = setup.config if setup.implementation.compiles_per_shape else drawn
    row = setup.bind(scene, config)
    point = row.reset()
    row.run(Op.STEP)
    _require_none(row, point, "step")
    adam = isinstance(config.optimizer, Adam)
    _require_others(row, point, "step", (*GRADIENT_FIELDS, "moment1") if adam else STEP_FIELDS)


def extreme_scene(scene: Scene, random: Random) -> Scene:
    """The same with columns so scaled, and of the largest the weights so as to leave their margins as they were."""
    X, y, w0, b0 = scene.problem.X, scene.problem.y, scene.problem.w0, scene.problem.b0
    powers = random.integers(-1, 2, X.shape[1]) * LARGEST_POWER[scene.problem.dtype]
    scales = 10.0 ** powers.astype(np.float64)
    weights = w0 / np.maximum(scales, 1.0)
    problem = Problem((X * scales).astype(X.dtype), y, weights.astype(X.dtype), b0)
    return Scene(f"{scene.name}, columns of 1e±{LARGEST_POWER[scene.problem.dtype]}", problem)
