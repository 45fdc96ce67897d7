"""The kernels of the user's own: first, each against the matrix form, the best and the limit."""

from __future__ import annotations

import pytest

from stepreports.statistics.runs import load_run
from stepreports.telling.own_kernels import own_kernel_lines, own_kernel_tables
from synthetic_runs import READ_LIMIT, ROWS, entry, write_run

NUMPY, FUSED = ROWS[1], ROWS[3]
MINE = {"row": "mine", "technique": "mine", "own_kernel": True}


def lines(folder, slowdown):
    made = [entry(NUMPY, 100_000, 100), entry(FUSED, 100_000, 100), entry(READ_LIMIT, 100_000, 100)]
    run = load_run(write_run(folder, [*made, entry(NUMPY, 100_000, 100, slowdown=slowdown, **MINE)]))
    assert len(own_kernel_lines(run)) == 1
    return own_kernel_tables(run)["`mine`"]


@pytest.mark.parametrize(
    ("slowdown", "verdict", "of_baseline", "of_best"), [(2.0, "**slower**", 0.5, 0.47), (0.5, "**faster**", 2.0, None)]
)
def test_a_kernel_is_told_against_the_baseline_the_best_and_the_limit(
    tmp_path, slowdown, verdict, of_baseline, of_best
):
    (line,) = lines(tmp_path, slowdown)
    assert line["verdict"] == verdict
    assert float(line["× numpy-blas"].partition("×")[0]) == pytest.approx(of_baseline, rel=0.05)
    if of_best is None:
        assert line["× the best"] == "the best"
    else:
        assert float(line["× the best"].partition("×")[0]) == pytest.approx(of_best, rel=0.05)
        assert "`numba-fused`" in line["× the best"]
    assert "%" in line["of the limit"]


def test_a_run_without_one_has_no_such_table(tmp_path):
    assert own_kernel_tables(load_run(write_run(tmp_path, [entry(NUMPY, 1000, 20)]))) == {}
