"""The compiled truth is the reference, within the error that the reference itself is allowed, and so are its bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepbench.checking import scenes
from stepbench.proof import compiled_truth
from stepbench.proof.compiled_truth import CompiledTruth
from stepkernels.agreement import TRUTH, Traits
from stepkernels.agreement.bounds import Arithmetic
from stepkernels.agreement.expected import plain_truth
from stepkernels.problem import synthetic_problem
from stepkernels.reference import Point

ALL_TRAITS = [Traits(a, r) for a in ("blocked", "sequential") for r in ("stable", "difference")]


def both(problem, l2=1e-3, threads=2):
    """What the compiled and the plain truth say at the problem's start, with the bounds of all arithmetics."""
    arithmetics = [TRUTH, *(Arithmetic.of(each, problem.dtype) for each in ALL_TRAITS)]
    point = Point.start(problem)
    compiled = CompiledTruth(problem, threads)(problem, l2, point, arithmetics)
    return compiled, plain_truth(problem, l2, point, arithmetics)


def assert_same(compiled, plain):
    (truth, bounds), (expected, expected_bounds) = compiled, plain
    own = expected_bounds[0]
    for name in ("J", "gw", "gb"):
        assert np.all(np.abs(getattr(truth, name) - getattr(expected, name)) <= getattr(own, name)), name
    for bound, expected_bound in zip(bounds, expected_bounds, strict=True):
        for name in ("J", "gw", "gb"):
            np.testing.assert_allclose(getattr(bound, name), getattr(expected_bound, name), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", scenes.KINDS)
def test_it_agrees_with_the_reference_on_every_kind_of_data(kind, dtype):
    problem = scenes.scene(kind, 257, 33, dtype, np.random.default_rng(5)).problem
    assert_same(*both(problem))


@given(st.integers(1, 400), st.integers(1, 40), st.sampled_from(["float32", "float64"]), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_it_agrees_with_the_reference_at_any_shape(m, n, dtype, seed):
    problem = scenes.scene("ordinary data", m, n, dtype, np.random.default_rng(seed)).problem
    assert_same(*both(problem))


def test_threads_share_the_rows_and_change_nothing(monkeypatch):
    monkeypatch.setattr(compiled_truth, "SMALL", 1)
    assert_same(*both(synthetic_problem(1001, 7), threads=3))


def test_it_answers_for_its_own_problem_alone():
    problem, other = synthetic_problem(5, 3, seed=1), synthetic_problem(5, 3, seed=2)
    with pytest.raises(ValueError, match="another problem"):
        CompiledTruth(problem, 1)(other, 0.0, Point.start(other), [TRUTH])
