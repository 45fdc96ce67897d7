"""The bound of an update: what it carries on from the gradient, what it rounds itself, and its cap."""

import math
from dataclasses import replace

import numpy as np
import pytest

from expectations import ADAM, STABLE, an_update
from stepkernels import GD, Adam, Config, synthetic_problem
from stepkernels.agreement import UPDATE_FIELDS, C, expect_step, expect_update
from stepkernels.problem import unit_roundoff
from stepkernels.reference import Gradient, Point

TINY32 = float(np.finfo(np.float32).tiny)


def test_descent_carries_the_error_of_the_gradient():
    value, bound = an_update(GD(learning_rate=0.25), δg=1e-3)["w"]
    assert value == 1.0 - 0.25 * 0.5
    assert bound == pytest.approx(0.25e-3, rel=1e-9)


def test_descent_alone_is_held_to_a_few_roundings():
    u = unit_roundoff("float32")
    assert an_update(GD(learning_rate=1.0), "float32")["w"].bound <= 7 * u
    assert an_update(GD(learning_rate=1e-9), "float32", w=8.0)["w"].bound == pytest.approx(
        C * u * 8.0, rel=1e-3, abs=0.0
    )
    assert an_update(GD())["moment1"].bound.max() == np.finfo(float).tiny


@pytest.mark.parametrize(
    ("optimizer", "g"),
    [
        (GD(learning_rate=0.5), 1.5 * TINY32),
        (replace(ADAM, learning_rate=0.5, beta1=0.9), 7.5 * TINY32),
        (replace(ADAM, learning_rate=0.75 * TINY32), 100.0),
    ],
)
def test_an_update_too_small_to_be_normal_may_be_flushed_but_no_larger_one(optimizer, g):
    """Here lr·g, the first moment, or Adam's change is 3/4 of the smallest normal number; or else all is zero."""
    flushed, nothing = (an_update(optimizer, "float32", g=gradient, w=0.0) for gradient in (g, 0.0))
    assert 0.0 < abs(flushed["w"].value) <= flushed["w"].bound < 1e6 * TINY32
    assert (nothing["w"].bound >= TINY32).all()
    assert (nothing["w"].bound < 1e6 * TINY32).all()


def test_moments_carry_the_error_of_the_gradient():
    after = an_update(ADAM, δg=1e-3)
    np.testing.assert_allclose(after["moment1"].bound, 0.2e-3, rtol=1e-9)
    np.testing.assert_allclose(after["moment2"].bound, 0.05 * (2 * 0.5 + 1e-3) * 1e-3, rtol=1e-9)


def test_adam_amplifies_where_the_gradient_vanishes():
    """g = 10⁻⁶ ± 10⁻⁶: after the correction the sign of the step is unknown, and no more than the step."""
    vanishing = an_update(replace(ADAM, epsilon=1e-12), g=1e-6, δg=1e-6)["w"]
    assert 0.05 < vanishing.bound < 0.5
    safe = an_update(ADAM, g=0.5, δg=1e-6)["w"]
    assert safe.bound < 1e-6


def test_a_root_below_its_own_error_errs_by_the_root_of_that_error():
    """From zero moments, with g = 0.01 ± 0.1: v̂ = g² is known to (2g + δg)·δg; ε = 1 keeps the step small."""
    bound = an_update(replace(ADAM, epsilon=1.0), g=0.01, δg=0.1)["w"].bound
    change, δroot = 0.1 * 0.01 / 1.01, math.sqrt((2 * 0.01 + 0.1) * 0.1)
    assert bound == pytest.approx(0.1 * 0.1 + change * δroot, rel=1e-9, abs=0.0)


def test_no_change_is_larger_than_adam_can_make():
    """From zero moments the first change is at most lr; its bound is capped near twice that."""
    bound = an_update(replace(ADAM, epsilon=1e-30), g=1e-20, δg=1.0)["w"].bound
    assert bound == pytest.approx(0.2, rel=0.01)


def test_the_cap_knows_the_moments_before():
    """Large first moments on small second ones allow larger changes than a first step could make."""
    adam = replace(ADAM, epsilon=1e-30)
    largest = an_update(adam, g=1e-20, δg=1.0, moment1=1e-3, moment2=1e-10, step=7)["w"].bound
    assert largest > 1.0
    assert np.isfinite(an_update(adam, g=0.0, δg=1.0, moment1=1e-30, moment2=0.0, step=7)["w"].bound).all()


def test_rounded_betas_and_corrections_are_honest():
    """β2 = 0.999 in float32 moves the second moment's share of g² by 6·10⁻⁵; in float64, 1 − β² costs 500 u."""
    adam = Adam(learning_rate=0.1, beta1=0.9, beta2=0.999, epsilon=1e-8)
    share = (1 - np.float64(np.float32(0.999))) / (1 - 0.999)
    after = an_update(adam, "float32")
    assert abs(after["moment2"].value[0] * (share - 1)) < after["moment2"].bound[0]
    early, late = (an_update(adam, w=0.0, step=step)["w"] for step in (1, 20_000))
    assert early.bound / abs(early.value) > 500 * unit_roundoff("float64")
    assert early.bound / abs(early.value) > 2 * late.bound / abs(late.value)


def test_interpolated_moments_are_honest():
    """m + (1 − β)(g − m) rounds m, even where β is 0 and m should be forgotten."""
    after = an_update(replace(ADAM, beta1=0.0), "float32", moment1=10.0, moment2=100.0, step=3)
    assert (after["moment1"].bound > unit_roundoff("float32") * 10.0).all()


def test_an_update_alone_is_judged_more_sharply_than_with_its_gradient():
    problem, config = synthetic_problem(500, 3, "float32"), Config(dtype="float32", optimizer=ADAM)
    point = Point.start(problem)
    whole = expect_step(problem, config, point, STABLE)
    gradient = Gradient(J=0.0, gw=whole["gw"].value, gb=float(whole["gb"].value))
    alone = expect_update(config, point, gradient)
    assert set(alone) == set(UPDATE_FIELDS)
    assert (alone["w"].bound < whole["w"].bound).all()
