"""What an X in a narrower storage costs in accuracy: how far its truth is from that of the unrounded X.

A row that keeps X so is held to the truth of the stored numbers, to the same bound as any. What the rounding of X
itself moves is no error of the row's, and belongs beside its time. It is that of the data without the evidence that is
planted for the judge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.machine.threads import default_budget
from stepbench.proof.points import random_point
from stepkernels.agreement.bounds import TRUTH
from stepkernels.problem import Array, Config, Problem
from stepkernels.reference import Gradient, Point

EVENT = "narrowed"
NEAR = 1e-9  # of the gradient's largest element: coefficients are then nearer than a storage moves them
MOST_TOLD = 1e9  # times as much
MOST_STEPS = 500  # of L-BFGS; columns of other scales than one another take many

GradientAt = Callable[[Array], Gradient]


class Distance(NamedTuple):
    """From the unrounded X to the stored one.

    J                J at a point far from the optimum, relative
    gw               the gradient there, gb included, in the 2-norm, relative
    coefficients     the largest change of the optimum's parameters, relative to the largest of them
    accuracy         of the unrounded optimum on the unrounded X: the share of rows on their side
    accuracy_stored  of the stored optimum, on the unrounded X too
    """

    J: float
    gw: float
    coefficients: float
    accuracy: float
    accuracy_stored: float


def distance_of(case: Case, storage: str, seed: int) -> Distance:
    """Of the data of a case. Raises `ProblemError` for data that the storage does not hold."""
    problem = make_problem(case.dataset, case.m, case.n, case.dtype, seed, evidence=False)
    return distance(problem, storage, case.config(problem), seed)


def distance(problem: Problem, storage: str, config: Config, seed: int) -> Distance:
    """Of one problem, with the penalty of `config`, at a point drawn by the seed."""
    point = random_point(problem, config, seed)
    exact, stored = (_gradient(each, config.l2) for each in (problem, problem.stored(storage)))
    here, there = exact(point.parameters), stored(point.parameters)
    best, best_stored = _optimum(exact, problem.n), _optimum(stored, problem.n)
    return Distance(
        J=_relative(abs(there.J - here.J), here.J),
        gw=_relative(np.linalg.norm(there.packed - here.packed), np.linalg.norm(here.packed)),
        coefficients=_relative(np.abs(best_stored - best).max(), np.abs(best).max()),
        accuracy=_accuracy(problem, best),
        accuracy_stored=_accuracy(problem, best_stored),
    )


def _relative(change: float | np.floating, size: float | np.floating) -> float:
    """Of nothing that moves nowhere, 0; a thousand million times as much is told of what moves further."""
    return min(float(change) / float(size), MOST_TOLD) if size > 0.0 else MOST_TOLD * bool(change > 0.0)


def _gradient(problem: Problem, l2: float) -> GradientAt:
    from stepbench.proof.compiled_truth import CompiledTruth  # a compiler, which a run without storages does without

    truth, zeros = CompiledTruth(problem, default_budget()), np.zeros(problem.n + 1)

    def gradient(parameters: Array) -> Gradient:
        point = Point(w=parameters[:-1], b=float(parameters[-1]), moment1=zeros, moment2=zeros, step=0)
        return truth(problem, l2, point, [TRUTH])[0]

    return gradient


def _optimum(gradient: GradientAt, n: int) -> Array:
    """Where J is least, (n + 1,), the bias last."""
    from scipy.optimize import minimize

    def cost(parameters: Array) -> tuple[float, Array]:
        found = gradient(parameters)
        return found.J, found.packed

    options = {"maxiter": MOST_STEPS, "gtol": NEAR, "ftol": 0.0}
    found: Array = minimize(cost, np.zeros(n + 1), jac=True, method="L-BFGS-B", options=options).x
    return found


def _accuracy(problem: Problem, parameters: Array) -> float:
    """The share of rows whose margin has the sign of their label."""
    w, b = parameters[:-1].astype(problem.X.dtype), problem.X.dtype.type(parameters[-1])
    return float(np.mean((problem.X @ w + b > 0.0) == (problem.y > 0.5)))
