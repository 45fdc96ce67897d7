"""From what the user asked for to a plan: what is left out has a reason, and what cannot be had is refused."""

import pytest

from stepbench.cases.presets import PRESETS
from stepbench.run.choices import Choices, chosen_groups, plan_run, preset_named, require_threads, rows_of_preset
from stepkernels.catalog import CATALOG, rows_named
from stepkernels.interface import Op
from stepkernels.problem import ProblemError

QUICK = PRESETS["quick"]


def choices(rows=("numpy-blas",), **asked):
    return Choices(preset=QUICK, rows=rows_named(rows), named=True, **asked)


def test_what_is_not_asked_for_is_the_presets_own():
    assert list(chosen_groups(choices())) == list(QUICK.groups)


def test_sizes_or_operations_make_one_group_of_the_users_own():
    (group,) = chosen_groups(choices(sizes=["37x5"], dtypes=["float32"]))
    assert (list(group.ops), list(group.sizes), list(group.dtypes)) == ([Op.STEP], ["37x5"], ["float32"])
    (group,) = chosen_groups(choices(ops=[Op.TRAIN]))
    assert (list(group.ops), list(group.sizes)) == ([Op.TRAIN], list(QUICK.groups[0].sizes))


def test_a_row_that_compiles_each_shape_sits_out_of_a_short_preset_unless_named():
    slow = [row for row in CATALOG.values() if row.compiles_per_shape]
    rows = [CATALOG["numpy-blas"], *slow]
    taking_part, skips = rows_of_preset(QUICK, rows, named=False)
    assert taking_part == rows[:1]
    assert [(skip.row, skip.kind) for skip in skips] == [(row.name, "preset") for row in slow]
    assert rows_of_preset(QUICK, rows, named=True) == (rows, [])
    assert rows_of_preset(PRESETS["full"], rows, named=False) == (rows, [])


def test_a_case_beyond_a_row_is_left_out_with_the_reason():
    plan = plan_run(choices(("numpy-blas", "python-loop"), sizes=["37x5", "100000x100"]))
    (skip,) = plan.skips
    assert (skip.row, skip.kind, skip.case) == ("python-loop", "too-much-work", plan.cases[1].name)
    assert "python-loop" not in [each.key for each in plan.taking_part(plan.cases[1])]


def test_cold_adds_a_case_to_each():
    plan = plan_run(choices(sizes=["100000x100"], cold=True))
    assert [case.cache for case in plan.cases] == ["warm", "cold"]


@pytest.mark.parametrize("budget", [0, 100_000])
def test_a_budget_that_cannot_be_given_is_refused(budget):
    with pytest.raises(ProblemError, match=f"{budget} threads cannot be given"):
        require_threads([budget])


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(ProblemError, match=r"no preset called 'fast'\. Presets: quick, standard, full, marks"):
        preset_named("fast")
