"""The gate: it fails beyond doubt only, and refuses what cannot be compared."""

from __future__ import annotations

import json
import math

import pytest

from stepreports import RecordError, gate, gate_as_json, gate_in_markdown, gate_lines
from stepreports.comparison.gate import Outcome
from synthetic_runs import MACHINE, ROWS, SIZES, entries, entry, write_run

FEW = {"rows": ROWS[:4], "sizes": SIZES[:3], "dtypes": ["float64"]}
OTHER = MACHINE | {"cpu": "Another processor"}


@pytest.fixture
def runs(tmp_path):
    def write(name, machine=MACHINE, **options):
        return write_run(tmp_path / name, entries(**FEW | options), run_id=name, machine=machine)

    return write


def slower(factor, *rows):
    """Benchmarks of a run in which some rows take so many times as long, and the others, the control too, do not."""
    sound = [each for each in entries(**FEW, seed=1) if each["extra_info"]["row"] not in {row.name for row in rows}]
    return sound + [entry(row, m, n, dataset, slowdown=factor, seed=1) for row in rows for m, n, dataset in SIZES[:3]]


@pytest.fixture
def one_slower(tmp_path):
    def write(factor, *rows, machine=MACHINE, failures=()):
        return write_run(
            tmp_path / "slower", slower(factor, *rows or ROWS[2:3]), run_id="new", machine=machine, failures=failures
        )

    return write


def told(found, width=math.inf):
    return "\n".join(gate_lines(found, width))


def test_a_row_slower_beyond_the_allowance_fails(runs, one_slower):
    found = gate(runs("base"), one_slower(1.2), 10)
    assert found.exit_code == 1
    assert {each.row for each in found.of(Outcome.SLOWER)} == {"numba-loop"}
    assert "1.2" in gate_lines(found)[2]


def test_a_row_slower_within_the_allowance_passes(runs, one_slower):
    assert gate(runs("base"), one_slower(1.05), 10).exit_code == 0


def test_what_the_machine_did_is_divided_away_and_said(runs):
    found = gate(runs("base"), runs("new", slowdown=2.0, seed=1), 10)
    assert found.exit_code == 0
    assert "numpy-blas" not in {each.row for each in found.comparisons}
    assert "control, numpy-blas, which itself took from " in gate_lines(found)[1]
    assert all(1.9 < moved.value < 2.1 for moved in found.moved.values())


def test_an_interval_across_the_allowance_is_unknown_and_fails_where_that_is_asked(runs):
    base, new = runs("base", noise=0.2), runs("new", noise=0.2, seed=1)
    found = gate(base, new, 1)
    assert found.exit_code == 0
    assert found.of(Outcome.UNKNOWN)
    assert "cannot tell: " in told(found)
    assert gate(base, new, 1, fail_unknown=True).exit_code == 1


def test_too_few_turns_tell_nothing(runs):
    few = {"generations": 1, "turns": 2}
    found = gate(runs("base", **few), runs("new", seed=1, **few), 10)
    assert {each.outcome for each in found.comparisons} == {Outcome.UNKNOWN}


def test_a_run_against_itself_passes(runs):
    assert gate(runs("base"), runs("base"), 0.5, fail_missing=True).exit_code == 0


def test_two_processors_of_one_name_are_two_machines(runs):
    first, second = (MACHINE | {"processor": {"family": "25", "model": model}} for model in ("1", "17"))
    found = gate(runs("base", machine=first), runs("new", machine=second, slowdown=2.0, seed=1), 10)
    assert found.exit_code == 0
    assert "The machines differ: model 1 against 17." in told(found)


def test_a_row_that_slowed_down_on_another_machine_is_still_found(runs, one_slower):
    found = gate(runs("base"), one_slower(1.5, machine=OTHER), 10)
    assert {each.row for each in found.of(Outcome.SLOWER)} == {"numba-loop"}


def test_runs_without_a_shared_control_are_refused(runs, tmp_path):
    lonely = write_run(tmp_path / "new", [entry(ROWS[1], 1000, 20)], machine=OTHER)
    with pytest.raises(RecordError, match=r"No control row.*Another processor"):
        gate(runs("base"), lonely, 10)


def test_runs_without_a_case_in_common_are_refused(runs):
    with pytest.raises(RecordError, match="nothing can be compared"):
        gate(runs("base", sizes=SIZES[:1]), runs("new", sizes=SIZES[1:2]), 10)


def test_a_slower_case_is_told_apart_from_its_like(tmp_path):
    kinds = ({}, {"optimizer": "adam"}, {"cache": "cold"})
    base, new = (
        write_run(
            tmp_path / name,
            [
                each
                for kind in kinds
                for each in (
                    entry(ROWS[1], 1000, 20, **kind),
                    entry(ROWS[1], 1000, 20, replica=1, **kind),
                    entry(ROWS[2], 1000, 20, slowdown=slowdown, **kind),
                )
            ],
        )
        for name, slowdown in (("base", 1.0), ("new", 2.0))
    )
    found = {each.case.in_words for each in gate(base, new, 10).of(Outcome.SLOWER)}
    cases = ("step float64", "step float64 adam", "step float64 cold")
    assert found == {f"{case} at 1,000 × 20" for case in cases}


def test_what_the_new_run_no_longer_timed_is_said_and_fails_where_that_is_asked(runs):
    base, new = runs("base"), runs("new", rows=ROWS[:3])
    found = gate(base, new, 50)
    assert found.exit_code == 0
    assert gate_lines(found)[-1].startswith("missing: ")
    assert gate_lines(found)[-1].endswith("of numba-fused: the new run was not asked for it.")
    assert gate(base, new, 50, fail_missing=True).exit_code == 1


def test_a_row_that_is_missing_because_it_was_wrong_fails_with_that_reason(tmp_path, runs):
    wrong = {"row": "numba-fused", "case": None, "kind": "disagreement", "skipped": False, "reason": "off by 9 bounds."}
    new = write_run(tmp_path / "new", entries(**FEW | {"rows": ROWS[:3]}), run_id="new", failures=[wrong])
    found = gate(runs("base"), new, 50)
    assert found.exit_code == 1
    assert "failed: numba-fused, " in told(found)
    assert "off by 9 bounds." in told(found)


def test_a_row_that_beats_the_limit_is_a_fault(tmp_path, runs):
    made = entries(**FEW)
    for each in made:
        each["extra_info"]["implausible"] = each["extra_info"]["row"] == "numba-fused"
    found = gate(runs("base"), write_run(tmp_path / "new", made, run_id="new"), 50)
    assert {each.row for each in found.faults} == {"numba-fused"}
    assert found.exit_code == 1


def test_the_table_is_sorted_and_everything_is_in_the_json(runs, one_slower):
    found = gate(runs("base"), one_slower(1.4), 10)
    document = json.loads(json.dumps(gate_as_json(found), allow_nan=False))
    ratios = [each["ratio"] for each in document["comparisons"]]
    assert ratios == sorted(ratios, reverse=True)
    assert len(ratios) == len(found.comparisons)
    assert document["failed"] is True
    outcomes = [line.split()[-1] for line in gate_lines(found) if line.endswith(("  slower", "  within"))]
    assert outcomes == sorted(outcomes)
    assert "## Stepbench gate: failed" in gate_in_markdown(found)


def test_a_narrow_screen_gets_a_table_without_intervals(runs, one_slower):
    found = gate(runs("base"), one_slower(1.4), 10)
    narrow = [line for line in gate_lines(found, 80) if line.endswith(("  slower", "  within"))]
    assert max(map(len, narrow)) <= 80
    assert any(line.endswith("  slower") for line in narrow)
