"""The tidy table: one line a record, and what each ratio in it is of."""

from __future__ import annotations

import csv
import re

import pytest

from stepreports.statistics.runs import load_run
from stepreports.telling.findings import answer
from stepreports.telling.tables import csv_text, markdown, table


@pytest.fixture(scope="module")
def lines(standard):
    with (standard / "table.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_the_table_has_a_line_for_each_record(standard, lines):
    assert len(lines) == len(load_run(standard).records)


def test_a_verdict_is_one_of_four_or_none(lines):
    found = {line["verdict_against_matrix_form"] for line in lines}
    assert {"faster", "slower", ""} <= found <= {"faster", "slower", "same", "cannot tell", ""}


def test_a_row_stands_against_the_matrix_form_and_the_limit_as_the_model_made_it(lines):
    (parallel,) = (
        line
        for line in lines
        if line["row"] == "numba-fused-parallel" and line["m"] == "1000000" and line["dtype"] == "float64"
    )
    assert float(parallel["times_matrix_form"]) == pytest.approx(0.55 / 0.30, rel=0.03)
    assert float(parallel["share_of_limit"]) == pytest.approx(0.27 / 0.30, rel=0.03)
    assert parallel["verdict_against_matrix_form"] == "faster"


def test_the_second_copy_of_the_control_alone_is_compared_with_the_first(standard):
    columns = table(load_run(standard))
    pairs = zip(columns["replica"], columns["times_first_copy"], strict=True)
    assert {(replica, gain is not None) for replica, gain in pairs} == {(0, False), (1, True)}


def test_what_is_told_of_the_gpu_is_in_the_table(standard):
    run, columns = load_run(standard), table(load_run(standard))
    (told,) = (claim for claim in answer(run) if claim.startswith("The GPU pays"))
    gain, after = re.search(r"is ([\d.]+)×", told)[1], re.search(r"after ([\d,]+) step", told)[1]
    assert any(cell and f"{cell:.3g}" == f"{float(gain):.3g}" for cell in columns["times_fastest_cpu"])
    assert float(after.replace(",", "")) in columns["break_even_steps_copied_first"]


def test_csv_has_six_digits_words_for_truth_and_nothing_for_what_was_not_measured():
    columns = {"row": ["a,b", 'c"d'], "seconds": [1.23456789, None], "implausible": [True, False], "m": [1000, 20]}
    assert csv_text(columns) == 'row,seconds,implausible,m\n"a,b",1.23457,true,1000\n"c""d",,false,20\n'


def test_a_bar_in_a_cell_does_not_end_it_in_markdown():
    assert markdown([{"row": "a|b", "time": "1 s"}]) == "| row | time |\n| :-- | --: |\n| a\\|b | 1 s |"
    assert markdown([]) == ""
