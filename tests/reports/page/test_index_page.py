"""The page of every published machine: all rows in one table, readable without its script, and nothing fetched."""

from __future__ import annotations

import re

import pytest

from stepreports.page.index_page import index_page
from stepreports.statistics.runs import load_run
from synthetic_runs import MACHINE, ROWS, SIZES, entries, entry, write_run

CPU_ROWS = [row for row in ROWS if row.device == "cpu"][1:4]


def published(root, name, stored, **machine):
    return load_run(write_run(root / "published" / name / "run", stored, run_id=name, machine=MACHINE | machine))


@pytest.fixture
def runs(tmp_path):
    steps = entries(rows=CPU_ROWS, sizes=SIZES[1:3], dtypes=["float64"])
    return [
        published(tmp_path, "laptop", steps, cpu="Laptop", gpus=[]),
        published(tmp_path, "server", [entry(ROWS[-1], 20_000, 50, dtype="float32")], cpu="Server"),
    ]


def lines_of(page):
    return re.findall(r"<tr data-machine=.*?</tr>", page, re.DOTALL)


def test_every_row_of_every_machine_is_a_line_with_its_times_and_how_far_behind(runs, tmp_path):
    page = index_page(runs, tmp_path)
    steps = [line for line in lines_of(page) if 'data-op="step"' in line]
    assert len(steps) == len(CPU_ROWS) + 1
    assert "2 published machines" in page
    numba = next(line for line in steps if 'data-row="numba-fused"' in line)
    assert 'data-machine="Laptop"' in numba
    assert "fastest" in numba
    assert re.search(r"\d\.?\d*×", "".join(steps))
    assert "<td>–</td>" in next(line for line in steps if 'data-machine="Server' in line)


def test_it_links_to_the_runs_beside_it_and_fetches_nothing(runs, tmp_path):
    page = index_page(runs, tmp_path)
    assert 'href="published/laptop/run/summary.md"' in page
    assert not re.search(r'(src|href)="https?:', page)
    assert "Plotly" not in page


def test_a_choice_that_would_leave_a_machine_out_is_not_made_at_first(runs, tmp_path):
    page = index_page(runs, tmp_path)
    chosen = re.findall(r"<option selected>(.*?)</option>", page)
    assert chosen == ["step"]
    assert re.findall(r"<option selected>(.*?)</option>", index_page(runs[:1], tmp_path)) == ["step"]


def test_of_a_case_that_two_runs_of_a_machine_timed_the_newer_one_is_shown(tmp_path):
    new, old = (
        published(tmp_path, name, [entry(ROWS[1], 1000, 20, slowdown=slowdown)])
        for name, slowdown in (("a", 1), ("b", 9))
    )
    (line,) = lines_of(index_page([new, old], tmp_path))
    assert re.search(r">20\.\d+[^<]*µs", line.replace("\N{NO-BREAK SPACE}", " "))


def test_a_row_of_two_kinds_has_a_remark(tmp_path):
    stored = entry(ROWS[1], 1000, 20, generations=3, turns=40)
    stored["stats"]["data"] = [each * (1 + turn % 2) for turn, each in enumerate(stored["stats"]["data"])]
    page = index_page([published(tmp_path, "a", [stored])], tmp_path)
    assert 'title="numpy-blas, step float64 at 1,000 × 20: turns of two kinds, 50 % at' in page
    assert "<small>fastest, two kinds</small>" in page


def test_without_a_published_run_it_says_so(tmp_path):
    page = index_page([], tmp_path)
    assert "0 published machines" in page
    assert "None yet." in page


def test_names_are_text(tmp_path):
    page = index_page([published(tmp_path, "a", [entry(ROWS[1], 1000, 20)], cpu="<script>alert(1)</script>")], tmp_path)
    assert "<script>alert" not in page
