"""Cases and presets: every case once, its least cost, and bad choices refused with a sentence."""

from itertools import pairwise

import pytest

from stepbench.cases.case import COLD, COLD_BYTES, WARM, Case, Size
from stepbench.cases.parsing import parse_ops
from stepbench.cases.presets import PRESETS, Group, cases_of
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op
from stepkernels.problem import ProblemError, safe_learning_rate, synthetic_problem


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_cases_of_a_preset_have_unique_names_and_include_real_data(preset):
    cases = cases_of(preset.groups, [1, 2])
    assert len({case.name for case in cases}) == len(cases)
    assert any(case.dataset != "synthetic" for case in cases)


def test_cases_that_share_data_follow_one_another():
    cases = cases_of(PRESETS["standard"].groups, [2])
    data = [(case.dataset, case.m, case.n, case.dtype) for case in cases]
    changes = sum(a != b for a, b in pairwise(data))
    assert changes == len(set(data)) - 1


def test_a_case_survives_its_json():
    (case,) = cases_of([Group(ops=[Op.TRAIN], sizes=["7x3"])], [1])
    assert Case.from_json(case.to_json()) == case


def test_least_cost_of_a_step_is_one_pass_over_x():
    step = Case(op=Op.STEP, dtype="float64", m=1000, n=100)
    assert step.bytes == pytest.approx(1000 * 100 * 8, rel=0.02)
    assert step.flops == pytest.approx(4 * 1000 * 100, rel=0.01)
    train = Case(op=Op.TRAIN, dtype="float32", m=1000, n=100, steps=10)
    assert train.bytes == pytest.approx(10 * step.bytes / 2)
    assert Case(op=Op.UPDATE, dtype="float64", m=1000, n=100).bytes < 100 * 8 * 10


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


def test_timed_learning_rate_is_below_one_over_curvature():
    case = Case(op=Op.STEP, dtype="float64", m=200, n=5)
    problem = synthetic_problem(200, 5)
    assert case.config(problem).optimizer.learning_rate == safe_learning_rate(problem, case.config(problem).l2)


@pytest.mark.parametrize("text", ["1000", "0x5", "5x0", "ax5", "-1x5", "1x2x3", "1e3x5"])
def test_a_bad_size_is_refused(text):
    with pytest.raises(ProblemError, match="is not a size"):
        Size.parse(text)


def test_unknown_choices_name_the_known_ones():
    with pytest.raises(ProblemError, match=r"no operation called 'stride'.*forward"):
        parse_ops("step,stride")
    with pytest.raises(ProblemError, match=r"no data set called 'iris'.*breast-cancer"):
        cases_of([Group(ops=[Op.STEP], sizes=["iris"])], [1])
