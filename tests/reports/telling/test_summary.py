"""The summary: the answer, the winners, what to doubt and what was not timed."""

from __future__ import annotations

import pytest

from stepreports.statistics.runs import load_run
from stepreports.telling.findings import answer, headline
from stepreports.telling.summary import failure_lines, summary, warnings, winners
from synthetic_runs import ROWS, entry, write_run

NUMPY = ROWS[1]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"noise": 1.0}, "this machine was busy"),
        ({"noise": 0.2}, "1 of 1 record varied by more than 10 %"),
        ({"implausible": True}, "faster than the measured limit"),
        ({"device_state": {"throttled": True}}, "throttled"),
    ],
)
def test_what_makes_a_number_doubtful_is_said(tmp_path, changed, said):
    (note,) = warnings(load_run(write_run(tmp_path, [entry(NUMPY, 1000, 20, **changed)])))
    assert said in note


def test_a_quiet_run_raises_no_warning(tmp_path):
    assert warnings(load_run(write_run(tmp_path))) == []


def test_the_summary_holds_the_answer_the_winners_and_what_was_not_timed(tmp_path):
    run = load_run(write_run(tmp_path))
    told = summary(run)
    assert all(claim in told for claim in (*headline(run), *answer(run)))
    assert "`triton-fused`: **crash**, the process ended with signal 11" in told
    assert "python -m pip install 'stepbench[jax]'" in told


def test_failures_that_differ_in_their_numbers_only_are_told_once_with_their_sizes(tmp_path):
    failed = {"row": "python-loop", "kind": "too-much-work", "skipped": True}
    failures = [failed | {"reason": f"{m * 100:g} elements are too many", "m": m, "n": 100} for m in (10**5, 10**6)]
    failures += [{"row": "x", "kind": "error", "skipped": False, "reason": why} for why in ("no file", "no memory")]
    assert failure_lines(load_run(write_run(tmp_path, failures=failures))) == [
        "`x`: **error**, no file",
        "`x`: **error**, no memory",
        "`python-loop`: 1e+07 elements are too many (2 cases: 100,000 × 100, 1,000,000 × 100)",
    ]


def test_the_device_is_told_where_there_are_several(tmp_path):
    assert "device" in winners(load_run(write_run(tmp_path / "both")))[0]
    assert "device" not in winners(load_run(write_run(tmp_path / "one", [entry(NUMPY, 1000, 20)])))[0]


def test_a_size_at_which_an_element_costs_far_more_than_at_both_neighbours_is_told(tmp_path):
    sizes = [(1000, 20), (20_000, 50), (100_000, 100)]

    def told(slowdown):
        made = [entry(ROWS[3], m, n, slowdown=slowdown if n == 50 else 1.0) for m, n in sizes]
        return warnings(load_run(write_run(tmp_path, made)))

    (note,) = told(4.0)
    assert note.startswith("`numba-fused`, step float64 at 20,000 × 50, is out of line: an element of X takes 2.")
    assert "at 1,000 × 20 and" in note
    assert told(1.5) == []
