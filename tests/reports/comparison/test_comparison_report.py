"""Several runs in one report."""

from __future__ import annotations

import csv

import pytest

from stepreports import RecordError, compare_report
from stepreports.comparison.sides import across, common_cases, labelled
from stepreports.statistics.runs import load_run
from synthetic_runs import MACHINE, ROWS, SIZES, entries, entry, write_run

LAPTOP = MACHINE | {"cpu": "Laptop", "gpus": []}
CPU_ROWS = [row for row in ROWS if row.device == "cpu"]


@pytest.fixture
def laptop(tmp_path):
    return write_run(tmp_path / "laptop", entries(rows=CPU_ROWS, sizes=SIZES[:4]), run_id="laptop", machine=LAPTOP)


@pytest.fixture
def server(tmp_path):
    return write_run(tmp_path / "server", entries(sizes=SIZES[1:], threads=8, slowdown=0.5, seed=1), run_id="server")


def test_a_laptop_and_a_server_stand_side_by_side(laptop, server, tmp_path):
    page = compare_report([laptop, server], tmp_path / "out")
    assert page == tmp_path / "out" / "report.html"
    told = (tmp_path / "out" / "summary.md").read_text()
    assert "**A**: Laptop" in told
    assert "`cupy-fused · B` is" in told
    with (tmp_path / "out" / "table.csv").open() as stream:
        assert {line["run"] for line in csv.DictReader(stream)} == {"A", "B"}
    assert {path.name for path in (tmp_path / "out" / "figures").iterdir()} == {"time.svg", "time.png"}


def test_two_processors_of_one_name_are_told_apart(tmp_path):
    machines = {model: MACHINE | {"processor": {"model": model}} for model in ("1", "17")}
    one_case = [entry(ROWS[1], 1000, 20)]
    runs = [write_run(tmp_path / name, one_case, run_id=name, machine=told) for name, told in machines.items()]
    page = compare_report(runs, tmp_path / "out")
    for told in ((tmp_path / "out" / "summary.md").read_text(), page.read_text()):
        assert "B is of another machine than A: model 1 against 17." in told


def test_only_sizes_that_every_run_timed_are_compared_whatever_their_thread_budget(laptop, server):
    sides = labelled([load_run(laptop), load_run(server)])
    sizes = {(case.m, case.n) for case in common_cases(sides)}
    assert sizes == {(m, n) for m, n, _ in SIZES[1:4]}
    assert all(across(case) == case for case in common_cases(sides))


def test_a_ratio_between_runs_is_the_ratio_of_their_times(laptop, server, tmp_path):
    compare_report([laptop, server], tmp_path / "out")
    told = (tmp_path / "out" / "summary.md").read_text()
    (line,) = (line for line in told.splitlines() if line.startswith("| `numpy-blas` | step | float64 | 1,000 × 20"))
    assert float(line.split("|")[7].split("×")[0]) == pytest.approx(2.0, rel=0.02)


def test_runs_that_timed_nothing_in_common_are_refused_with_what_they_timed(tmp_path):
    one, other = (write_run(tmp_path / str(m), [entry(ROWS[1], m, 20)], run_id=str(m)) for m in (100, 200))
    with pytest.raises(RecordError, match=r"not comparable.*100 × 20.*200 × 20"):
        compare_report([one, other], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_is_not_compared_with_itself(laptop, tmp_path):
    with pytest.raises(RecordError, match="same run was given twice"):
        compare_report([laptop, laptop], tmp_path / "out")
