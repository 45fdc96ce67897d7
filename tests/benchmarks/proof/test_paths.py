"""The truth's path, and how far from it an honest row may be: the sum of the bounds of its steps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepbench.cases.case import Case
from stepbench.proof.paths import Path, curvature
from stepbench.proof.points import random_point
from stepkernels import reference
from stepkernels.agreement import Traits
from stepkernels.agreement.expected import plain_truth
from stepkernels.interface import Op
from stepkernels.problem import GD, synthetic_problem

STABLE = Traits("blocked", "stable")


def path_of(problem, config, start):
    return Path(plain_truth, problem, config, start, [STABLE])


def a_case(m, n, dtype="float64", optimizer="gd"):
    case = Case(op=Op.STEP, dtype=dtype, m=m, n=n, optimizer=optimizer)
    problem = synthetic_problem(m, n, dtype)
    return problem, case.config(problem)


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_it_is_the_reference_step_by_step(optimizer):
    problem, config = a_case(41, 5, optimizer=optimizer)
    start = random_point(problem, config, 1)
    path, point = path_of(problem, config, start), start
    for _ in range(7):
        gradient, point = reference.step(problem, config, point)
    place = path.after(7)
    assert np.array_equal(place.point.parameters, point.parameters)
    assert place.point.step == start.step + 7
    costs, _ = path.costs(6, 7, STABLE)
    assert costs.tolist() == [gradient.J]


@given(st.integers(0, 2**32), st.integers(2, 60), st.integers(1, 12))
@settings(max_examples=50, deadline=None)
def test_descent_brings_no_two_points_further_apart(seed, m, n):
    problem, config = a_case(m, n)
    config = replace(config, optimizer=GD(learning_rate=1.99 / curvature(problem, config)))
    points = [random_point(problem, config, seed + k) for k in range(2)]
    apart = np.linalg.norm(points[0].parameters - points[1].parameters)
    for _ in range(20):
        points = [reference.step(problem, config, point)[1] for point in points]
        after = np.linalg.norm(points[0].parameters - points[1].parameters)
        assert after <= apart * (1.0 + 1e-12)
        apart = after


@given(st.integers(0, 2**32), st.integers(1, 80))
@settings(max_examples=40, deadline=None)
def test_a_walk_whose_steps_are_off_by_their_bounds_stays_within_the_drift(seed, steps):
    """The worst that an honest row may do: every step off by its whole bound, in some direction."""
    problem, config = a_case(37, 6, "float32")
    random, start = np.random.default_rng(seed), random_point(problem, config, seed)
    path, point = path_of(problem, config, start), start
    for k in range(steps):
        _, after = reference.step(problem, config, point)
        off = random.choice([-1.0, 1.0], 7)
        off *= (path.after(k + 1).drift[STABLE] - path.after(k).drift[STABLE]) / np.linalg.norm(off)
        parameters = after.parameters + off
        point = replace(after, w=parameters[:-1], b=float(parameters[-1]))
    place = path.after(steps)
    assert np.linalg.norm(point.parameters - place.point.parameters) <= place.drift[STABLE] * (1.0 + 1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "n"), [(1, 1), (1000, 20), (569, 30), (20_000, 50)])
def test_every_part_of_a_round_moves_further_than_the_drift(m, n, dtype):
    """So that no part of the work could be missing unseen: neither at the start nor at the end, where steps shorten."""
    problem, config = a_case(m, n, dtype)
    most = min(Case(op=Op.STEP, dtype=dtype, m=m, n=n).most_steps, 1500)
    path = path_of(problem, config, random_point(problem, config, 3))
    end, share = path.after(most), max(1, most // 20)
    for first in range(0, most - share + 1, share):
        moved = path.places[first + share].point.parameters - path.places[first].point.parameters
        assert np.linalg.norm(moved) > end.drift[STABLE], (first, most)
