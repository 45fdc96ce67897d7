"""The files of a report: all of them, each whole, and as many as a machine can make."""

from __future__ import annotations

import resource
import sys
from contextlib import contextmanager
from xml.etree import ElementTree

import pytest

import stepreports
from synthetic_runs import (
    FAILURES,
    MACHINE,
    READ_LIMIT,
    ROWS,
    SITTING,
    entries,
    entry,
    write_journal,
    write_run,
)


def test_all_that_is_public_can_be_loaded():
    assert all(callable(getattr(stepreports, name)) for name in stepreports.__all__)
    with pytest.raises(AttributeError, match="no attribute 'gates'"):
        stepreports.gates  # noqa: B018


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


@contextmanager
def full_disk(largest_bytes):
    """No file may become larger than so many bytes, as if the disk had no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("largest_bytes", [0, 20_000], ids=["full", "full after the table"])
def test_a_full_disk_is_a_sentence_and_no_record_is_touched(small, largest_bytes):
    write_journal(small, SITTING)
    before = {path.name: path.read_bytes() for path in small.iterdir()}
    with (
        full_disk(largest_bytes),
        pytest.raises(stepreports.RecordError, match=r"was not written \(.*: File too large"),
    ):
        stepreports.write_report(small)
    assert {name: (small / name).read_bytes() for name in before} == before
    assert not list(small.rglob(".*"))
    stepreports.write_report(small)


def test_a_folder_that_cannot_be_written_is_a_sentence(small):
    (small / "figures").write_text("in the way")
    with pytest.raises(stepreports.RecordError, match="Nothing that was measured is lost"):
        stepreports.write_report(small)


def test_a_comparison_that_cannot_be_written_is_a_sentence(small, tmp_path):
    other = write_run(tmp_path / "other", [entry(ROWS[1], 1000, 20)], run_id="other")
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(stepreports.RecordError, match="was not written"):
        stepreports.compare_report([small, other], tmp_path / "out")


def test_a_run_in_which_every_row_failed_says_so(tmp_path):
    failed = [{**FAILURES[2], "row": row.name, "reason": f"{row.name} crashed"} for row in ROWS]
    copy = {**failed[1], "row": f"{ROWS[1].name}#1"}
    page = stepreports.write_report(write_run(tmp_path, [entry(READ_LIMIT, 1000, 20)], [*failed, copy])).read_text()
    told = "Nothing was timed in this run: 9 rows failed."
    assert told in page
    assert told in (tmp_path / "summary.md").read_text()
    assert stepreports.answer_lines(tmp_path) == [told]
    assert all(f"{row.name} crashed" in page for row in ROWS)


def test_a_run_of_nothing_but_implausible_records_says_so(tmp_path):
    folder = write_run(tmp_path, [entry(ROWS[1], 1000, 20, implausible=True)], [])
    assert "1 row faster than the limit, which cannot be" in stepreports.write_report(folder).read_text()


HOSTILE = ["$\\frac{$", "../../up", "/etc/x", "a\nb\0c", "\u202egpj", "名前😀", "`a` **b** | c", "x" * 255, "."]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_is_only_a_name(tmp_path, name):
    benchmarks = [entry(row, 1000, 20, row=name) for row in (ROWS[0], READ_LIMIT)] + [entry(ROWS[1], 1000, 20)]
    folder = write_run(tmp_path / "deep" / "run", benchmarks, machine=MACHINE | {"cpu": name, "caches": {name: 50_000}})
    stepreports.write_report(folder)
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert {path.name for path in folder.parent.iterdir()} == {"run"}
    for drawing in (folder / "figures").glob("*.svg"):
        ElementTree.parse(drawing)
    assert len((folder / "table.csv").read_text().splitlines()) == 1 + len(benchmarks)


@pytest.mark.slow
def test_fifty_thousand_records_make_a_page_of_less_than_twenty_megabytes(tmp_path):
    sizes = [(100 + 7 * k, 10 + k % 50, "synthetic") for k in range(2600)]
    folder = write_run(tmp_path, entries(sizes=sizes, dtypes=["float64", "float32"])[:50_000])
    page = stepreports.write_report(folder)
    assert page.stat().st_size < 20e6
