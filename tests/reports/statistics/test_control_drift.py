"""The control's drift: its turns over its own median, in the order of the run."""

from __future__ import annotations

import pytest

from stepreports.statistics.control_drift import drift_of
from stepreports.statistics.runs import load_run
from stepreports.telling.trust import drift_in_words
from synthetic_runs import ROWS, SIZES, entry, write_run

NUMPY = ROWS[1]


def drifting(*of_generations):
    """The control at three cases; each generation takes so many times as long."""
    made = [entry(NUMPY, *size, replica=replica, noise=0.001) for size in SIZES[:3] for replica in (0, 1)]
    for each in made:
        generations, data = each["extra_info"]["generation"], each["stats"]["data"]
        each["stats"]["data"] = [t * of_generations[g] for t, g in zip(data, generations, strict=True)]
    return made


def test_a_stretch_for_each_case_of_each_generation_in_the_order_of_the_run(tmp_path):
    found = drift_of(load_run(write_run(tmp_path, drifting(1.0, 3.0))))
    assert found.row.name == "numpy-blas"
    assert [stretch.generation for stretch in found.stretches] == [0, 0, 0, 1, 1, 1]
    assert [stretch.middle for stretch in found.stretches] == pytest.approx([0.5] * 3 + [1.5] * 3, rel=0.02)
    assert all(stretch.low <= stretch.middle <= stretch.high for stretch in found.stretches)


def test_the_words_give_the_range_of_the_line(tmp_path):
    run = load_run(write_run(tmp_path, drifting(1.0, 3.0)))
    assert "between 0.50× and 1.50×" in drift_in_words(run)


def test_a_run_without_a_control_has_no_drift(tmp_path):
    run = load_run(write_run(tmp_path, [entry(ROWS[2], *size) for size in SIZES[:3]]))
    assert drift_of(run) is None
    assert drift_in_words(run) is None
