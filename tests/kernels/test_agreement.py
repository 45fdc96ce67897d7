"""The bound: as wide as honest rounding, no wider, every term of it needed; and the comparison that uses it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from stepkernels import GD, Adam, Config, Problem, Snapshot, synthetic_problem
from stepkernels.agreement import (
    STEP_FIELDS,
    UPDATE_FIELDS,
    C,
    Expected,
    Traits,
    compare,
    expect_step,
    expect_steps,
    expect_update,
    smallest_visible_change,
)
from stepkernels.problem import unit_roundoff
from stepkernels.reference import Gradient, Point

STABLE = Traits("blocked", "stable")
ADAM = Adam(learning_rate=0.1, beta1=0.8, beta2=0.95, epsilon=1e-3)
U32, U64, TINY32 = unit_roundoff("float32"), unit_roundoff("float64"), float(np.finfo(np.float32).tiny)


def snapshot_of(expectation, dtype="float64", **changes):
    values = {name: np.asarray(expectation[name].value, dtype) for name in STEP_FIELDS}
    return Snapshot(step=1, **(values | changes))


def expected(problem, w, b=0.0, traits=STABLE, **config):
    settings = Config(dtype=problem.dtype, **config)
    zeros = np.zeros(problem.n + 1)
    point = Point(w=np.asarray(w, float), b=b, moment1=zeros, moment2=zeros, step=0)
    return expect_step(problem, settings, point, traits)


# --- the comparison ---


@pytest.fixture
def expectation():
    return expected(synthetic_problem(9, 3), np.ones(3), optimizer=ADAM, l2=0.1)


def test_the_truth_agrees_with_itself(expectation):
    agreement = compare(snapshot_of(expectation), expectation, "float64")
    assert agreement.agrees
    assert agreement.worst == 0.0
    assert agreement.reason == ""
    assert set(agreement.errors) == set(STEP_FIELDS)


@pytest.mark.parametrize("field", STEP_FIELDS)
@pytest.mark.parametrize(("bounds", "agrees"), [(0.8, True), (-0.8, True), (1.25, False), (-1.25, False)])
def test_each_field_is_held_to_its_bound(expectation, field, bounds, agrees):
    value, bound = expectation[field]
    moved = np.array(value)
    moved.flat[-1] += bounds * np.asarray(bound).flat[-1]
    agreement = compare(snapshot_of(expectation, **{field: moved}), expectation, "float64")
    assert agreement.agrees is agrees
    assert agreement.worst == pytest.approx(abs(bounds), rel=0.1)
    assert agreement.worst_field == field
    assert (f"{field} is off by 1." in agreement.reason) is not agrees


def test_a_bound_is_the_last_error_that_agrees(expectation):
    at_bound = expectation | {"J": Expected(np.asarray(1.0), np.asarray(0.25))}
    for J, agrees in ((1.25, True), (0.75, True), (math.nextafter(1.25, 2.0), False)):
        agreement = compare(snapshot_of(expectation, J=np.asarray(J)), at_bound, "float64")
        assert agreement.agrees is agrees
        assert (agreement.reason == "") is agrees


def test_the_reason_names_no_field_that_is_within_its_bound(expectation):
    value, bound = expectation["J"]
    moved = {"J": value + 0.5 * bound, "b": expectation["b"].value + 3.0 * expectation["b"].bound}
    assert compare(snapshot_of(expectation, **moved), expectation, "float64").reason == "b is off by 3 bounds"


@pytest.mark.parametrize("field", STEP_FIELDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_never_agrees(expectation, field, value):
    spoilt = np.array(expectation[field].value)
    spoilt.flat[0] = value
    agreement = compare(snapshot_of(expectation, **{field: spoilt}), expectation, "float64")
    assert agreement.worst == np.inf
    assert not agreement.agrees


def test_a_wrong_shape_or_dtype_is_a_fault(expectation):
    reshaped = compare(snapshot_of(expectation, b=np.zeros(1)), expectation, "float64")
    assert reshaped.faults == ("b is float64 of shape (1,), not float64 of shape ()",)
    converted = compare(snapshot_of(expectation, "float32"), expectation, "float64")
    assert not converted.agrees
    assert len(converted.faults) == len(STEP_FIELDS)


def test_a_shorter_field_and_a_wider_type_are_faults_too():
    narrow = expected(synthetic_problem(9, 3, "float32"), np.ones(3))
    shorter = compare(snapshot_of(narrow, "float32", w=np.ones(2, np.float32)), narrow, "float32")
    assert shorter.faults == ("w is float32 of shape (2,), not float32 of shape (3,)",)
    wider = compare(snapshot_of(narrow, "float32", J=np.asarray(narrow["J"].value)), narrow, "float32")
    assert wider.faults == ("J is float64 of shape (), not float32 of shape ()",)


def test_only_the_fields_asked_for_are_judged(expectation):
    spoilt = snapshot_of(expectation, J=np.asarray(1e9))
    assert compare(spoilt, expectation, "float64", UPDATE_FIELDS).agrees
    assert not compare(spoilt, expectation, "float64", ("J",)).agrees


def test_smallest_visible_change_is_where_disagreement_begins(expectation):
    for name, change in smallest_visible_change(expectation).items():
        for part, agrees in ((0.7, True), (1.4, False)):
            scaled = snapshot_of(expectation, **{name: expectation[name].value * (1.0 + part * change)})
            assert compare(scaled, expectation, "float64").agrees is agrees, name


def test_zeros_are_left_out_of_a_relative_change():
    for sign in (1.0, -1.0):
        part = Expected(sign * np.array([0.0, 2.0, -1.0]), np.array([1e-9, 0.5, 0.1]))
        assert smallest_visible_change({"J": part, "gw": part, "gb": part})["gw"] == pytest.approx(0.1)


def test_a_field_of_zeros_shows_no_relative_change():
    zeros = Expected(np.zeros(2), np.ones(2))
    assert smallest_visible_change({"J": zeros, "gw": zeros, "gb": zeros})["gw"] == np.inf


# --- the bound ---


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


# --- the update ---


def an_update(optimizer, dtype="float64", g=0.5, w=1.0, moment1=0.0, moment2=0.0, step=0, δg=None):
    point = Point(w=np.array([w]), b=w, moment1=np.full(2, moment1), moment2=np.full(2, moment2), step=step)
    gradient = Gradient(J=0.0, gw=np.array([g]), gb=g)
    bound = None if δg is None else Gradient(J=0.0, gw=np.array([δg]), gb=δg)
    return expect_update(Config(dtype=dtype, optimizer=optimizer), point, gradient, bound)


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


# --- the bound again, written out for single numbers ---


def sigma(t):
    return 1.0 / (1.0 + math.exp(-t))


@pytest.mark.parametrize("difference", [False, True])
def test_the_bound_of_two_rows_by_hand(difference):
    """Rows (2, −1) and (0, 3) with w = (0.5, 0.25), b = 0.75, of class 0 and 1: margins 1.5 and −1.5."""
    problem = Problem(np.array([[2.0, -1.0], [0.0, 3.0]], np.float32), [0, 1])
    traits = Traits("blocked", "difference" if difference else "stable")
    expectation = expected(problem, [0.5, 0.25], b=0.75, traits=traits, l2=0.5)

    def by_hand(u, tiny, *, differs):
        δJ, δgw, δgb, total_r, total_loss, columns = 0.0, [0.0, 0.0], 0.0, 0.0, 0.0, [0.0, 0.0]
        for x, y, scale, terms in (((2.0, -1.0), 0, 2.0, 3), ((0.0, 3.0), 1, 1.5, 2)):
            z = 0.5 * x[0] + 0.25 * x[1] + 0.75
            t = (1 - 2 * y) * z
            r, loss = sigma(t), math.log1p(math.exp(t))
            δz = 4 * u * math.sqrt(terms) * scale
            δr = r * (1 - r) * math.exp(δz) * δz + 4 * u * r + (4 * u * sigma(z) if differs else 0.0) + 3 * tiny
            δJ += r * math.exp(δz) * δz + (4 * u * abs(z) if differs else 0.0)
            total_r, total_loss, δgb = total_r + r, total_loss + loss, δgb + δr
            columns = [c + r * abs(v) for c, v in zip(columns, x, strict=True)]
            δgw = [c + δr * abs(v) for c, v in zip(δgw, x, strict=True)]
        grown = [4 * u * math.sqrt(k) * c for k, c in zip((1, 2), columns, strict=True)]
        δgw = [(a + b) / 2 + 4 * u * 0.5 * w for a, b, w in zip(δgw, grown, (0.5, 0.25), strict=True)]
        penalty = 0.25 * (0.5**2 + 0.25**2)
        δJ = (δJ + 4 * u * math.sqrt(2) * total_loss) / 2 + (4 + 2) * u * penalty
        return δJ, δgw, (δgb + 4 * u * math.sqrt(2) * total_r) / 2

    row, truth = by_hand(U32, TINY32, differs=difference), by_hand(U64, 0.0, differs=False)
    assert expectation["J"].bound == pytest.approx(row[0] + truth[0], rel=1e-12, abs=0.0)
    assert expectation["gw"].bound == pytest.approx(
        [a + b for a, b in zip(row[1], truth[1], strict=True)], rel=1e-12, abs=0.0
    )
    assert expectation["gb"].bound == pytest.approx(row[2] + truth[2], rel=1e-12, abs=0.0)


def test_the_bound_of_a_descent_by_hand():
    point = Point(w=np.array([8.0, 1.0]), b=-2.0, moment1=np.zeros(3), moment2=np.zeros(3), step=0)
    gradient = Gradient(J=0.0, gw=np.array([3.0, 0.0]), gb=-5.0)
    bound = Gradient(J=0.0, gw=np.array([0.01, 0.0]), gb=0.02)
    after = expect_update(Config(dtype="float32", optimizer=GD(learning_rate=0.25)), point, gradient, bound)
    assert after["w"].bound[0] == pytest.approx(0.25 * (0.01 + 4 * U32 * 3.0) + 4 * U32 * 8.0, rel=1e-12, abs=0.0)
    assert after["w"].bound[1] == pytest.approx(4 * U32, rel=1e-12, abs=0.0)
    assert after["b"].bound == pytest.approx(0.25 * (0.02 + 4 * U32 * 5.0) + 4 * U32 * 2.0, rel=1e-12, abs=0.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1.0, 2.0**-9])
def test_the_bound_of_an_adam_update_by_hand(dtype, scale):
    """Update 3 with gradients −3 and 5, moments (2, −1) and (7, 4): every term of the derivation is of some size.

    And all of it smaller, where the root of the second moment is less than 1.
    """
    u = unit_roundoff(dtype)
    moment1, moment2 = scale * np.array([2.0, -1.0]), scale**2 * np.array([7.0, 4.0])
    point = Point(w=np.array([8.0]), b=-2.0, moment1=moment1, moment2=moment2, step=2)
    gradient = Gradient(J=0.0, gw=np.array([-3.0 * scale]), gb=5.0 * scale)
    bound = Gradient(J=0.0, gw=np.array([16 * u * scale]), gb=32 * u * scale)
    after = expect_update(Config(dtype=dtype, optimizer=ADAM), point, gradient, bound)
    c1, c2 = 1 - 0.8**3, 1 - 0.95**3
    for k, (name, before) in enumerate((("w", 8.0), ("b", 2.0))):
        g, δg = abs(gradient.packed[k]), bound.packed[k]
        old1, old2, signed = abs(point.moment1[k]), point.moment2[k], gradient.packed[k]
        δ1 = 0.2 * (δg + 4 * u * g) + 4 * u * old1 + u * 0.8 * (old1 + g)
        δ2 = 0.05 * (2 * g + δg) * δg + 4 * u * (old2 + 0.05 * g**2) + u * 0.95 * (old2 + g**2)
        assert after["moment1"].bound[k] == pytest.approx(δ1, rel=1e-9, abs=0.0)
        assert after["moment2"].bound[k] == pytest.approx(δ2, rel=1e-9, abs=0.0)
        moment1, moment2 = 0.8 * point.moment1[k] + 0.2 * signed, 0.95 * old2 + 0.05 * g**2
        root = math.sqrt(moment2 / c2)
        change = 0.1 * abs(moment1 / c1) / (root + 1e-3)
        δroot = δ2 / c2 / root
        lowest = root - δroot + 1e-3
        δcorrections = U64 * math.sqrt(3) * (0.8**3 / c1 + 0.95**3 / c2)
        δchange = (0.1 * δ1 / c1 + change * δroot) / lowest + 4 * (u + δcorrections) * change
        assert after[name].bound == pytest.approx(δchange + 4 * u * before, rel=1e-9, abs=0.0)


def test_the_cap_of_an_adam_update_by_hand():
    """A gradient known to nothing: lr·√c2/c1 times the largest ratio of the moments, and the change itself."""
    adam = replace(ADAM, epsilon=1e-30)
    point = Point(w=np.zeros(1), b=0.0, moment1=np.array([3e-3, 0.0]), moment2=np.array([4e-6, 0.0]), step=6)
    nothing = Gradient(J=0.0, gw=np.zeros(1), gb=1e-9)
    after = expect_update(Config(optimizer=adam), point, nothing, Gradient(J=0.0, gw=np.ones(1), gb=1.0))
    c1, c2 = 1 - 0.8**7, 1 - 0.95**7
    largest = 0.1 * math.sqrt(c2) / c1
    history = 0.8 * 3e-3 / math.sqrt(0.95 * 4e-6)
    ratio = math.hypot(history, 0.2 / math.sqrt(0.05))
    assert after["w"].bound == pytest.approx(largest * ratio + largest * history, rel=1e-6)
    first = 0.2 / math.sqrt(0.05)
    assert after["b"].bound == pytest.approx(2 * largest * first, rel=1e-6)


def test_corrections_in_float64_by_hand():
    """Where a float64 row changes much and holds little, the rounding of 1 − βᵗ is what decides."""
    adam = Adam(learning_rate=1.0, beta1=0.0, beta2=0.999, epsilon=1e-8)
    point = Point(w=np.zeros(1), b=0.0, moment1=np.zeros(2), moment2=np.array([1e-2, 1e-2]), step=3)
    gradient = Gradient(J=0.0, gw=np.ones(1), gb=1.0)
    bound = expect_update(Config(optimizer=adam), point, gradient)["w"].bound
    kept = 0.999**4
    change = 1.0 / (math.sqrt((0.999 * 1e-2 + 1e-3) / (1 - kept)) + 1e-8)
    assert bound > 4 * U64 * math.sqrt(4) * kept / (1 - kept) * change
    assert bound < 2 * 4 * U64 * math.sqrt(4) * kept / (1 - kept) * change
