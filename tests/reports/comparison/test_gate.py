"""The gate: it fails beyond doubt only, and refuses what cannot be compared."""

from __future__ import annotations

import pytest

from stepreports import RecordError, gate
from stepreports.comparison.gate import Outcome
from synthetic_runs import MACHINE, ROWS, SIZES, entries, entry, write_run

FEW = {"rows": ROWS[:4], "sizes": SIZES[:3], "dtypes": ["float64"]}
OTHER = MACHINE | {"cpu": "Another processor"}


@pytest.fixture
def runs(tmp_path):
    def write(name, machine=MACHINE, **options):
        return write_run(tmp_path / name, entries(**FEW | options), run_id=name, machine=machine)

    return write


def test_a_run_slower_beyond_the_allowance_fails(runs):
    found = gate(runs("base"), runs("new", slowdown=1.2, seed=1), 10)
    assert found.exit_code == 1
    assert {each.outcome for each in found.comparisons} == {Outcome.SLOWER}
    assert "1.2" in found.lines[1]


def test_a_run_slower_within_the_allowance_passes(runs):
    assert gate(runs("base"), runs("new", slowdown=1.05, seed=1), 10).exit_code == 0


def test_an_interval_across_the_allowance_passes_and_says_that_it_cannot_tell(runs):
    found = gate(runs("base", noise=0.2), runs("new", slowdown=1.1, noise=0.2, seed=1), 10)
    assert found.exit_code == 0
    assert Outcome.UNKNOWN in {each.outcome for each in found.comparisons}
    assert any(line.startswith("cannot tell: ") for line in found.lines)


def test_a_run_against_itself_passes(runs):
    assert gate(runs("base"), runs("base"), 0.5).exit_code == 0


def test_machines_that_differ_are_compared_through_the_control_row(runs):
    twice_as_slow = runs("new", machine=OTHER, slowdown=2.0, seed=1)
    found = gate(runs("base"), twice_as_slow, 10)
    assert found.exit_code == 0  # everything slowed down alike: the machine, not the code
    assert "as ratios to numpy-blas" in found.lines[0]
    assert "numpy-blas" not in {each.row for each in found.comparisons}


def test_two_processors_of_one_name_are_two_machines(runs):
    first, second = (MACHINE | {"processor": {"family": "25", "model": model}} for model in ("1", "17"))
    found = gate(runs("base", machine=first), runs("new", machine=second, slowdown=2.0, seed=1), 10)
    assert found.exit_code == 0
    assert "the machines differ (model 1 against 17)" in found.lines[0]


def test_a_row_that_slowed_down_on_another_machine_is_still_found(tmp_path, runs):
    slower = [each for each in entries(**FEW, slowdown=2.0) if each["extra_info"]["row"] != "numba-loop"]
    slower += [entry(ROWS[2], m, n, dataset, slowdown=3.0) for m, n, dataset in SIZES[:3]]
    found = gate(runs("base"), write_run(tmp_path / "new", slower, run_id="new", machine=OTHER), 10)
    assert {each.row for each in found.comparisons if each.outcome == Outcome.SLOWER} == {"numba-loop"}


def test_machines_that_differ_without_a_shared_control_are_refused(runs, tmp_path):
    lonely = write_run(tmp_path / "new", [entry(ROWS[1], 1000, 20)], machine=OTHER)
    with pytest.raises(RecordError, match=r"Another processor.*no control row"):
        gate(runs("base"), lonely, 10)


def test_runs_without_a_case_in_common_are_refused(tmp_path):
    one, other = (write_run(tmp_path / str(m), [entry(ROWS[1], m, 20)]) for m in (100, 200))
    with pytest.raises(RecordError, match="nothing can be compared"):
        gate(one, other, 10)


def test_a_slower_case_is_told_apart_from_its_like(tmp_path):
    kinds = ({}, {"optimizer": "adam"}, {"cache": "cold"})
    base, new = (
        write_run(tmp_path / name, [entry(ROWS[1], 1000, 20, slowdown=slowdown, **kind) for kind in kinds])
        for name, slowdown in (("base", 1.0), ("new", 2.0))
    )
    told = {line.partition(" takes ")[0] for line in gate(base, new, 10).lines[1:]}
    cases = ("step float64", "step float64 adam", "step float64 cold")
    assert told == {f"slower: numpy-blas, {case} at 1,000 × 20" for case in cases}


def test_what_the_new_run_no_longer_timed_is_said(runs):
    found = gate(runs("base"), runs("new", rows=ROWS[:3]), 10)
    assert "not timed in the new run: numba-fused" in found.lines[-1]
