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
    three = dataclasses.replace(PLAN, turns=12, generations=3)
    assert [three.number_of_turns(case) for case in (CASE, large, long)] == [12, 6, 6]


def test_a_row_near_its_work_cap_takes_one_turn_in_four_the_last_among_them():
    slow, other = (participants_of([CATALOG[name]])[0] for name in ("python-loop", "numpy-blas"))
    near = dataclasses.replace(CASE, m=20_000, n=50)
    assert list(PLAN.turns_of(slow, near)) == list(range(3, 40, 4))
    assert PLAN.turns_of(slow, CASE) == PLAN.turns_of(other, near) == range(40)
    assert dataclasses.replace(PLAN, turns=12).turns_of(slow, near) == range(12)
    several = dataclasses.replace(PLAN, turns=16, generations=3)
    assert list(several.turns_of(slow, near)) == [3, 7, 11, 15]


def test_of_several_generations_fewer_turns_of_each_are_watched():
    watched = {count: dataclasses.replace(PLAN, generations=count).watched_turns for count in (1, 2, 3, 4, 12)}
    assert watched == {1: 15, 2: 8, 3: 5, 4: 5, 12: 5}


def test_two_bind_at_a_time_in_a_quick_run_alone():
    assert PLAN.binds_at_once == 2
    assert dataclasses.replace(PLAN, preset="standard").binds_at_once == 1


def test_a_run_that_takes_its_time_over_large_data_is_worth_tuning_for():
    large = dataclasses.replace(CASE, m=1_000_000, n=100)
    for budget, cases, worth in ((None, (large,), False), (60.0, (CASE,), False), (60.0, (CASE, large), True)):
        assert dataclasses.replace(PLAN, budget_seconds=budget, cases=cases).is_worth_tuning == worth
