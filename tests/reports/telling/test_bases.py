"""Every ratio shows what it is a ratio of."""

from __future__ import annotations

import pytest

from stepreports.comparison.gate import gate
from stepreports.comparison.gate_told import gate_lines
from stepreports.statistics.runs import load_run
from stepreports.statistics.views import views
from stepreports.telling.bases import base_in_words, base_line, rows_by_size, threads_of
from stepreports.telling.findings import answer
from stepreports.telling.summary import every_row, winners
from synthetic_runs import MACHINE, ROWS, SIZES, entries, entry, write_run

CPU_ROWS = [row for row in ROWS if row.device == "cpu"]
BLAS = {"numpy": {"name": "openblas", "version": "0.3.31", "threading": "pthreads", "core_type": "Zen"}}
SIZE = "1,000 × 20"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    benchmarks = entries(CPU_ROWS, SIZES[:3], ["float64"], processors_used=1.87)
    folder = tmp_path_factory.mktemp("bases")
    return load_run(write_run(folder, benchmarks, machine=MACHINE | {"blas": BLAS}))


def test_threads_are_the_budget_and_those_at_work(run, tmp_path):
    assert {threads_of(record) for record in run.records} == {"1.9 of 2 threads at work"}
    (old,) = load_run(write_run(tmp_path, [entry(ROWS[1], 1000, 20, threads=1)])).records
    assert threads_of(old) == "1 thread allowed"


def test_all_rows_of_a_size_are_listed_the_base_and_the_reading_of_x_among_them(run):
    lines = {line["row"]: line for line in rows_by_size(views(run)[0])}
    assert list(lines) == [*(f"`{row.name}`" for row in CPU_ROWS), "X read once"]
    assert lines["`numpy-blas`"][SIZE].endswith("<br>the base")
    assert lines["`numba-fused`"][SIZE].endswith("]")
    assert "×" in lines["`numba-fused`"][SIZE].partition("<br>")[2]
    assert "×" not in lines["X read once"][SIZE]


def test_the_base_is_told_with_its_library_its_blas_its_time_and_its_threads(run):
    told = base_line(views(run)[0])
    assert "`numpy-blas` (numpy 1.0 on openblas 0.3.31, pthreads, core type Zen)" in told
    assert "at 20,000 × 50 it took " in told
    assert told.endswith(", 1.9 of 2 threads at work.")


def test_every_ratio_of_an_answer_has_its_base_beside_it(run):
    ratios = [claim for claim in answer(run) if "×" in claim.partition(":")[2] or "as fast as it" in claim]
    assert ratios
    assert all("1.9 of 2 threads at work)" in claim for claim in ratios)


def test_every_ratio_of_a_winner_has_the_time_of_its_base(run):
    for line in winners(run):
        for told in (line["over python-loop"], line["over numpy-blas"]):
            assert told == "–" or " of " in told


def test_the_gate_tells_the_time_of_the_base(tmp_path):
    base, new = (
        write_run(
            tmp_path / str(slowdown),
            [entry(ROWS[2], 1000, 20, slowdown=slowdown), *(entry(ROWS[1], 1000, 20, replica=k) for k in (0, 1))],
        )
        for slowdown in (1.0, 2.0)
    )
    record = next(each for each in load_run(base).records if each.row.name == ROWS[2].name)
    assert any(f"the {base_in_words(record)} of the base" in line for line in gate_lines(gate(base, new, 10)))


def test_without_a_base_the_times_stand_alone(tmp_path):
    run = load_run(write_run(tmp_path, [entry(ROWS[2], 1000, 20)]))
    assert base_line(views(run)[0]) is None
    (line,) = rows_by_size(views(run)[0])
    assert "<br>" not in line[SIZE]
    assert every_row(run)[0] == "## Every row at each size"
