"""The tables of the page: every number told of a row is in table.csv, to the digits told."""

from __future__ import annotations

import re

import pytest

from stepreports.page import sections
from stepreports.statistics.runs import load_run
from stepreports.statistics.views import views
from stepreports.telling.tables import table
from synthetic_runs import SIZES, entries, write_run

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
            yield rung.row, [rung.time, rung.over_below, rung.over_loop]


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
    assert missing == []
