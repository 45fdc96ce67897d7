"""The truth: against 50 digits, closed forms and differences, where margins are ordinary and where they are extreme."""

import math

import mpmath
import numpy as np
import pytest

from stepbench.checking import scenes
from stepkernels import GD, Adam, Config, Problem, reference, synthetic_problem
from stepkernels.agreement import TRUTH
from stepkernels.agreement.bounds import gradient_bounds
from stepkernels.reference import Gradient, Point

# 1×1; one row; one column; fewer rows than columns and the reverse.
SHAPES = ((1, 1), (1, 7), (9, 1), (5, 11), (13, 4))


def precise_gradient(problem, w, b, l2):
    """J, gw and gb with 50 digits, from the definitions."""
    with mpmath.workdps(50):
        m, n = problem.X.shape
        X = [[mpmath.mpf(float(x)) for x in row] for row in problem.X]
        w, b, l2 = [mpmath.mpf(float(v)) for v in w], mpmath.mpf(b), mpmath.mpf(l2)
        J, gw, gb = mpmath.mpf(0), [mpmath.mpf(0)] * n, mpmath.mpf(0)
        for x, y in zip(X, problem.y, strict=True):
            z = mpmath.fdot(x, w) + b
            t = (1 - 2 * int(y)) * z
            J += mpmath.log1p(mpmath.exp(t)) if t < 0 else t + mpmath.log1p(mpmath.exp(-t))
            r = (1 - 2 * int(y)) / (1 + mpmath.exp(-t))
            gw = [g + r * value for g, value in zip(gw, x, strict=True)]
            gb += r
        J = J / m + l2 / 2 * mpmath.fdot(w, w)
        return J, [g / m + l2 * v for g, v in zip(gw, w, strict=True)], gb / m


def assert_within_its_own_bound(problem, l2=0.3):
    point = Point.start(problem)
    truth = reference.gradient(problem, point.w, point.b, l2)
    bound = gradient_bounds(problem, l2, point, [TRUTH])[0]
    J, gw, gb = precise_gradient(problem, point.w, point.b, l2)
    smallest = np.finfo(float).tiny  # of 50 digits, some are of numbers that no float64 can hold
    for value, exact, allowed in zip(
        [truth.J, truth.gb, *truth.gw], [J, gb, *gw], [bound.J, bound.gb, *bound.gw], strict=True
    ):
        assert abs(mpmath.mpf(float(value)) - exact) <= allowed + smallest


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", scenes.KINDS)
def test_gradient_has_the_digits_it_claims(kind, shape, dtype):
    random = np.random.default_rng([*kind.encode(), *shape])
    assert_within_its_own_bound(scenes.scene(kind, *shape, dtype, random).problem)


@pytest.mark.parametrize("z", scenes.MARGINS)
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_single_margin_has_the_digits_it_claims(z, label):
    assert_within_its_own_bound(Problem([[1.0]], [label], [z]), l2=0.0)


def test_subnormal_features():
    assert_within_its_own_bound(Problem(np.array([[5e-324, 1.0], [1e-310, -2.0]]), [0, 1], [1e3, 0.5], 0.1))


@pytest.mark.parametrize("t", [0.0, 1e-300, 0.5, 20.0, 36.8, 709.9, 1e4, 1e308])
def test_softplus_and_sigmoid_are_mirrors(t):
    """softplus(t) − softplus(−t) = t and σ(t) + σ(−t) = 1, and neither overflows."""
    plus, minus = reference.softplus(np.array([t, -t]))
    assert plus - minus == pytest.approx(t, rel=1e-15)
    assert reference.sigmoid(np.array([t, -t])).sum() == pytest.approx(1.0, rel=1e-15)
    assert math.isfinite(plus)


def test_at_zero_nothing_is_known():
    """w = 0: every p is ½, and J is log 2 whatever the data."""
    problem = synthetic_problem(17, 3)
    _, p, J = reference.forward(problem, np.zeros(3), 0.0)
    assert (p == 0.5).all()
    assert pytest.approx(math.log(2.0), rel=1e-15) == J


def test_forward_and_gradient_agree_on_the_cost():
    problem = synthetic_problem(29, 5)
    w = np.linspace(-1.0, 2.0, 5)
    assert reference.forward(problem, w, 0.3, l2=0.7)[2] == pytest.approx(
        reference.gradient(problem, w, 0.3, l2=0.7).J, rel=1e-15
    )


def test_gradient_is_the_difference_of_the_cost():
    """Fourth order: (8(J₊₁ − J₋₁) − (J₊₂ − J₋₂)) / 12h."""
    problem, h, l2 = synthetic_problem(23, 4, seed=3), 1e-3, 0.2
    parameters = np.array([0.4, -1.2, 0.1, 0.9, 0.3])

    def cost(direction, steps):
        moved = parameters + steps * h * direction
        return reference.gradient(problem, moved[:-1], moved[-1], l2).J

    gradient = reference.gradient(problem, parameters[:-1], parameters[-1], l2).packed
    for direction, expected in zip(np.eye(5), gradient, strict=True):
        near, far = (cost(direction, k) - cost(direction, -k) for k in (1, 2))
        difference = (8 * near - far) / (12 * h)
        assert difference == pytest.approx(expected, abs=1e-11)


def test_blocks_of_rows_change_only_rounding(monkeypatch):
    problem = synthetic_problem(101, 3)
    w = np.array([1.0, -2.0, 0.5])
    whole = reference.gradient(problem, w, 0.1)
    monkeypatch.setattr(reference, "BLOCK_ELEMENTS", 7)
    assert len(list(reference.row_blocks(problem))) == 51
    blocks = reference.gradient(problem, w, 0.1)
    np.testing.assert_allclose(blocks.packed, whole.packed, rtol=1e-13)
    assert pytest.approx(whole.J, rel=1e-13) == blocks.J
    np.testing.assert_array_equal(reference.forward(problem, w, 0.1)[0], problem.X @ w + 0.1)


def test_a_gradient_step_by_hand():
    point = Point(w=np.array([1.0, 2.0]), b=3.0, moment1=np.zeros(3), moment2=np.zeros(3), step=4)
    after = reference.update(point, Gradient(J=0.0, gw=np.array([10.0, -10.0]), gb=5.0), GD(learning_rate=0.1))
    np.testing.assert_allclose(after.parameters, [0.0, 3.0, 2.5], rtol=1e-15)
    assert after.step == 5
    assert not after.moment1.any()


def test_an_adam_step_by_hand():
    """m = 0.9·1 + 0.1·2 = 1.1 and v = 0.75·2 + 0.25·4 = 2.5, at step 2: corrections 0.19 and 0.4375."""
    adam = Adam(learning_rate=0.5, beta1=0.9, beta2=0.75, epsilon=0.25)
    point = Point(w=np.array([1.0]), b=1.0, moment1=np.ones(2), moment2=np.full(2, 2.0), step=1)
    after = reference.update(point, Gradient(J=0.0, gw=np.array([2.0]), gb=2.0), adam)
    np.testing.assert_allclose(after.moment1, 1.1, rtol=1e-15)
    np.testing.assert_allclose(after.moment2, 2.5, rtol=1e-15)
    change = 0.5 * (1.1 / 0.19) / (math.sqrt(2.5 / 0.4375) + 0.25)
    np.testing.assert_allclose(after.parameters, 1.0 - change, rtol=1e-14)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999, 1.0 - 1e-12])
@pytest.mark.parametrize("step", [1, 2, 1000, 10**7])
def test_bias_corrections_keep_their_digits(beta, step):
    with mpmath.workdps(50):
        exact = 1 - mpmath.mpf(beta) ** step
    assert Adam(beta1=beta, beta2=beta).bias_corrections(step) == pytest.approx([float(exact)] * 2, rel=1e-14)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 1.0 - 1e-12])
@pytest.mark.parametrize("first_step", [1, 10**9])
def test_a_correction_table_has_the_bits_of_its_corrections(beta, first_step):
    """As many as a training takes: functions that differ in one last place of a thousand would be found."""
    adam = Adam(beta1=beta)
    table = adam.correction_table(first_step, 5000)
    assert table.dtype == np.float64
    np.testing.assert_array_equal(table, [adam.bias_corrections(first_step + k) for k in range(5000)])


def test_a_correction_table_of_no_steps_is_empty():
    assert Adam().correction_table(1, 0).shape == (0, 2)


def test_step_is_gradient_then_update():
    problem, config = synthetic_problem(11, 2), Config(optimizer=Adam(), l2=0.5)
    gradient, after = reference.step(problem, config, Point.start(problem))
    assert gradient.J == reference.gradient(problem, np.zeros(2), 0.0, 0.5).J
    np.testing.assert_array_equal(after.parameters, reference.update(Point.start(problem), gradient, Adam()).parameters)


def test_a_point_rounds_to_what_a_row_can_hold():
    point = Point(w=np.array([0.1]), b=0.2, moment1=np.full(2, 0.3), moment2=np.full(2, 0.4), step=9).astype("float32")
    assert point.w[0] == float(np.float32(0.1)) != 0.1
    assert (point.b, point.step) == (float(np.float32(0.2)), 9)
    assert point.moment1[0] == np.float32(0.3)
    assert point.moment2[1] == np.float32(0.4)


def test_a_start_has_taken_no_step_and_a_penalty_is_asked_for():
    problem = Problem([[1.0, 2.0]], [1], [0.5, 0.25], -1.0)
    start = Point.start(problem)
    assert (start.step, start.b) == (0, -1.0)
    np.testing.assert_array_equal(start.w, [0.5, 0.25])
    assert reference.gradient(problem, start.w, 0.0).J == reference.gradient(problem, start.w, 0.0, 0.0).J
    assert reference.forward(problem, start.w, 0.0)[2] == reference.forward(problem, start.w, 0.0, 0.0)[2]


def test_points_and_gradients_are_not_changed():
    start = Point.start(synthetic_problem(2, 1))
    with pytest.raises(AttributeError):
        start.step = 1
