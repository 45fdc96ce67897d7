"""Weights of the rows of a problem, for every row of the catalogue that takes them: a 2 is a row twice, a 0 none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepkernels import GD, Adam, Config, Op, Problem, ProblemError, reference, synthetic_problem
from stepkernels.agreement import STEP_FIELDS, Traits, compare, expect_step
from stepkernels.catalog import CATALOG
from stepkernels.problem import safe_learning_rate
from stepkernels.reference import Point

ADAM = Adam(learning_rate=0.02, beta1=0.8, beta2=0.99, epsilon=1e-4)

# 1×1; fewer rows than a vector; an odd width; more rows than a block, and than tiles leave row-major.
SHAPES = ((1, 1), (5, 3), (33, 7), (300, 30), (1031, 5))

every = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def weighing(row):
    if not row.weights:
        pytest.skip(f"{row.name} declares that it takes no weights")
    return row


def drawn(m: int, n: int, dtype: str, seed: int = 0, scale: float = 1.0) -> Problem:
    """Data with margins of every size from a start of its own, a third of the rows left out, others up to 10⁶ times."""
    random = np.random.default_rng([seed, m, n])
    plain = synthetic_problem(m, n, dtype, seed)
    X = plain.X * np.linspace(0.1, scale, m, dtype=dtype)[:, None]
    weights = np.where(random.random(m) < 1 / 3, 0.0, 10.0 ** random.uniform(-3, 3, m))
    weights[-1] = 2.5
    return Problem(X, plain.y, random.standard_normal(n), 0.3, weights)


def configurations(row):
    for dtype in row.dtypes:
        for optimizer in (GD(learning_rate=0.05), ADAM):
            for l2 in (0.0, 0.125):
                yield Config(dtype=dtype, optimizer=optimizer, l2=l2)


def assert_agrees(row, problem, config, workspace, take):
    before = Point.of(workspace.snapshot())
    take()
    agreement = compare(
        workspace.snapshot(), expect_step(problem, config, before, Traits.of(row)), config.dtype, STEP_FIELDS
    )
    assert agreement.agrees, f"{row.name} {problem.X.shape} {config}: {agreement.reason}"


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_weighted_step_agrees_with_the_truth(weighing, shape):
    """As a step, as a gradient and an update, and as a training of one step, each within the one bound."""
    for config in configurations(weighing):
        for scale in (1.0, 3000.0):
            problem = drawn(*shape, config.dtype, scale=scale)
            workspace = weighing.bind(problem, config)
            halves = lambda workspace=workspace: (workspace.gradient(), workspace.update())  # noqa: E731
            ways = [workspace.step, halves, workspace.step]
            if Op.TRAIN in weighing.ops:
                ways.append(lambda workspace=workspace: workspace.train(1))
            for take in ways:
                assert_agrees(weighing, problem, config, workspace, take)


@st.composite
def counted(draw):
    """Any problem up to 9 × 4, and how often each row is there: zero to four times, once at least for one."""
    m, n = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    entries = st.floats(-50.0, 50.0, allow_subnormal=False)
    X = draw(st.lists(st.lists(entries, min_size=n, max_size=n), min_size=m, max_size=m))
    y = draw(st.lists(st.integers(0, 1), min_size=m, max_size=m))
    w = draw(st.lists(st.floats(-3.0, 3.0), min_size=n, max_size=n))
    counts = draw(st.lists(st.integers(0, 4), min_size=m, max_size=m).filter(any))
    return Problem(X, y, w, draw(st.floats(-3.0, 3.0))), np.array(counts)


def repeated(problem: Problem, counts: np.ndarray) -> Problem:
    return Problem(problem.X.repeat(counts, axis=0), problem.y.repeat(counts), problem.w0, problem.b0)


def weighted(problem: Problem, weights: object, total: float | None = None) -> Problem:
    return Problem(problem.X, problem.y, problem.w0, problem.b0, weights, total)


def step_of(row, problem, config):
    workspace = row.bind(problem, config)
    workspace.step()
    return workspace.snapshot(), expect_step(problem, config, Point.start(problem), Traits.of(row))


@every
@given(data=counted(), dtype=st.sampled_from(["float32", "float64"]))
def test_a_weight_of_two_is_the_row_twice_and_of_zero_the_row_left_out(weighing, data, dtype):
    problem, counts = data
    problem, config = problem.astype(dtype), Config(dtype=dtype, l2=0.125)
    (a, δa), (b, δb) = (
        step_of(weighing, each, config) for each in (weighted(problem, counts), repeated(problem, counts))
    )
    for name in STEP_FIELDS:
        difference = np.abs(getattr(a, name).astype(float) - getattr(b, name))
        assert (difference <= δa[name].bound + δb[name].bound).all(), name


@every
@given(data=counted(), scale=st.sampled_from([1e-300, 1e-9, 3.0, 1e300]))
def test_only_the_ratios_of_weights_count(weighing, data, scale):
    problem, counts = data
    config = Config(dtype="float32", l2=0.125)
    problem = problem.astype("float32")
    (a, δ), (b, _) = (step_of(weighing, weighted(problem, each), config) for each in (counts, counts * scale))
    for name in STEP_FIELDS:
        assert (np.abs(getattr(a, name).astype(float) - getattr(b, name)) <= 2 * δ[name].bound).all(), name


def test_a_block_without_any_weight_is_its_penalty(weighing):
    """Of a larger problem: what its sums are divided by is that problem's."""
    problem = weighted(drawn(7, 3, "float64"), np.zeros(7), total=3.5)
    snapshot, _ = step_of(weighing, problem, Config(l2=0.5))
    assert pytest.approx(0.25 * float(problem.w0 @ problem.w0)) == snapshot.J
    np.testing.assert_allclose(snapshot.gw, 0.5 * problem.w0, rtol=1e-15)
    assert snapshot.gb == 0.0


def test_training_with_weights_is_as_many_steps(weighing):
    if Op.TRAIN not in weighing.ops:
        pytest.skip(f"{weighing.name} has no train")
    for m in (200, 20_000):  # one thread, and where there are more a pool and a team
        problem, config = drawn(m, 11, "float64"), Config(optimizer=ADAM, l2=0.1)
        together, singly = weighing.bind(problem, config), weighing.bind(problem, config)
        together.train(150)
        for _ in range(150):
            singly.step()
        np.testing.assert_array_equal(together.snapshot().w, singly.snapshot().w)


def test_a_row_that_takes_no_weights_refuses_them(row):
    if row.weights:
        pytest.skip(f"{row.name} takes weights")
    with pytest.raises(ProblemError, match=f"{row.name} takes no weights; .*numba-fused"):
        row.bind(drawn(5, 3, "float64"), Config())


def test_the_rows_that_auto_takes_and_the_array_rows_take_weights():
    assert all(row.weights for row in CATALOG.values() if row.auto_from is not None or row.module.endswith("_manual"))
    assert CATALOG["cupy-arrays"].weights
    assert CATALOG["numpy-blas-fortran"].weights


def test_the_reference_weighs_as_it_repeats():
    problem, counts = drawn(40, 4, "float64"), np.arange(40) % 4
    at = [
        reference.gradient(each, each.w0, each.b0, 0.1)
        for each in (weighted(problem, counts), repeated(problem, counts))
    ]
    np.testing.assert_allclose(at[0].packed, at[1].packed, rtol=1e-12)
    assert pytest.approx(at[1].J, rel=1e-13) == at[0].J
    assert reference.forward(weighted(problem, counts), problem.w0, 0.3, 0.1)[2] == pytest.approx(at[1].J, rel=1e-13)


def test_a_bound_sees_one_weight_that_is_forgotten():
    problem = drawn(33, 7, "float64")
    forgetful = weighted(problem, np.where(np.arange(33) == 32, 0.0, problem.weights), problem.total_weight)
    snapshot, _ = step_of(CATALOG["numpy-blas"], forgetful, Config())
    expected = expect_step(problem, Config(), Point.start(problem), Traits("blocked", "stable"))
    assert compare(snapshot, expected, "float64").worst > 100


def test_a_learning_rate_stays_safe_with_weights():
    problem = drawn(60, 5, "float64", scale=10.0)
    s = problem.relative_weights("float64")
    design = np.column_stack([problem.X, np.ones(60)])
    largest = np.linalg.eigvalsh((design.T * s) @ design / 60)[-1] / 4 + 0.1
    assert 0.05 / largest < safe_learning_rate(problem, 0.1) < 1 / largest


BAD_WEIGHTS = {
    "negative": ([1.0, -1.0, 1.0], "weights contains -1; a weight must be zero or a positive number."),
    "not a number": ([1.0, np.nan, 1.0], "weights contains NaN or infinity; every value must be finite."),
    "too few": ([1.0, 1.0], r"weights has shape \(2,\); X asks for \(3,\)."),
    "none at all": ([0.0, 0.0, 0.0], "weights sum to 0; their sum must be a positive number"),
    "too large a sum": ([1.7e308] * 3, "weights sum to inf; their sum must be a positive number"),
    "text": (["a", "b", "c"], "weights holds <U1 values; it must hold real numbers."),
}


@pytest.mark.parametrize(("weights", "sentence"), BAD_WEIGHTS.values(), ids=list(BAD_WEIGHTS))
def test_bad_weights_are_told_in_a_sentence(weights, sentence):
    with pytest.raises(ProblemError, match=sentence):
        Problem([[1.0], [2.0], [3.0]], [0, 1, 1], weights=weights)


def test_weights_are_read_only_and_outlive_a_change_of_type():
    problem = drawn(9, 2, "float64")
    with pytest.raises(ValueError, match="read-only"):
        problem.weights[0] = 7.0
    narrow = problem.astype("float32")
    np.testing.assert_array_equal(narrow.weights, problem.weights)
    assert narrow.relative_weights("float32").dtype == np.float32
    assert narrow.relative_weights("float64").mean() == pytest.approx(1.0)
    assert synthetic_problem(3, 1).relative_weights("float64") is None


def test_a_row_stored_before_weights_were_known_takes_none():
    row = CATALOG["numba-fused"]
    stored = {name: value for name, value in row.to_json().items() if name != "weights"}
    assert type(row).from_json(stored) == replace(row, weights=False)
