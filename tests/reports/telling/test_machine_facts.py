"""The machine in words: its measured limits, and what was recorded of it."""

from __future__ import annotations

import pytest

from stepreports.statistics.runs import load_run
from stepreports.telling.machine_facts import machine_lines, roof_lines
from synthetic_runs import ROWS, entry, write_run


def test_every_roof_of_the_machine_is_told(tmp_path):
    told = {line["limit"]: line["measured"] for line in roof_lines(load_run(write_run(tmp_path)))}
    assert told == {
        "reading 33 kB, the best of all sizes": "180 GB/s",
        "reading 540 MB, the largest": "28.5 GB/s",
        "multiply-adds in float32": "190 GFLOP/s",
        "multiply-adds in float64": "95 GFLOP/s",
    }


@pytest.mark.parametrize("limits", [None, {}, {"read_gb_per_s": [[1, 2.0]], "fma_gflops": {}}])
def test_of_a_machine_that_was_not_measured_no_roof_is_told(tmp_path, limits):
    assert roof_lines(load_run(write_run(tmp_path, [entry(ROWS[1], 1000, 20)], machine={"limits": limits}))) == []


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ({"allowed_cpus": 2}, ("allowed cpus", "2")),
        ({"governor": None}, ("governor", "not known")),
        ({"memory_bytes": 16_000_000_000}, ("memory", "16.0 GB")),
        ({"caches": {"L1": 32_768}}, ("caches L1", "32.8 kB")),
        ({"gpus": [{"model": "A"}, {"model": "B"}]}, ("gpu 1 model", "B")),
    ],
)
def test_a_fact_is_told_with_its_name_in_words(tmp_path, recorded, told):
    assert told in machine_lines(load_run(write_run(tmp_path, [], machine=recorded)))


def test_the_measured_limits_have_a_table_of_their_own(standard):
    assert not [name for name, _ in machine_lines(load_run(standard)) if name.startswith("limits")]
