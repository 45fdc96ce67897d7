"""The marks: read off the records of a run, and the page that shows them is never stale."""

from runs import ROOT
from stepbench.cases.presets import PRESETS, cases_of
from stepbench.evidence import marks
from stepbench.evidence.declared import BEST_OTHER, CALL, LIMIT, MARKS, OURS, SELF_TESTED, Mark
from stepbench.evidence.marks import Standing
from stepkernels.catalog import CATALOG
from stepreports.statistics.intervals import Estimate


def test_every_mark_is_of_a_case_of_its_preset_and_a_row_of_the_catalogue():
    timed = {(c.op, c.m, c.n, c.dtype, c.optimizer) for c in cases_of(PRESETS["marks"].groups, [2])}
    for mark in MARKS:
        assert (mark.op, mark.m, mark.n, mark.dtype, mark.optimizer) in timed
        assert mark.opponent in (*CATALOG, BEST_OTHER, LIMIT)


def test_ours_are_the_fused_rows_of_the_cpu_the_rows_that_the_room_names_among_them():
    assert OURS == ("numba-fused", "numba-fused-parallel")
    assert {CALL.row, SELF_TESTED} <= set(OURS)


def test_a_mark_is_reached_only_by_the_whole_interval():
    mark = Mark("step", 10, 10, "float64", "numpy-blas", 2.0)

    def standing(*interval):
        return Standing(mark, "numba-fused", "numpy-blas", Estimate(*interval) if interval else None).reached

    assert standing(2.2, 2.1, 2.3) == "reached"
    assert standing(2.2, 1.9, 2.3) == "reached by the median"
    assert standing(1.9, 1.8, 2.3) == "not reached"
    assert standing() == "not measured"


def test_a_stale_page_is_found_and_rewritten(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    page = tmp_path / marks.PAGE
    page.write_text("before\n<!-- stepbench:marks -->\nstale\n<!-- /stepbench:marks -->\nafter\n")
    assert marks.refresh(tmp_path, check=True) == 1
    assert "stale" in page.read_text()
    assert marks.refresh(tmp_path, check=False) == 0
    assert marks.refresh(tmp_path, check=True) == 0
    before, _, after = page.read_text().partition("<!--")
    assert before == "before\n"
    assert after.endswith("-->\nafter\n")


def test_the_page_of_the_repository_is_fresh():
    assert marks.refresh(ROOT, check=True) == 0
