"""Whether a run can be trusted: the page and the summary tell the self-test and what the time went to."""

from __future__ import annotations

import stepreports
from stepreports.page.report_page import words
from stepreports.statistics.runs import load_run
from stepreports.telling.summary import summary
from stepreports.telling.trust import overhead_in_words, self_test_lines
from synthetic_runs import SELF_TEST, SITTING, write_journal, write_self_test


def test_each_figure_of_the_self_test_is_told():
    told = {line["asked"]: line["found"] for line in self_test_lines(SELF_TEST)}
    assert told["an empty step"] == "150 ns"
    assert told["bias of the median of a step of 1 µs"] == "+3.40 %"
    assert told["bias of the median of a step of 2 ms"] == "\N{MINUS SIGN}0.02 %"
    assert told["a row against itself, called different"] == "1 of 200 times"
    assert told["a row made 5 % slower, seen where it could be"] == "158 of 160 times"
    assert told["too noisy to see 5 %"] == "40 of 200 times"
    assert told["cases in the shared cache"] == "margin 1.2 %, called different 1 of 80 times, 5 % seen 40 of 42 times"
    assert told["processes of one row, offset of X drawn, differed by"] == "1.9 %"
    assert "too noisy to see 3 %" in {line["asked"] for line in self_test_lines(SELF_TEST | {"slower": 0.03})}


def test_a_self_test_of_an_earlier_version_has_one_margin():
    earlier = {name: value for name, value in SELF_TEST.items() if name != "places"}
    told = {line["asked"]: line["found"] for line in self_test_lines(earlier)}
    assert told["the margin: nothing closer was called different"] == "1.2 %"


def test_a_self_test_that_passed_is_told_with_its_figures(small):
    write_self_test(small / "self-test.json")
    page = stepreports.write_report(small).read_text()
    assert "The harness can be trusted here." in page
    assert all(words(line["found"]) in page for line in self_test_lines(SELF_TEST))


def test_a_self_test_that_failed_says_so(small):
    write_self_test(small / "self-test.json", SELF_TEST | {"passed": False})
    assert "too noisy for the harness" in stepreports.write_report(small).read_text()


def test_without_a_self_test_the_page_names_the_command(small):
    assert "stepbench doctor --self-test --json" in stepreports.write_report(small).read_text()


def test_the_share_of_a_run_that_is_no_timed_round_is_told(small):
    write_journal(small, SITTING)
    told = overhead_in_words(load_run(small).overhead)
    assert told.startswith("Of the 10 seconds that the run took, 80 % went to what is not a timed round")
    assert told in summary(load_run(small))
    assert told in stepreports.write_report(small).read_text()
    assert told == stepreports.overhead_sentence(small)


def test_a_run_without_its_journal_says_nothing_of_its_time(small):
    assert load_run(small).overhead is None
    assert stepreports.overhead_sentence(small) is None
    assert "timed round" not in summary(load_run(small))
