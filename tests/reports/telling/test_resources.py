"""Memory and energy in words."""

from __future__ import annotations

import pytest

from stepreports.records.files import RecordError
from stepreports.statistics.runs import load_run
from stepreports.telling.resources import energy_lines, energy_told, memory_lines
from stepreports.telling.summary import summary
from stepreports.telling.tables import table
from synthetic_runs import MACHINE, ROWS, entry, write_run

MEMORY = {"peak_bytes": 90_000_000, "held_bytes": 85_000_000, "fixed_bytes": 10_000_000, "copies_of_x": 1.0}
ENERGY = {"joules": 0.012, "idle_watts": 20.0, "watts": 65.0, "seconds": 2.1, "source": "package-0, dram-0"}
NUMPY, CUDA = ROWS[1], ROWS[-1]


def run_of(folder, *benchmarks, machine=MACHINE):
    return load_run(write_run(folder, benchmarks, machine=machine))


@pytest.mark.parametrize(
    ("row", "size", "memory", "told"),
    [
        (NUMPY, (100_000, 100), MEMORY, "yes"),
        (NUMPY, (100_000, 100), MEMORY | {"copies_of_x": 0.1}, "no"),
        (NUMPY, (100_000, 100), MEMORY | {"copies_of_x": None}, "cannot tell: measured at one size"),
        (NUMPY, (1_000, 100), MEMORY, "cannot tell: X is too small"),
        (NUMPY, (1_000_000, 20), MEMORY, "cannot tell: too few features"),
        (CUDA, (100_000, 100), MEMORY | {"copies_of_x": 0.0}, "yes, to the GPU"),
    ],
)
def test_each_row_says_whether_it_copies_x(tmp_path, row, size, memory, told):
    (line,) = memory_lines(run_of(tmp_path, entry(row, *size, memory=memory)))
    assert line["copies your X"] == told
    assert line["beyond them, at most"] == "90 MB"


def test_records_without_memory_and_energy_are_told_without(tmp_path):
    run = run_of(tmp_path, entry(NUMPY, 1000, 20))
    assert memory_lines(run) == energy_lines(run) == energy_told(run) == []
    assert "Memory" not in summary(run)
    assert "Energy" not in summary(run)


def test_energy_is_told_with_its_counters_and_what_rest_takes(tmp_path):
    machine = MACHINE | {"energy": {"cpu": "read from package-0, dram-0"}}
    run = run_of(tmp_path, entry(NUMPY, 1000, 20, energy=ENERGY), machine=machine)
    (line,) = energy_lines(run)
    assert (line["energy of a step"], line["power"], line["at rest"]) == ("12 mJ", "65.0 W", "20.0 W")
    assert energy_told(run)[0] == "Energy of the processor was read from package-0, dram-0."
    assert table(run)["joules_per_step"] == [0.012]


def test_the_energy_of_a_train_is_told_by_the_step(tmp_path):
    run = run_of(tmp_path, entry(NUMPY, 1000, 20, op="train", steps=100, energy=ENERGY))
    assert table(run)["joules_per_step"] == [pytest.approx(0.012 / 100)]


def test_where_energy_cannot_be_read_the_reason_stands(tmp_path):
    machine = MACHINE | {"energy": {"cpu": "not read: the system shows no counter of energy"}}
    told = summary(run_of(tmp_path, entry(NUMPY, 1000, 20), machine=machine))
    assert "Energy of the processor was not read: the system shows no counter of energy." in told


@pytest.mark.parametrize("energy", [ENERGY | {"joules": -1.0}, ENERGY | {"source": 3}, {"joules": 1.0}])
def test_energy_that_cannot_be_is_refused(tmp_path, energy):
    with pytest.raises(RecordError, match="energy"):
        run_of(tmp_path, entry(NUMPY, 1000, 20, energy=energy))
