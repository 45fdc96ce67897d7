"""The bound of a gradient: as wide as honest rounding, no wider, every term of it needed."""

import math

import numpy as np
import pytest

from expectations import ADAM, expected
from stepkernels import Config, Problem, synthetic_problem
from stepkernels.agreement import STEP_FIELDS, C, Traits, expect_step, expect_steps
from stepkernels.problem import unit_roundoff
from stepkernels.reference import Point


def test_bounds_are_positive_finite_and_shaped_like_their_values():
    problem = Problem(np.array([[0.0, 1e8], [0.0, -1e-8]], np.float32), [0, 1])
    for name, (value, bound) in expected(problem, [1.0, 1e4], b=-3.0, optimizer=ADAM).items():
        assert value.shape == bound.shape, name
        assert (bound > 0).all(), name
        assert np.isfinite(bound).all(), name


def test_several_traits_from_one_pass_are_those_from_several():
    problem, config = synthetic_problem(31, 4, "float32"), Config(dtype="float32", l2=0.1)
    wanted = [Traits(a, r) for a in ("blocked", "sequential") for r in ("stable", "difference")]
    together = expect_steps(problem, config, Point.start(problem), wanted)
    assert list(together) == wanted
    for traits, expectation in together.items():
        alone = expect_step(problem, config, Point.start(problem), traits)
        for name in STEP_FIELDS:
            np.testing.assert_array_equal(expectation[name].bound, alone[name].bound)


def test_float32_is_given_u_of_float32():
    wide = expected(synthetic_problem(20, 3, "float32"), np.ones(3))
    narrow = expected(synthetic_problem(20, 3, "float32").astype("float64"), np.ones(3))
    assert wide["J"].bound / narrow["J"].bound == pytest.approx(
        unit_roundoff("float32") / unit_roundoff("float64") / 2, rel=0.01
    )


def test_sums_grow_as_declared():
    """Of m equal residuals, the sum errs by C·u·√m or C·u·m of its size, beyond what each residual errs by."""
    m = 4096
    problem = Problem(np.ones((m, 1), np.float32), np.zeros(m, np.float32))
    blocked = expected(problem, [0.0])["gb"].bound
    sequential = expected(problem, [0.0], traits=Traits("sequential", "stable"))["gb"].bound
    u = unit_roundoff("float32")
    assert blocked == pytest.approx(C * u * (64 + 1) * 0.5, rel=1e-3)
    assert sequential == pytest.approx(C * u * (4096 + 1) * 0.5, rel=1e-3)


def test_a_running_sum_may_take_the_penalty_in():
    """m + n terms of like size: J errs by their number, gw by one more than its rows, of all that is summed."""
    m, u = 8, unit_roundoff("float32")
    problem = Problem(np.zeros((m, 3), np.float32), np.zeros(m))
    running = expected(problem, [100.0, 0.0, 10.0], l2=1.0, traits=Traits("sequential", "stable"))
    blocked = expected(problem, [100.0, 0.0, 10.0], l2=1.0)
    penalty = 0.5 * (100.0**2 + 10.0**2)
    assert running["J"].bound == pytest.approx(C * u * (m + 2) * (penalty + math.log(2)), rel=1e-5)
    assert blocked["J"].bound == pytest.approx((C + 3) * u * penalty, rel=1e-3)
    assert running["gw"].bound == pytest.approx(blocked["gw"].bound)  # of no row, and one term of the penalty
    alike = Problem(np.ones((m, 1), np.float32), np.zeros(m))
    gw = expected(alike, [1e-3], l2=1e4, traits=Traits("sequential", "stable"))["gw"].bound
    assert gw == pytest.approx(C * u * ((m + 1) * (0.5 + 10.0) + 0.5), rel=1e-2)


def test_zeros_are_not_summed():
    """Adding a zero rounds nothing: a column with one entry is judged as a sum of one."""
    X = np.zeros((4096, 1), np.float32)
    X[17] = 1.0
    bound = expected(Problem(X, np.zeros(4096)), [0.0])["gw"].bound
    assert bound == pytest.approx(C * unit_roundoff("float32") * 2 * 0.5 / 4096, rel=1e-3, abs=0.0)


@pytest.mark.parametrize(("z", "label"), [(-60.0, 0.0), (60.0, 1.0)])
def test_a_confident_row_must_keep_its_own_digits(z, label):
    """Both tails alike: r = e⁻⁶⁰ is known to a few times 60 u, unless the row declares a difference."""
    problem = Problem([[z]], [label])
    stable = expected(problem, [1.0])
    value, bound = stable["gb"]
    assert abs(bound / value) < 500 * 60 * unit_roundoff("float64")
    value, bound = stable["J"]
    assert bound / value < 500 * 60 * unit_roundoff("float64")
    difference = expected(problem, [1.0], traits=Traits("blocked", "difference"))
    assert difference["J"].bound > 60 * unit_roundoff("float64")
    assert bool(difference["gb"].bound > unit_roundoff("float64")) is (label == 1.0)


def test_an_error_of_the_margin_is_carried_through():
    """w·x of two large terms that cancel: z is lost, and with it the residual, but by no more than σ can change."""
    problem = Problem(np.array([[1e6, -1e6]], np.float32), [0])
    gb = expected(problem, [1.0, 1.0])["gb"]
    assert 0.05 < gb.bound < 1.0
    saturated = expected(problem, [1.0, -1.0])["gb"]
    assert saturated.bound < 1e-5


def test_a_bound_stays_finite_where_its_stretch_would_overflow():
    problem = Problem(np.array([[1e30, -1e30]], np.float32), [0])
    assert all(np.isfinite(bound).all() for _, bound in expected(problem, [1.0, 1.0]).values())


def test_no_residual_errs_by_more_than_its_slope_and_no_loss_by_more_than_its_margin():
    """δz of 3·10⁵: σ changes by at most a quarter of it, softplus by no more than all of it."""
    x = 2.0**40
    expectation = expected(Problem(np.array([[x, -x]], np.float32), [0]), [1.0, 1.0])
    δz = 4 * unit_roundoff("float32") * math.sqrt(3) * 2 * x
    assert expectation["gb"].bound == pytest.approx(δz / 4, rel=1e-4)
    assert expectation["J"].bound == pytest.approx(δz, rel=1e-4)


def test_the_penalty_has_a_bound_of_its_own():
    problem = Problem(np.zeros((1, 100)), [0])
    with_penalty, without = (expected(problem, np.ones(100), l2=l2) for l2 in (1.0, 0.0))
    u = unit_roundoff("float64")
    assert with_penalty["J"].bound - without["J"].bound == pytest.approx(2 * (C + 100) * u * 50.0, rel=1e-6, abs=0.0)
    np.testing.assert_allclose(with_penalty["gw"].bound, 2 * C * u, rtol=1e-6)
    assert with_penalty["gb"].bound == without["gb"].bound


def test_subnormals_may_be_flushed():
    tiny = np.finfo(np.float32).tiny
    problem = Problem(np.array([[-95.0]] * 50, np.float32), np.zeros(50))
    assert expected(problem, [1.0])["gb"].bound > tiny
    assert expected(problem, [1.0])["J"].bound > tiny


def test_a_residual_may_be_flushed_before_it_meets_a_large_entry():
    """r = e⁻⁹⁵ is below the smallest normal number of float32, and 10⁴ times r is not."""
    value, bound = expected(Problem(np.array([[-95.0, 1e4]], np.float32), [0]), [1.0, 0.0])["gw"]
    assert np.finfo(np.float32).tiny < value[1] <= bound[1]
