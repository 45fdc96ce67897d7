"""What a row declares of itself, held against what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from stepbench.checking import scenes
from stepbench.checking.bound_row import Rejected, require
from stepbench.checking.scenes import Random, Scene
from stepbench.checking.trials.setup import Setup
from stepkernels import Op, Problem
from stepkernels.agreement import GRADIENT_FIELDS, Traits, compare, expect_step
from stepkernels.reference import Point

WARM_UPS = 3
POINTS = 4
ROWS_OF_A_RUNNING_SUM = 2**17
SceneOf = Callable[[Setup, Random], Scene]


def allocation(setup: Setup) -> None:
    """A row that declares to allocate nothing gives out no array of n elements, nor of m, in any operation.

    The count is that of the row's own process, where Python's allocators are asked; what it keeps, the system counts
    (a long run). What C code takes and gives back within an operation nobody counts.
    """
    row = setup.bind()
    row.run(Op.STEP)
    for operation in Op:
        if operation in {*setup.implementation.ops, Op.STEP}:
            taken = row.workspace.allocated_bytes(operation, WARM_UPS)
            sentence = f"{operation} allocates {taken:,} bytes, and the row declares that it does not (allocates=True)"
            require(taken < row.truth.n * 8, "", sentence)


def running_sum(setup: Setup) -> None:
    """A row that declares one running sum errs as one does, where many equal numbers are added: else it has none."""
    narrower = Traits.of(setup.implementation)._replace(accumulation="blocked")
    _require_needed(setup, narrower, "accumulation='sequential'", "accumulation='blocked'", _equal_rows)


def difference(setup: Setup) -> None:
    """A row that declares p − y, or softplus(z) − y·z, loses the digits that they lose where p is close to y."""
    narrower = Traits.of(setup.implementation)._replace(residual="stable")
    _require_needed(setup, narrower, "residual='difference'", "residual='stable'", _confident_rows)


def _equal_rows(setup: Setup, random: Random) -> Scene:
    """Every row the same: each addition to a large sum is rounded the same way for as long as its exponent lasts."""
    dtype, label = setup.config.dtype, float(random.integers(2))
    X = np.full((ROWS_OF_A_RUNNING_SUM, 1), random.uniform(1.0, 2.0), dtype)
    problem = Problem(X, np.full(len(X), label, dtype), np.full(1, random.uniform(-1.0, 1.0), dtype), 0.25)
    return Scene("equal rows", problem)


def _confident_rows(setup: Setup, random: Random) -> Scene:
    m, n = setup.scene.problem.X.shape
    return scenes.scene("confident rows", m, n, setup.config.dtype, random)


def _require_needed(setup: Setup, narrower: Traits, declared: str, instead: str, scene_of: SceneOf) -> None:
    """The wider bound that the row declares must be one it needs: on one of these scenes the narrower rejects it."""
    worst = 0.0
    config = replace(setup.config, l2=0.0) if not setup.implementation.compiles_per_shape else setup.config
    for _ in range(POINTS):
        row = setup.bind(scene_of(setup, setup.random), config)
        point = Point.start(row.truth)
        snapshot = row.judge_step(point)
        found = compare(snapshot, expect_step(row.truth, config, point, narrower), config.dtype, GRADIENT_FIELDS)
        worst = max(worst, found.worst)
        if worst > 1.0:
            return
    raise Rejected(
        f"the row declares {declared}, and errs by {worst:.2g} bounds of {instead} where that errs by several: "
        f"it asks for a wider bound than it needs; declare {instead}"
    )
