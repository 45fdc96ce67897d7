"""A plan: what it says survives the journal, and large data take fewer turns."""

import dataclasses

from stepbench.cases.case import Case
from stepbench.run.participants import participants_of
from stepbench.run.plan import Plan, Skip
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op

CASE = Case(op=Op.STEP, dtype="float64", m=1000, n=20)
PLAN = Plan(
    preset="quick", cases=(CASE,), participants=tuple(participants_of([CATALOG["numpy-blas"]])),
    skips=(Skip(row="python-loop", kind="too-much-work", reason="too much", case=CASE.name),),
    generations=1, turns=40, seed=0, timeout_seconds=1.0, max_seconds=None,
)  # fmt: skip


def test_a_plan_survives_its_json():
    assert Plan.from_json(PLAN.to_json()) == PLAN


def test_where_an_operation_reads_much_there_are_fewer_turns():
    large = dataclasses.replace(CASE, m=1_000_000, n=100)
    long = dataclasses.replace(CASE, op=Op.TRAIN, steps=2000)
    few = dataclasses.replace(PLAN, turns=6)
    assert [PLAN.number_of_turns(case) for case in (CASE, large, long)] == [40, 12, 12]
    assert [few.number_of_turns(case) for case in (CASE, large, long)] == [6, 6, 6]
