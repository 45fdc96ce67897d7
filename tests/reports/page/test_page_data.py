"""The data that the page's script works on: the numbers of table.csv, packed."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re

import pytest

import stepreports
from synthetic_runs import ROWS, entry, write_run


def data_of(page):
    """The data of a page, unpacked."""
    return json.loads(gzip.decompress(base64.b64decode(re.search('id="data">([^<]*)<', page)[1])))


def as_stored(cell):
    """A cell of table.csv as JSON would have it."""
    words = {"": None, "true": True, "false": False}
    return words[cell] if cell in words else float(cell) if re.fullmatch(r"[-+.e\d]+", cell) else cell


def test_every_cell_of_the_raw_table_is_that_of_the_table(standard):
    columns = data_of((standard / "report.html").read_text())["columns"]
    with (standard / "table.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert {"row", "m", "implausible", "seconds_per_step", "times_matrix_form", "x_bytes"} <= columns.keys()
    for name, column in columns.items():
        cells = column.get("cells") or [column["values"][code] for code in column["codes"]]
        expected = [as_stored(line[name]) for line in lines]
        assert cells == [pytest.approx(each, rel=1e-5) if isinstance(each, float) else each for each in expected]


def test_a_name_in_the_data_cannot_end_the_script_that_holds_it(tmp_path):
    script = "<script>alert(1)</script>"
    page = stepreports.write_report(write_run(tmp_path, [entry(ROWS[1], 1000, 20, script, row=script)])).read_text()
    assert script not in page
    assert script in data_of(page)["rows"]
