"""The schedule of trials: a seed repeats it, and a row that is spared trials is spared none of a kind."""

from dataclasses import replace

import pytest

from stepbench.checking.schedule import Plan, check_schedule, schedule_of
from stepbench.checking.tally import Tally
from stepbench.checking.trials import ONE_STEP, SNAPSHOTS_COPY
from stepkernels.catalog import CATALOG
from stepkernels.problem import STORAGES


def test_a_seed_repeats_a_check_and_another_does_not():
    row = CATALOG["numpy-blas"]
    schedules = [check_schedule(row, seed) for seed in (5, 5, 6)]
    assert schedules[0] == schedules[1] != schedules[2]
    tallies = [Tally(), Tally(), Tally()]
    for schedule, tally in zip(schedules, tallies, strict=True):
        assert schedule[0].run(row, tally) is None
    assert tallies[0].worst == tallies[1].worst != tallies[2].worst


@pytest.mark.parametrize("dtypes", [("float32",), ("float64",), ("float32", "float64")])
@pytest.mark.parametrize("optimizers", [("gd",), ("adam",), ("gd", "adam")])
def test_a_row_that_compiles_is_spared_no_trial_in_any_dtype_or_with_any_optimizer(dtypes, optimizers):
    row = replace(CATALOG["jax-jit-cpu"], dtypes=dtypes, optimizers=optimizers)
    compiling, full = (check_schedule(replace(row, compiles_per_shape=compiles), 5) for compiles in (True, False))
    spared = {ONE_STEP.run, SNAPSHOTS_COPY.run}  # of large data, of which the shapes would be compiled as well
    for visits in (lambda p: (p.trial.run, p.dtype), lambda p: (p.trial.run, p.optimizer), lambda p: (p.kind, p.dtype)):
        assert set(map(visits, compiling)) == {visit for visit in map(visits, full) if visit[0] not in spared}
    programs = {(scheduled.shape, scheduled.dtype, scheduled.optimizer) for scheduled in compiling}
    assert len(programs) <= 12


def test_a_check_of_storages_has_their_trials_and_no_others():
    row = CATALOG["numba-fused"]
    found = schedule_of(row, Plan(seed=3, storages=("int8",)))
    assert {trial.storage for trial in found} == {"int8"}
    whole = schedule_of(row, Plan(seed=3))
    assert [trial for trial in whole if trial.storage == "int8"] == found
    assert {trial.storage for trial in whole} == {None, *STORAGES}


@pytest.mark.parametrize("plan", [Plan(seed=1), Plan(seed=1, planted=True), Plan(seed=1, simulated=True)])
@pytest.mark.parametrize("compiles", [False, True])
def test_no_schedule_leaves_out_a_storage_that_is_declared(plan, compiles):
    row = replace(CATALOG["numba-fused"], compiles_per_shape=compiles)
    assert {trial.storage for trial in schedule_of(row, plan)} == {None, *STORAGES}
