"""A case: what it costs at the very least, which rows it asks, and how it is configured."""

import pytest

from stepbench.cases.case import COLD, COLD_BYTES, ROUND_SECONDS, WARM, Case
from stepbench.cases.presets import Group, cases_of
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op
from stepkernels.problem import safe_learning_rate, synthetic_problem


def test_a_case_survives_its_json():
    (case,) = cases_of([Group(ops=[Op.TRAIN], sizes=["7x3"])], [1])
    assert Case.from_json(case.to_json()) == case


def test_least_cost_of_a_step_is_one_pass_over_x():
    step = Case(op=Op.STEP, dtype="float64", m=1000, n=100)
    assert step.bytes == pytest.approx(1000 * 100 * 8, rel=0.02)
    assert step.flops == pytest.approx(4 * 1000 * 100, rel=0.01)
    train = Case(op=Op.TRAIN, dtype="float32", m=1000, n=100, steps=10)
    assert train.bytes == pytest.approx(10 * step.bytes / 2)


def test_an_update_does_not_read_x():
    update = Case(op=Op.UPDATE, dtype="float64", m=1000, n=100)
    assert update.reads_x == 0
    assert update.bytes < 100 * 8 * 10


def test_a_cold_case_rotates_more_data_than_any_cache_holds():
    warm, cold = cases_of([Group(ops=[Op.STEP], sizes=["1000x20"])], [1], caches=[WARM, COLD])
    assert warm.copies == 1
    assert (cold.copies - 1) * cold.data_bytes >= COLD_BYTES
    assert warm.name != cold.name


def test_a_row_is_not_asked_beyond_its_work():
    loop = CATALOG["python-loop"]
    assert Case(op=Op.STEP, dtype="float64", m=1000, n=20).unsupported_by(loop) is None
    kind, reason = Case(op=Op.STEP, dtype="float64", m=10**6, n=20).unsupported_by(loop)
    assert kind == "too-much-work"
    assert "20,000,000" in reason


@pytest.mark.parametrize(("m", "n"), [(1, 1), (200, 5), (1000, 20), (100_000, 100)])
def test_timed_learning_rate_is_below_one_over_curvature_and_does_not_arrive_in_a_round(m, n):
    case = Case(op=Op.STEP, dtype="float64", m=m, n=n)
    problem = synthetic_problem(m, n)
    rate, safe = case.config(problem).optimizer.learning_rate, safe_learning_rate(problem, case.config(problem).l2)
    assert 0.0 < rate <= safe
    assert rate * case.most_steps <= max(2.0 * (n + 1), 1.0) * safe


@pytest.mark.parametrize("steps", [1, 2000])
def test_no_round_takes_more_steps_than_were_reckoned_with(steps):
    case = Case(op=Op.TRAIN, dtype="float64", m=569, n=30, steps=steps)
    assert case.most_steps >= max(steps, ROUND_SECONDS / 20e-6)
