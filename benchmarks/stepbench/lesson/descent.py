"""Descent: what the learning rate does, where its bound comes from, and what Adam changes. Every step is a row's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from stepbench.lesson.shown import WALKER
from stepbench.lesson.students import HOURS, PER_HUNDRED, students, x
from stepkernels import reference
from stepkernels.catalog import CATALOG
from stepkernels.problem import GD, Adam, Array, Config, Optimizer, Problem

START = (0.0, -1.0)
STEPS = 60
MULTIPLES = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 2.8, 3.0, 4.0, 6.0, 10.0)  # of 1/L: the slider
NAMED = {"small": 0.05, "right": 1.0, "large": 4.0, "diverging": 10.0}
RACE_STEPS = 3000
NEAR = 2e-4  # a race is over when J stays within this of its least; no rebound passes just below it (a test)
GD_MULTIPLES = (0.25, 0.5, 1.0, 1.5, 1.9)  # of 1/L, all below the 2 where the guarantee ends
ADAM_RATES = (0.01, 0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """A descent: (steps + 1, 2) the parameters w and b, and (steps + 1,) the cost J at each."""

    parameters: Array
    costs: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Curvature:
    """How strongly J curves on the students.

    bound      L ≤ λmax([x 1]ᵀ[x 1])/(4m): no point of the surface curves more
    rate       1/L
    at_best    the largest curvature at the minimum itself
    limit      2 over that: just below, descent still settles; above, it cannot
    """

    bound: float
    rate: float
    at_best: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditioning:
    """The largest over the least curvature of the bound, with practice counted in four ways: 1 is a round bowl."""

    hours: float
    centred: float
    standardized: float
    hundreds: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entrant:
    """A descent in a race.

    rate     of Adam; of gradient descent the multiple of 1/L
    gaps     (steps,) J − J* before each step
    arrived  the first step at which J is within `NEAR` of its least
    stayed   the step from which on it stays there; None where it does not
    """

    rate: float
    gaps: Array
    arrived: int | None
    stayed: int | None

    @property
    def highest_after(self) -> float:
        """How far J rises above its least after it has arrived there."""
        return float(self.gaps[self.arrived :].max())


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Gradient descent and Adam, each at the best of its five rates; and the Adam that arrives first, stay or not."""

    gd: Entrant
    adam: Entrant
    boldest: Entrant


def walk(problem: Problem, optimizer: Optimizer, steps: int, start: tuple[float, float] = (0.0, 0.0)) -> Walk:
    """So many steps on a problem with one feature, taken by a row of the suite."""
    workspace = CATALOG[WALKER].bind(problem, Config(optimizer=optimizer))
    workspace.reset(np.array([start[0]]), start[1])
    parameters, costs = [np.array(start)], []
    for _ in range(steps + 1):
        workspace.step()
        state = workspace.snapshot()
        parameters.append(np.append(state.w, state.b))
        costs.append(float(state.J))  # of the parameters before this update
    return Walk(parameters=np.array(parameters[:-1]), costs=np.array(costs))


@cache
def best_point(problem: Problem) -> tuple[float, float]:
    """Where J is least: Newton's method on the truth's gradient, since two parameters need no better."""
    w, b = np.zeros(1), 0.0
    for _ in range(30):
        g = reference.gradient(problem, w, b).packed
        change = np.linalg.solve(curvature_at(problem, w, b), g)
        w, b = w - change[:1], b - float(change[1])
    return float(w[0]), b


def curvature_at(problem: Problem, w: Array, b: float) -> Array:
    """The second derivatives of J at a point, (2, 2): the mean of a(1 − a)·[x 1]ᵀ[x 1]."""
    _, a, _ = reference.forward(problem, w, b)
    design = np.column_stack([problem.X, np.ones(problem.m)])
    curvature: Array = (design.T * (a * (1.0 - a))) @ design / problem.m
    return curvature


def curvature(problem: Problem) -> Curvature:
    """The bound L and what the surface does at its minimum."""
    w, b = best_point(problem)
    bound = _largest(curvature_at(problem, np.zeros(1), 0.0))  # a(1 − a) is ¼ at zero, and nowhere more
    at_best = _largest(curvature_at(problem, np.array([w]), b))
    return Curvature(bound=bound, rate=1.0 / bound, at_best=at_best, limit=2.0 / at_best)


def _largest(symmetric: Array) -> float:
    return float(np.linalg.eigvalsh(symmetric)[-1])


@cache
def rate_walks() -> dict[float, Walk]:
    """A walk on the students for each multiple of 1/L on the slider."""
    data = students()
    rate = curvature(data).rate
    return {multiple: walk(data, GD(learning_rate=multiple * rate), STEPS, START) for multiple in MULTIPLES}


def named_walks() -> dict[str, Walk]:
    """The four walks of the text."""
    return {name: rate_walks()[multiple] for name, multiple in NAMED.items()}


def conditioning() -> Conditioning:
    """How uneven the curvatures are with hours as they are, counted from nine, standardized, and in hundreds."""
    standardized = (HOURS - HOURS.mean()) / HOURS.std()
    return Conditioning(
        hours=_unevenness(HOURS),
        centred=_unevenness(x),
        standardized=_unevenness(standardized),
        hundreds=_unevenness(PER_HUNDRED * HOURS),
    )


def _unevenness(feature: Array) -> float:
    """The condition number of the mean of the outer products of [x 1]."""
    design = np.column_stack([feature, np.ones_like(feature)])
    return float(np.linalg.cond(design.T @ design))


@cache
def races() -> dict[str, Race]:
    """Both optimizers with practice counted in hours, and in hundreds of hours."""
    return {"hours": _race(students()), "hundreds": _race(students(PER_HUNDRED))}


def _race(problem: Problem) -> Race:
    rate = curvature(problem).rate
    gd = [_entrant(problem, multiple, GD(learning_rate=multiple * rate)) for multiple in GD_MULTIPLES]
    adam = [_entrant(problem, each, Adam(learning_rate=each)) for each in ADAM_RATES]
    first = min(adam, key=lambda entrant: RACE_STEPS if entrant.arrived is None else entrant.arrived)
    return Race(gd=_best(gd), adam=_best(adam), boldest=first)


def _entrant(problem: Problem, rate: float, optimizer: Optimizer) -> Entrant:
    w, b = best_point(problem)
    gaps = walk(problem, optimizer, RACE_STEPS).costs - reference.gradient(problem, np.array([w]), b).J
    arrived, stayed = steps_to(gaps, NEAR)
    return Entrant(rate=rate, gaps=gaps, arrived=arrived, stayed=stayed)


def _best(entrants: Sequence[Entrant]) -> Entrant:
    return min(entrants, key=lambda entrant: RACE_STEPS if entrant.stayed is None else entrant.stayed)


def steps_to(gaps: Array, near: float) -> tuple[int | None, int | None]:
    """The first step at which J is within `near` of its least, and the one from which on it stays there."""
    outside = gaps > near
    if outside.all():
        return None, None
    stayed = int(np.flatnonzero(outside)[-1]) + 1 if outside.any() else 0
    return int(np.flatnonzero(~outside)[0]), stayed if stayed < len(gaps) else None
