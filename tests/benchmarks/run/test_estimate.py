"""What a run would take: a case that does not fit in memory is refused before anything is allocated."""

import dataclasses

import pytest

from stepbench.cases.case import Case
from stepbench.run.estimate import memory_bytes, require_memory, run_seconds
from stepbench.run.participants import participants_of
from stepbench.run.plan import Plan
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op
from stepkernels.problem import ProblemError

CASE = Case(op=Op.STEP, dtype="float64", m=100_000, n=100)
PLAN = Plan(
    preset="quick", cases=(CASE,), participants=tuple(participants_of([CATALOG["numpy-blas"]])), skips=(),
    generations=1, turns=40, seed=0, timeout_seconds=1.0, max_seconds=None,
)  # fmt: skip


def test_every_process_of_a_case_holds_its_data():
    assert memory_bytes(PLAN, CASE) > len(PLAN.participants) * CASE.data_bytes
    cold = dataclasses.replace(CASE, cache="cold")
    assert memory_bytes(PLAN, cold) > len(PLAN.participants) * cold.copies * CASE.data_bytes


def test_a_case_that_does_not_fit_is_refused_with_a_sentence():
    needed = memory_bytes(PLAN, CASE)
    require_memory(PLAN, available_bytes=needed)
    with pytest.raises(ProblemError, match=r"step-100000x100-.* may need .* for 3 processes at once"):
        require_memory(PLAN, available_bytes=needed - 1)


def test_more_generations_take_longer_but_compile_once():
    plan = dataclasses.replace(PLAN, cases=(dataclasses.replace(CASE, m=1000),))  # of as many turns in each
    once, twice, thrice = (run_seconds(dataclasses.replace(plan, generations=g)) for g in (1, 2, 3))
    assert once < twice < 2 * once
    assert thrice - twice == pytest.approx(twice - once)
