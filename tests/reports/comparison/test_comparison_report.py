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
    assert {path.name for path in (tmp_path / "out" / "figures").iterdir()} == {"B-beside-A.svg", "B-beside-A.png"}


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


def line_of(folder, row):
    told = (folder / "summary.md").read_text()
    (line,) = (line for line in told.splitlines() if line.startswith(f"| `{row}` | step | float64 | 1,000 × 20"))
    return line.split("|")[7].strip()


def test_a_row_is_told_over_the_control_and_the_control_by_itself(laptop, server, tmp_path):
    """The server is twice as fast in everything: that is the control's gain, and no row's."""
    compare_report([laptop, server], tmp_path / "out")
    own = line_of(tmp_path / "out", "numpy-blas")
    assert own.startswith("the control, itself ")
    assert float(own.removeprefix("the control, itself ").split("×")[0]) == pytest.approx(2.0, rel=0.02)
    gain = line_of(tmp_path / "out", "numba-fused")
    assert float(gain.split("×")[0]) == pytest.approx(1.0, rel=0.02)
    assert gain.endswith(("], the same", "], unknown"))


@pytest.mark.parametrize(("slowdown", "told"), [(1.3, "slower"), (0.7, "faster")])
def test_the_counts_come_first(tmp_path, slowdown, told):
    """One row of three beside the control is another; at each of two sizes."""
    folders = []
    for name in ("before", "after"):
        stored = entries(rows=CPU_ROWS[1:5], sizes=SIZES[1:3], dtypes=["float64"], noise=0.001, seed=len(name))
        stored = [each for each in stored if each["extra_info"]["op"] == "step"]
        for each in stored:
            if name == "after" and each["extra_info"]["row"] == "numba-loop":
                each["stats"]["data"] = [slowdown * seconds for seconds in each["stats"]["data"]]
        folders.append(write_run(tmp_path / name, stored, run_id=name))
    page = compare_report(folders, tmp_path / "out").read_text()
    counts = {"faster": 0, "slower": 0, told: 2}
    expected = f"B beside A: {counts['faster']} faster, {counts['slower']} slower, 4 the same, 0 unknown."
    assert f"# Stepbench, compared\n\n**{expected}**" in (tmp_path / "out" / "summary.md").read_text()
    assert f"<h1><span>{expected}</span></h1>" in page
    assert page.index(expected) < page.index("<svg")
    assert 'id="plotly"' not in page


def test_runs_without_a_control_in_common_are_compared_as_they_are_and_say_so(tmp_path):
    folders = [
        write_run(tmp_path / name, [entry(ROWS[2], 1000, 20, slowdown=slowdown)], run_id=name)
        for name, slowdown in (("one", 1.0), ("two", 0.5))
    ]
    compare_report(folders, tmp_path / "out")
    told = (tmp_path / "out" / "summary.md").read_text()
    assert "B and A timed no row twice that both have" in told
    assert float(line_of(tmp_path / "out", "numba-loop").split("×")[0]) == pytest.approx(2.0, rel=0.02)


def test_three_runs_are_each_told_beside_the_first(laptop, server, tmp_path):
    third = write_run(tmp_path / "third", entries(rows=CPU_ROWS, sizes=SIZES[1:3], seed=2), run_id="third")
    page = compare_report([laptop, server, third], tmp_path / "out").read_text()
    assert "B beside A: " in page
    assert "C beside A: " in page
    assert len(list((tmp_path / "out" / "figures").glob("*.svg"))) == 2


def test_runs_that_timed_nothing_in_common_are_refused_with_what_they_timed(tmp_path):
    one, other = (write_run(tmp_path / str(m), [entry(ROWS[1], m, 20)], run_id=str(m)) for m in (100, 200))
    with pytest.raises(RecordError, match=r"not comparable.*100 × 20.*200 × 20"):
        compare_report([one, other], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_is_not_compared_with_itself(laptop, tmp_path):
    with pytest.raises(RecordError, match="same run was given twice"):
        compare_report([laptop, laptop], tmp_path / "out")
