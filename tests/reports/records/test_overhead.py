"""What a run's time went to, from its journal."""

from __future__ import annotations

import pytest

from stepreports.records.overhead import overhead_of
from synthetic_runs import SITTING, write_journal


def test_timed_rounds_last_as_many_iterations_as_their_case_was_bound_to(small):
    overhead = overhead_of(write_journal(small, SITTING))
    assert (overhead.elapsed_seconds, overhead.timed_seconds) == (10.0, 2.0)
    assert overhead.share == pytest.approx(0.8)


def test_a_resumed_run_took_as_long_as_its_sittings_together(small):
    write_journal(small, SITTING, [{"event": "resumed", "elapsed_seconds": 0.0}, *SITTING[1:]])
    assert overhead_of(small).elapsed_seconds == 20.0
    assert overhead_of(small).timed_seconds == 4.0


def test_a_journal_torn_at_its_end_still_counts(small):
    path = write_journal(small, SITTING) / "journal.jsonl"
    path.write_text(path.read_text() + '{"event": "tu')
    assert overhead_of(small).elapsed_seconds == 10.0


def test_a_journal_of_another_make_tells_no_overhead(small):
    write_journal(small, [{"event": "run", "schema": 0}, *SITTING[1:]])
    assert overhead_of(small) is None


def test_rounds_that_took_longer_than_the_run_tell_no_overhead(small):
    write_journal(small, [*SITTING[:3], {**SITTING[3], "seconds": 1e9}])
    assert overhead_of(small) is None


def test_a_round_of_a_number_of_calls_of_its_own_counts_as_many(small):
    write_journal(small, [*SITTING[:3], {**SITTING[3], "calls": 30}])
    assert overhead_of(small).timed_seconds == pytest.approx(4.0)


def test_a_run_without_its_journal_has_no_overhead(small):
    assert overhead_of(small) is None
