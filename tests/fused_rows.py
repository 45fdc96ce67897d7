"""What the tests of the fused rows on the CPU share: data, divisions of the work, and a step judged by the truth."""

from __future__ import annotations

import numpy as np

from stepkernels import GD, Adam, Problem
from stepkernels.agreement import Agreement, Traits, compare, expect_step
from stepkernels.catalog import CATALOG
from stepkernels.reference import Point
from stepkernels.rows.numba_fused import Division, ReadingPlan, Workspace

DTYPES = ("float32", "float64")
OPTIMIZERS = (GD(learning_rate=0.5), Adam(learning_rate=0.01))

# Two shares at every size, however small: what the rule would leave to one thread is tested on two.
DIVISIONS = {"numba-fused": Division(), "numba-fused-parallel": Division(shares=2, pool=True, team_from=100)}

# Every way of reading X, whatever this processor would take.
PLANS = {
    str(plan): plan
    for plan in (
        ReadingPlan(tiles=True),
        ReadingPlan(),
        ReadingPlan(ahead=2048),
        ReadingPlan(apart=False),
        ReadingPlan(apart=False, ahead=2048),
    )
}


def started(problem: Problem, seed: int = 1, scale: float = 1.0) -> Problem:
    """The problem from random parameters."""
    random = np.random.default_rng(seed)
    return Problem(problem.X, problem.y, scale * random.standard_normal(problem.n), float(random.standard_normal()))


def agreement_of(workspace: Workspace, steps: int = 1) -> Agreement:
    """The worst step, each judged from the workspace's own state before it."""
    problem, config, traits = workspace.problem, workspace.config, Traits.of(CATALOG["numba-fused"])
    results = []
    for _ in range(steps):
        expected = expect_step(problem, config, Point.of(workspace.snapshot()), traits)
        workspace.step()
        results.append(compare(workspace.snapshot(), expected, config.dtype))
    return max(results, key=lambda result: result.worst)
