"""The baseline in words."""

from __future__ import annotations

from stepreports.statistics.runs import load_run
from stepreports.telling.baseline import altered_lines, blas_in_words
from stepreports.telling.summary import alarms, summary
from synthetic_runs import MACHINE, ROWS, entry, write_run

SLOW = {"variable": "OPENBLAS_CORETYPE", "value": "Nehalem", "times_as_long": 1.93,
        "changes": {"core_type": ["Nehalem", "Haswell"]}}  # fmt: skip


def test_the_blas_is_told_by_name_threading_and_core_type():
    told = {"name": "openblas", "version": "0.3.31", "threading": "pthreads", "core_type": "Haswell", "threads": 2}
    assert blas_in_words({"blas": {"numpy": told}}) == "openblas 0.3.31, pthreads, core type Haswell"
    assert blas_in_words({"blas": {"numpy": {"name": "accelerate"}}}) == "accelerate"
    assert blas_in_words({"blas": {"scipy": None}}) == blas_in_words({}) == ""


def test_a_variable_that_slows_the_baseline_is_to_be_looked_at_twice(tmp_path):
    machine = MACHINE | {"baseline_altered_by": [SLOW]}
    run = load_run(write_run(tmp_path, [entry(ROWS[1], 1000, 20)], machine=machine))
    (alarm,) = alarms(run)
    assert "`OPENBLAS_CORETYPE` is set and makes the baseline slower" in alarm
    assert "1.9 times as long" in alarm
    assert "core type Nehalem instead of Haswell" in alarm
    assert alarm in summary(run).partition("## Look twice")[2]


def test_one_that_only_makes_it_another_is_no_alarm():
    (told,) = altered_lines({"baseline_altered_by": [SLOW | {"times_as_long": 0.99}]})
    assert not told.startswith("**")
    assert altered_lines({}) == []
