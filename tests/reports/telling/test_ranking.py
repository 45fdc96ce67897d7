"""The ranking: all rows of every case, the fastest first, tied where it cannot be told; and the user's own kernel."""

import json

import pytest

from stepreports.statistics.intervals import Verdict, ratio, verdict
from stepreports.statistics.runs import load_run
from stepreports.telling.own_kernels import own_kernel_lines
from stepreports.telling.ranking import rankings
from stepreports.telling.run_in_short import document, in_markdown
from stepreports.telling.summary import summary
from synthetic_runs import ROWS, SIZES, entries, entry, write_run


@pytest.fixture
def run(tmp_path):
    return load_run(write_run(tmp_path / "run", entries(sizes=SIZES[:3])))


@pytest.fixture
def own(tmp_path):
    made = [entry(row, 1000, 20, own_kernel=row is ROWS[2]) for row in ROWS[:4]]
    return load_run(write_run(tmp_path / "own", made))


def test_every_row_of_every_case_has_its_place(run):
    ranked = {ranking.case: {place.record.row.name for place in ranking.places} for ranking in rankings(run)}
    assert ranked == {case: set(records) for case, records in run.cases.items()}


def test_the_fastest_comes_first_and_ties_are_what_the_run_cannot_tell(run):
    for ranking in rankings(run):
        times = [place.record.seconds.value for place in ranking.places]
        assert times == sorted(times)
        first = ranking.places[0]
        for place in ranking.places[1:]:
            told = verdict(ratio(place.record.turns, first.record.turns), run.margin_of(ranking.case))
            assert place.tied == (told != Verdict.SLOWER)


def test_the_document_is_json_with_every_case_and_row(run):
    told = json.loads(json.dumps(document(run), allow_nan=False))
    assert [(case["op"], case["m"], case["n"], len(case["rows"])) for case in told["cases"]] == [
        (ranking.case.op, ranking.case.m, ranking.case.n, len(ranking.places)) for ranking in rankings(run)
    ]
    assert all(row["seconds_per_step"] > 0 for case in told["cases"] if case["op"] == "step" for row in case["rows"])


def test_in_markdown_every_row_stands_in_the_table_of_its_case(run):
    told = in_markdown(run)
    assert told.count("| row |") == len(run.cases)
    assert told.count("| `numba-fused` |") == sum("numba-fused" in records for records in run.cases.values())


def test_a_kernel_of_ones_own_is_told_first_and_against_the_others(own):
    (sentence,) = own_kernel_lines(own)
    assert sentence.startswith("`numba-loop`, your kernel, takes ")
    assert "`numpy-blas`" in sentence
    assert "`numba-fused`" in sentence
    told = summary(own)
    assert told.index("## Your kernels") < told.index(sentence) < told.index("## Fastest at each size")
    assert "`numba-loop` (yours)" in in_markdown(own)


def test_a_run_of_the_catalogues_rows_says_nothing_of_own_kernels(run):
    assert own_kernel_lines(run) == []
    assert "Your kernels" not in summary(run)
