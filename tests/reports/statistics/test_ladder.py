"""The tree of techniques: each row on the one it grew out of, and its factor over that one."""

from __future__ import annotations

import pytest

from stepreports.page.sections import ladders
from stepreports.statistics.ladder import climbed, rungs_below
from stepreports.statistics.runs import load_run
from stepreports.statistics.views import views
from synthetic_runs import ROWS, entries, entry, write_run

TREE = {
    "python-loop": None,
    "numpy-blas": "python-loop",
    "numba-loop": "numpy-blas",
    "numba-fused": "numba-loop",
    "numba-fused-parallel": "numba-fused",
    "torch-manual-cpu": "numpy-blas",
    "torch-autograd-cpu": "torch-manual-cpu",
    "torch-manual-cuda": "torch-manual-cpu",
    "cupy-fused": "torch-manual-cuda",
}


def below(run):
    return {name: row.name if row else None for name, row in rungs_below(run).items()}


def test_each_row_stands_on_the_one_it_grew_out_of(tmp_path):
    assert below(load_run(write_run(tmp_path))) == TREE


def test_a_kernel_of_the_users_stands_on_the_matrix_form_and_carries_nothing(tmp_path):
    mine = {"row": "mine", "own_kernel": True, "library": "numba", "technique": "mine"}
    made = [entry(row, 1000, 20) for row in ROWS[1:3]] + [entry(ROWS[1], 1000, 20, **mine), entry(ROWS[3], 1000, 20)]
    found = below(load_run(write_run(tmp_path, made)))
    assert found["mine"] == "numpy-blas"
    assert found["numba-fused"] == "numba-loop"


def test_where_the_rung_below_was_not_timed_the_next_one_down_counts(tmp_path):
    made = [entry(row, m, 20) for row in ROWS[:5] for m in (1000, 9000) if m == 1000 or row.name != "numba-loop"]
    run = load_run(write_run(tmp_path, made))
    case = views(run)[0].cases[-1]
    found = {record.row.name: under.row.name if under else None for _, record, under in climbed(run, case)}
    assert found["numba-fused"] == "numpy-blas"


def test_every_row_of_a_case_is_climbed_once_after_the_one_it_stands_on(tmp_path):
    run = load_run(write_run(tmp_path))
    for case, records in run.cases.items():
        seen = []
        for depth, record, under in climbed(run, case):
            assert (depth == 0) == (under is None)
            assert under is None or under.row.name in seen
            seen.append(record.row.name)
        assert sorted(seen) == sorted(records)


def test_a_rung_tells_its_factor_over_the_rung_below(tmp_path):
    run = load_run(write_run(tmp_path, entries(dtypes=["float64"])))
    ladder = next(each for each in ladders(views(run)[0]) if each.size == "1,000,000 × 20")
    (autograd,) = (rung for rung in ladder.rungs if rung.row == "torch-autograd-cpu")
    assert autograd.below == "torch-manual-cpu"
    assert float(autograd.over_below.partition("×")[0]) == pytest.approx(0.60 / 0.66, rel=0.05)
