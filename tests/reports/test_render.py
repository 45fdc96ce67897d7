"""The files of a report: all of them, each whole, and as many as a machine can make."""

from __future__ import annotations

import sys

import pytest

import stepreports
from synthetic_runs import ROWS, entries, entry, write_run


def test_all_files_of_a_report_are_written(standard):
    assert {path.name for path in standard.iterdir()} >= {"report.html", "summary.md", "table.csv", "figures"}
    drawn = {path.suffix for path in (standard / "figures").iterdir()}
    assert drawn == {".svg", ".png"}


@pytest.mark.parametrize("absent", ["matplotlib", "jinja2"])
def test_a_bare_machine_gets_a_summary_and_a_table(tmp_path, monkeypatch, absent):
    monkeypatch.setitem(sys.modules, absent, None)
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
