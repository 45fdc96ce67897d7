"""The page and the files beside it, from whatever a run may hold."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from importlib import util

import pytest

import stepreports
from stepreports import render
from stepreports.page import report_page as page_module
from stepreports.page.report_page import sections, words
from stepreports.statistics.runs import load_run
from stepreports.statistics.views import views
from stepreports.telling.findings import answer
from stepreports.telling.tables import table
from synthetic_runs import ROWS, SIZES, entries, entry, write_run

SECTIONS = ("answer", "explore", "ladder", "time", "limit", "agreement", "trust", "records")
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def standard(tmp_path_factory):
    return stepreports.write_report(write_run(tmp_path_factory.mktemp("standard"))).parent


def packed(page, name):
    return gzip.decompress(base64.b64decode(re.search(f'id="{name}">([^<]*)<', page)[1])).decode()


def test_the_sections_come_in_their_order(standard):
    page = (standard / "report.html").read_text()
    assert tuple(re.findall(r'<section id="(\w+)">', page)) == SECTIONS


def test_the_page_needs_no_network_and_no_other_file(standard):
    page = (standard / "report.html").read_text()
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert not re.search(r"<(?:link|img|iframe)\b", page)
    assert set(re.findall(r'href="([^#"][^"]*)"', page)) <= {"benchmark.json", "table.csv", "failures.json"}


def test_all_files_of_a_report_are_written(standard):
    assert {path.name for path in standard.iterdir()} >= {"report.html", "summary.md", "table.csv", "figures"}
    drawn = {path.suffix for path in (standard / "figures").iterdir()}
    assert drawn == {".svg", ".png"}


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
    assert tuple(re.findall(r'<section id="(\w+)">', page)) == SECTIONS
    assert stepreports.answer_lines(folder)


def test_names_are_shown_as_text(tmp_path):
    wild = [entry(ROWS[1], 1000, 20, SCRIPT, row=SCRIPT, library=SCRIPT, technique=SCRIPT, summary=SCRIPT)]
    failure = {"row": SCRIPT, "case": SCRIPT, "kind": SCRIPT, "skipped": False, "reason": SCRIPT}
    page = stepreports.write_report(write_run(tmp_path, wild, [failure], machine={"cpu": SCRIPT})).read_text()
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)" in page
    assert SCRIPT in json.loads(packed(page, "data"))["rows"]  # packed, so it cannot end the script


def test_words_between_backticks_are_code_and_nothing_else_is_markup():
    assert words("`a<b` is **1**") == "<code>a&lt;b</code> is <strong>1</strong>"


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


def test_every_number_of_the_raw_table_is_in_the_table(standard):
    page = (standard / "report.html").read_text()
    columns = json.loads(packed(page, "data"))["columns"]
    with (standard / "table.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    for name, column in columns.items():
        cells = column.get("cells") or [column["values"][code] for code in column["codes"]]
        for line, cell in zip(lines, cells, strict=True):
            if isinstance(cell, float):
                assert float(line[name]) == pytest.approx(cell, rel=1e-5)


UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "%": 0.01, "": 1.0}


def numbers(told):
    """Each number of `4.17 µs [4.10, 4.90]` or `2.1× [1.9, 2.2]`, and half of its last digit, in seconds and units."""
    for value, unit, ends in re.findall(r"([\d.,]*\d)×? ?(%|[mµn]?s\b)?(?: \[([^]]*)\])?", told):
        for number in (value, *filter(None, ends.split(", "))):
            whole, _, decimals = number.replace(",", "").partition(".")
            last = -len(decimals) if decimals else len(whole) - len(whole.rstrip("0"))
            yield float(f"{whole}.{decimals}") * UNITS[unit], 0.501 * 10.0**last * UNITS[unit]


def page_lines(run):
    """Everything the page tells of single rows: a row's name and what is told of it."""
    (main, *_) = views(run)
    tables = [sections.start_lines(run, main), sections.own_comparison_lines(run), sections.agreement_lines(run)]
    for lines in (*tables, *sections.phase_tables(run).values()):
        for line in lines:
            yield line.pop("row").strip("`"), [told for head, told in line.items() if head not in {"case", "verdict"}]
    for view in views(run):
        for rung in (rung for ladder in sections.ladders(view) for rung in ladder.rungs):
            yield rung.row, [rung.time, rung.over_before, rung.over_loop]


@pytest.mark.parametrize("generations", [1, 2, 4])
def test_every_number_told_of_a_row_is_among_its_numbers_in_the_table(tmp_path, generations):
    costs = {"import_seconds": 1.31, "bind_seconds": 2.37, "first_call_seconds": 7.73}
    starts = {name: [first / k for k in range(1, generations + 1)] for name, first in costs.items()}
    run = load_run(write_run(tmp_path, entries(sizes=SIZES[:4], dtypes=["float64"], generations=generations, **starts)))
    columns = table(run)
    stored = {name: set() for name in columns["row"]}
    for name, *cells in zip(columns["row"], *columns.values(), strict=True):
        stored[name].update(cell for cell in cells if isinstance(cell, (int, float)))
    missing = [
        (row, told)
        for row, tellings in page_lines(run)
        for told in tellings
        for number, half in numbers(told)
        if not any(abs(cell - number) <= half for cell in stored[row])
    ]
    assert not missing


def test_what_is_told_of_the_gpu_is_in_the_table(standard):
    run, columns = load_run(standard), table(load_run(standard))
    (told,) = (claim for claim in answer(run) if claim.startswith("The GPU pays"))
    gain, after = re.search(r"is ([\d.]+)×", told)[1], re.search(r"after ([\d,]+) step", told)[1]
    assert any(cell and f"{cell:.3g}" == f"{float(gain):.3g}" for cell in columns["times_fastest_cpu"])
    assert float(after.replace(",", "")) in columns["break_even_steps_copied_first"]


def test_the_table_is_tidy(standard):
    with (standard / "table.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == len(load_run(standard).records)
    assert {line["verdict_against_matrix_form"] for line in lines} <= {"faster", "slower", "same", "cannot tell", ""}
    (parallel,) = (
        line
        for line in lines
        if line["row"] == "numba-fused-parallel" and line["m"] == "1000000" and line["dtype"] == "float64"
    )
    assert float(parallel["times_matrix_form"]) == pytest.approx(0.55 / 0.30, rel=0.03)
    assert float(parallel["share_of_limit"]) == pytest.approx(0.27 / 0.30, rel=0.03)
    assert parallel["verdict_against_matrix_form"] == "faster"


def test_the_second_copy_of_the_control_is_compared_with_the_first(standard):
    columns = table(load_run(standard))
    pairs = zip(columns["replica"], columns["times_first_copy"], strict=True)
    assert all((gain is not None) == (replica == 1) for replica, gain in pairs)


def without(monkeypatch, *absent):
    for module in (render, page_module):
        monkeypatch.setattr(module, "find_spec", lambda name: None if name in absent else util.find_spec(name))


def test_a_machine_without_plotly_gets_a_page_that_says_so(tmp_path, monkeypatch):
    without(monkeypatch, "plotly")
    page = stepreports.write_report(write_run(tmp_path, entries(sizes=SIZES[:2], dtypes=["float64"]))).read_text()
    assert "plotly was not installed" in page
    assert 'id="plotly"' not in page
    assert "<svg" in page


@pytest.mark.parametrize("absent", ["matplotlib", "jinja2"])
def test_a_bare_machine_gets_a_summary_and_a_table(tmp_path, monkeypatch, absent):
    without(monkeypatch, absent)
    path = stepreports.write_report(write_run(tmp_path))
    assert path.name == "summary.md"
    assert f"{absent} not installed" in path.read_text()
    assert (tmp_path / "table.csv").is_file()
    assert not (tmp_path / "report.html").exists()


def test_nothing_half_written_is_left_behind(tmp_path, monkeypatch):
    folder = write_run(tmp_path, [entry(ROWS[1], 1000, 20)])
    stepreports.write_report(folder)
    before = (folder / "report.html").read_text()
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space"):
        stepreports.write_report(folder)
    assert (folder / "report.html").read_text() == before
    assert not list(folder.glob(".*"))


@pytest.mark.slow
def test_fifty_thousand_records_make_a_page_of_less_than_twenty_megabytes(tmp_path):
    sizes = [(100 + 7 * k, 10 + k % 50, "synthetic") for k in range(2600)]
    folder = write_run(tmp_path, entries(sizes=sizes, dtypes=["float64", "float32"])[:50_000])
    page = stepreports.write_report(folder)
    assert page.stat().st_size < 20e6
