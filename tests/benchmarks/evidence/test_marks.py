"""The marks: read off the records of a run, and the page that shows them is never stale."""

import pytest

from runs import ROOT
from stepbench.cases.presets import PRESETS, TRAIN_STEPS, TRAIN_STEPS_ON_GPU, cases_of
from stepbench.evidence import marks
from stepbench.evidence.declared import BEST_OTHER, CALL, GROUPS, ITSELF, LIMIT, MARKS, OURS, SELF_TESTED, Mark
from stepbench.evidence.marks import Standing
from stepkernels.catalog import CATALOG
from stepreports.statistics.intervals import Estimate
from stepreports.statistics.runs import load_run
from synthetic_runs import ROWS, entries, entry, write_run


def test_every_mark_is_of_a_case_of_its_preset_and_a_row_of_the_catalogue():
    for mark in MARKS:
        preset = PRESETS[GROUPS[mark.group]]
        cases = cases_of(preset.groups, [2])
        assert mark.storage in (None, *preset.storages)
        assert set(mark.rows) <= set(OURS[mark.device])
        timed = {(c.op, c.m, c.n, c.dtype, c.optimizer, c.steps) for c in cases}
        steps = 1 if mark.op == "step" else {"cpu": TRAIN_STEPS, "cuda": TRAIN_STEPS_ON_GPU}[mark.device]
        assert (mark.op, mark.m, mark.n, mark.dtype, mark.optimizer, steps) in timed
        assert mark.opponent in (BEST_OTHER, LIMIT, ITSELF) or CATALOG[mark.opponent].device == mark.device


def test_ours_are_the_fused_rows_of_a_device_the_rows_that_the_room_names_among_them():
    assert OURS == {
        "cpu": (
            "numba-fused-simple",
            "numba-fused",
            "numba-fused-parallel",
            "cpp-fused",
            "cpp-fused-parallel",
            "torch-distributed-cpu",
        ),
        "cuda": ("cupy-fused", "triton-fused", "numba-cuda-fused", "torch-distributed-cuda"),
    }
    assert {CALL.row, SELF_TESTED} <= set(OURS["cpu"])


def test_a_mark_is_reached_only_by_the_whole_interval():
    mark = Mark("step", 10, 10, "float64", "numpy-blas", 2.0)

    def standing(*interval):
        return Standing(mark, "numba-fused", "numpy-blas", Estimate(*interval) if interval else None).reached

    assert standing(2.2, 2.1, 2.3) == "reached"
    assert standing(2.2, 1.9, 2.3) == "reached by the median"
    assert standing(1.9, 1.8, 2.3) == "not reached"
    assert standing() == "not measured"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The CPU rows at the size of a call's mark, where a train was timed too, and at another mark's."""
    rows = [row for row in ROWS if row.device == "cpu"]
    sizes = [(CALL.m, CALL.n, "synthetic"), (20_000, 50, "synthetic")]
    return load_run(write_run(tmp_path_factory.mktemp("marks"), entries(rows, sizes, ["float64"])))


def test_the_faster_of_ours_stands_against_the_fastest_of_the_others(run):
    standings = marks.standings(run, "cpu")
    (found,) = (each for each in standings if (each.mark.m, each.mark.opponent) == (20_000, BEST_OTHER))
    (timed,) = (rows for case, rows in run.cases.items() if (case.op, case.m) == ("step", 20_000))
    ours, others = ([row for row in timed if (row in OURS["cpu"]) == fused] for fused in (True, False))
    assert found.ours == min(ours, key=lambda row: timed[row].seconds.value)
    assert found.opponent == min(others, key=lambda row: timed[row].seconds.value)
    assert found.measured is not None


def test_a_mark_whose_case_was_not_timed_is_not_measured(run):
    assert {each.mark.m for each in marks.standings(run, "cpu") if each.measured is not None} == {20_000}
    assert marks.groups_of(run) == ["cpu"]


def test_a_mark_of_a_gpu_is_of_rows_on_it_and_of_its_limit(tmp_path):
    entries_of_all = entries(ROWS, [(4_000_000, 100, "synthetic")], ["float32"])
    run = load_run(write_run(tmp_path, entries_of_all))
    limit, best, *_ = (each for each in marks.standings(run, "cuda") if each.measured is not None)
    assert {limit.ours, best.ours} <= set(OURS["cuda"])
    assert (limit.base.row.device, best.base.row.device) == ("cuda", "cuda")
    assert marks.groups_of(run) == ["cuda"]


def test_a_mark_of_a_narrow_storage_is_over_our_fastest_in_float32(tmp_path):
    rows = [row for row in ROWS if row.name in ("numba-fused", "numba-fused-parallel")]
    distance = {"J": 1e-6, "gw": 1e-5, "coefficients": 1e-4, "accuracy": 0.9, "accuracy_stored": 0.9}
    at = (1_000_000, 20)
    wide = [entry(row, *at, dtype="float32") for row in rows]
    narrow = [entry(row, *at, dtype="float32", slowdown=0.5, storage="int8", distance=distance) for row in rows]
    narrow += [entry(row, *at, dtype="float32", slowdown=0.6, storage="float16", distance=distance) for row in rows]
    run = load_run(write_run(tmp_path, [*wide, *narrow]))
    (found,) = (each for each in marks.standings(run, "narrow") if each.measured is not None)
    assert (found.mark.storage, found.ours, found.opponent) == ("float16", "numba-fused-parallel", ITSELF)
    assert found.measured.value == pytest.approx(1 / 0.6, rel=0.05)
    assert found.reached == "reached"


def test_a_call_costs_what_step_takes_beyond_a_step_of_train(run):
    timed = {case.op: rows[CALL.row].seconds.value for case, rows in run.cases.items() if case.m == CALL.m}
    line = marks.table(run, "cpu").splitlines()[-1]
    assert line.startswith("| 1,000 × 20, one call of step | a step inside train |")
    assert "2 threads allowed | +3 µs |" in line
    assert f"| {(timed['step'] - timed['train']) * 1e6:+.2g} µs |" in line


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
