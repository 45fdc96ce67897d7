"""The page: its sections, from whatever a run may hold, in one file that needs no other."""

from __future__ import annotations

import re
import sys

import pytest

import stepreports
from stepreports.page.report_page import words
from synthetic_runs import ROWS, SIZES, entries, entry, write_run

SECTIONS = ("size", "answer", "table", "explore", "ladder", "time", "limit", "agreement", "trust", "records")
EMPTY = tuple(name for name in SECTIONS if name not in {"size", "table"})  # of a run without a number
SCRIPT = "<script>alert(1)</script>"


def test_the_sections_come_in_their_order(standard):
    page = (standard / "report.html").read_text()
    assert tuple(re.findall(r'<section id="(\w+)"', page)) == SECTIONS


def test_the_page_needs_no_network_and_no_other_file(standard):
    page = (standard / "report.html").read_text()
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert not re.search(r"<(?:link|img|iframe)\b", page)
    assert set(re.findall(r'href="([^#"][^"]*)"', page)) <= {"benchmark.json", "table.csv", "failures.json"}


@pytest.mark.parametrize(
    "benchmarks",
    [
        pytest.param([], id="only failures"),
        pytest.param([entry(ROWS[1], 1000, 20, generations=1, turns=1)], id="one round"),
        pytest.param(entries(rows=ROWS[1:2], sizes=SIZES[:3]), id="one row"),
        pytest.param([entry(row, 1000, 20) for row in ROWS], id="one size"),
        pytest.param([entry(row, 569, 30, "breast-cancer", op="train", steps=100) for row in ROWS], id="only train"),
        pytest.param([entry(row, 1000, 20) for row in ROWS[:4]], id="no limit"),
        pytest.param([entry(row, 1000, 20, implausible=True) for row in ROWS[:2]], id="only implausible"),
        pytest.param([entry(row, 1000, 20, first_call_seconds=None) for row in ROWS[:2]], id="no first call"),
        pytest.param([entry(row, 1000, 20, agreement={"J": None}) for row in ROWS[:2]], id="no agreement"),
        pytest.param([entry(row, 1000, 20, device="cuda") for row in ROWS[:2]], id="only a GPU"),
    ],
)
def test_whatever_was_recorded_renders(tmp_path, benchmarks):
    folder = write_run(tmp_path, benchmarks, machine={})
    page = stepreports.write_report(folder).read_text()
    assert tuple(re.findall(r'<section id="(\w+)"', page)) in (SECTIONS, EMPTY)
    assert stepreports.answer_lines(folder)


def test_names_are_shown_as_text(tmp_path):
    wild = [entry(ROWS[1], 1000, 20, SCRIPT, row=SCRIPT, library=SCRIPT, technique=SCRIPT, summary=SCRIPT)]
    failure = {"row": SCRIPT, "case": SCRIPT, "kind": SCRIPT, "skipped": False, "reason": SCRIPT}
    page = stepreports.write_report(write_run(tmp_path, wild, [failure], machine={"cpu": SCRIPT})).read_text()
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)" in page


def test_words_between_backticks_are_code_and_nothing_else_is_markup():
    assert words("`a<b` is **1**") == "<code>a&lt;b</code> is <strong>1</strong>"
    assert words("`a`, `b`: 1") == (
        '<span class="glued"><code>a</code>,</span> <span class="glued"><code>b</code>:</span> 1'
    )


def test_sizes_intervals_and_units_stay_on_one_line():
    told = words("At 20,000 × 50 it took 2.5 ms [2.4, 2.6], 71 % [57, 91], or 160 kB; `a b` too")
    assert told.replace("\N{NO-BREAK SPACE}", "_") == (
        "At 20,000_×_50 it took 2.5_ms_[2.4,_2.6], 71_%_[57,_91], or 160_kB; <code>a b</code> too"
    )


def test_the_page_links_to_a_lesson_beside_it_or_names_the_command(tmp_path):
    folder = write_run(tmp_path, [entry(ROWS[1], 1000, 20)])
    assert "stepbench learn --out stepbench-lesson-en.html" in stepreports.write_report(folder).read_text()
    (folder / "stepbench-lesson-zh.html").touch()
    page = stepreports.write_report(folder).read_text()
    assert '<a href="stepbench-lesson-zh.html">中文</a>' in page
    assert "stepbench learn" not in page


def test_a_machine_without_plotly_gets_a_page_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly", None)
    page = stepreports.write_report(write_run(tmp_path, entries(sizes=SIZES[:2], dtypes=["float64"]))).read_text()
    assert "plotly was not installed" in page
    assert 'id="plotly"' not in page
    assert "<svg" in page
