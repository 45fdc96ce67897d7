"""What a sceptic asks of a run: the harness tested on the same machine, and what the run's time went to."""

from __future__ import annotations

import pytest

import stepreports
from stepreports.page.report_page import words
from stepreports.records.files import RecordError
from stepreports.records.journal import SCHEMA
from stepreports.records.overhead import overhead_of
from stepreports.statistics.runs import load_run
from stepreports.telling.summary import summary
from stepreports.telling.trust import overhead_in_words, self_test_lines
from synthetic_runs import ROWS, SELF_TEST, entry, write_journal, write_run, write_self_test

HEADER = {"event": "run", "schema": SCHEMA, "elapsed_seconds": 0.1}
BOUND = {"event": "bound", "elapsed_seconds": 4.0, "participant": "a", "case": "c", "iterations": 10}
ROUNDS = [
    {"event": "round", "elapsed_seconds": elapsed, "participant": "a", "case": "c", "seconds": 0.1}
    for elapsed in (7.0, 10.0)
]


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "machine" / "run", [entry(ROWS[1], 1000, 20)])


@pytest.mark.parametrize("place", [".", ".."])
def test_a_self_test_is_found_beside_the_run_and_beside_its_folder(run, place):
    write_self_test(run / place / "self-test.json")
    assert load_run(run).self_test == SELF_TEST
    page = stepreports.write_report(run).read_text()
    assert "The harness can be trusted here." in page
    assert all(words(line["found"]) in page for line in self_test_lines(SELF_TEST))


def test_each_figure_of_the_self_test_is_told(run):
    told = {line["asked"]: line["found"] for line in self_test_lines(SELF_TEST)}
    assert told["an empty step"] == "150 ns"
    assert told["bias of the median of a step of 1 µs"] == "+3.40 %"
    assert told["bias of the median of a step of 2 ms"] == "\N{MINUS SIGN}0.02 %"
    assert told["a row against itself, called different"] == "1 of 200 times"
    assert told["a row made 5 % slower, seen where it could be"] == "158 of 160 times"
    assert told["too noisy to see 5 %"] == "40 of 200 times"
    assert "too noisy to see 3 %" in {line["asked"] for line in self_test_lines(SELF_TEST | {"slower": 0.03})}


def test_a_self_test_that_failed_says_so(run):
    write_self_test(run / "self-test.json", SELF_TEST | {"passed": False})
    assert "too noisy for the harness" in stepreports.write_report(run).read_text()


def test_without_a_self_test_the_page_names_the_command(run):
    assert "stepbench doctor --self-test --json" in stepreports.write_report(run).read_text()


def test_a_self_test_of_another_machine_or_without_figures_is_passed_over(run):
    write_self_test(run / "self-test.json", cpu="Another CPU")
    assert load_run(run).self_test is None
    (run / "self-test.json").write_text('{"machine": {}, "self_test": null}')
    assert load_run(run).self_test is None


def test_a_self_test_cut_off_gets_a_sentence(run):
    (run / "self-test.json").write_text('{"machine": {"cpu"')
    with pytest.raises(RecordError, match="not whole JSON"):
        load_run(run)


def test_the_share_of_a_run_that_is_no_timed_round(run):
    write_journal(run, [HEADER, BOUND, *ROUNDS])
    overhead = load_run(run).overhead
    assert (overhead.elapsed_seconds, overhead.timed_seconds) == (10.0, 2.0)
    told = overhead_in_words(overhead)
    assert told.startswith("Of the 10 seconds that the run took, 80 % went to what is not a timed round")
    assert told in summary(load_run(run))
    assert told in stepreports.write_report(run).read_text()


def test_a_resumed_run_took_as_long_as_its_sittings_together(run):
    write_journal(run, [HEADER, BOUND, *ROUNDS], [{"event": "resumed", "elapsed_seconds": 0.0}, BOUND, *ROUNDS])
    assert overhead_of(run).elapsed_seconds == 20.0
    assert overhead_of(run).timed_seconds == 4.0


def test_a_journal_torn_at_its_end_still_counts_and_a_damaged_one_gets_a_sentence(run):
    path = write_journal(run, [HEADER, BOUND, *ROUNDS]) / "journal.jsonl"
    path.write_text(path.read_text() + '{"event": "tu')
    assert overhead_of(run).elapsed_seconds == 10.0
    path.write_text(path.read_text() + "rn\n{}\n")
    with pytest.raises(RecordError, match="line 5, is not JSON"):
        load_run(run)


def test_a_run_without_its_journal_says_nothing_of_it(run):
    assert load_run(run).overhead is None
    assert "timed round" not in summary(load_run(run))
