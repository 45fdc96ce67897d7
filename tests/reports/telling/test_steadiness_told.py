"""A row of two kinds, or one that drifts, is never told by its median alone, wherever that is told."""

from __future__ import annotations

import csv
import random

import pytest

import stepreports
from stepreports.statistics.runs import load_run
from stepreports.telling.findings import answer
from stepreports.telling.run_in_short import document, in_markdown
from stepreports.telling.steadiness_told import is_steady, seconds_of, steadiness_lines, time_of
from stepreports.telling.summary import summary, warnings
from synthetic_runs import ROWS, entry, write_run

NUMPY, LOOP, FUSED = ROWS[1], ROWS[2], ROWS[3]


def two_kinds(stored, share=0.35, times=2.0, of_generations=None):
    """Some turns of a stored record take twice as long; or all, or nearly, of some generations."""
    draw = random.Random(5)
    data, generations = stored["stats"]["data"], stored["extra_info"]["generation"]
    chosen = set(draw.sample(range(len(data)), round(share * len(data))))
    slow = [g in of_generations if of_generations else i in chosen for i, g in enumerate(generations)]
    stored["stats"]["data"] = [each * (times if is_slow else 1.0) for each, is_slow in zip(data, slow, strict=True)]
    return stored


def drifting(stored, by=0.3):
    turns = stored["extra_info"]["turn"]
    data = stored["stats"]["data"]
    stored["stats"]["data"] = [each * (1 + by * t / max(turns)) for each, t in zip(data, turns, strict=True)]
    return stored


def measured(row, m=1000, n=20, /, **options):
    return entry(row, m, n, generations=3, turns=40, **options)


@pytest.fixture
def run(tmp_path):
    """One row of two kinds, one that drifts, one that is steady, and a control pair that is."""
    stored = [two_kinds(measured(NUMPY)), drifting(measured(LOOP)), measured(FUSED), measured(ROWS[4])]
    return load_run(write_run(tmp_path / "run", stored, failures=()))


def record_of(run, row):
    return next(record for record in run.records if record.row.name == row.name)


def test_both_levels_and_their_shares_stand_beside_the_median(run):
    record = record_of(run, NUMPY)
    assert not is_steady(record)
    shares = record.steadiness.kinds.slow_share
    assert shares == pytest.approx(0.35)
    for told in (time_of(record), seconds_of(record)):
        assert "65 % at " in told
        assert " and 35 % at " in told
    assert time_of(record_of(run, LOOP)).endswith("(drifting)")
    assert "(" not in time_of(record_of(run, FUSED))


def test_wherever_the_median_is_told_the_kinds_are(run):
    levels = time_of(record_of(run, NUMPY)).partition(" (")[2].rstrip(")")
    places = {"summary": summary(run), "markdown": in_markdown(run), "answer": "\n".join(answer(run))}
    assert {name: levels in told for name, told in places.items()} == dict.fromkeys(places, True)


def test_a_sentence_names_the_row_the_case_the_levels_and_the_shares(run):
    counts, *sentences = steadiness_lines(run)
    assert counts.startswith("Of 4 records, 1 with turns of two kinds and 1 with turns that drift")
    (kinds,) = (line for line in sentences if "`numpy-blas`" in line)
    assert "step float64 at 1,000 × 20: turns of two kinds, 65 % at " in kinds
    assert " and 35 % at " in kinds
    assert "in each process" in kinds
    (drift,) = (line for line in sentences if "`numba-loop`" in line)
    assert "30 % more at the end of a process than at its start" in drift.replace("29 %", "30 %").replace(
        "31 %", "30 %"
    )
    assert steadiness_lines(run) == [line for line in warnings(run) if line in steadiness_lines(run)]


def test_two_kinds_of_process_are_told_by_the_process(tmp_path):
    stored = two_kinds(entry(NUMPY, 1000, 20, generations=5, turns=40), of_generations={1, 3})
    _, line = steadiness_lines(load_run(write_run(tmp_path / "run", [stored])))
    assert "the latter in 2 of 5 processes" in line


def test_where_most_rows_have_two_kinds_it_is_the_machine(tmp_path):
    stored = [two_kinds(measured(row)) for row in ROWS[1:5]] + [two_kinds(measured(NUMPY, 20_000, 50))]
    _, at_large, alone = steadiness_lines(load_run(write_run(tmp_path / "run", stored)))
    assert at_large.startswith(
        "Step float64 at 1,000 × 20: 4 of 4 records have turns of two kinds, so it is this machine"
    )
    assert "20,000 × 50" in alone


def test_a_dozen_are_told_and_the_others_counted(tmp_path):
    stored = [two_kinds(measured(NUMPY, 1000 + m, 20)) for m in range(15)]
    _, *lines, last = steadiness_lines(load_run(write_run(tmp_path / "run", stored)))
    assert len(lines) == 12
    assert last == "3 records more: the column `turns_are` of table.csv."


def test_a_steady_run_says_nothing(tmp_path):
    stored = [measured(row) for row in ROWS[1:4]]
    assert steadiness_lines(load_run(write_run(tmp_path / "run", stored))) == []


def test_the_table_has_what_was_found_of_every_record(run):
    page = stepreports.write_report(run.folder)
    with (page.parent / "table.csv").open() as stream:
        lines = {line["row"]: line for line in csv.DictReader(stream)}
    assert [lines[row.name]["turns_are"] for row in (NUMPY, LOOP, FUSED)] == ["two kinds", "drifting", "steady"]
    kinds = lines["numpy-blas"]
    assert float(kinds["slow_kind_seconds_per_step"]) == pytest.approx(
        2 * float(kinds["fast_kind_seconds_per_step"]), rel=0.02
    )
    assert float(kinds["slow_kind_share"]) == pytest.approx(0.35)
    assert float(lines["numba-loop"]["drift_over_generation"]) == pytest.approx(0.3, abs=0.03)
    assert lines["numba-fused"]["slow_kind_share"] == lines["numba-fused"]["drift_over_generation"] == ""
    assert all(line["seconds_per_step_p5"] and line["seconds_per_step_p95"] for line in lines.values())


def test_a_program_reads_what_the_turns_are(run):
    (case,) = document(run)["cases"]
    assert {each["row"]: each["turns_are"] for each in case["rows"]} == {
        "numpy-blas": "two kinds", "numba-loop": "drifting", "numba-fused": "steady", "numba-fused-parallel": "steady",
    }  # fmt: skip
