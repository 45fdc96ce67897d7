"""What a journal holds: the last closed attempt counts, and a generation in which a row failed does not."""

from stepbench.run.attempts import finished_pairs, timings
from stepreports.records.journal import SCHEMA
from stepreports.records.last_attempts import last_attempts

HEADER = {"event": "run", "schema": SCHEMA}


def attempt(generation, case, *, failure=None):
    fields = {"case": case, "generation": generation, "participant": "numpy-blas"}
    failed = [{"event": "failure", "kind": failure, **fields}] if failure else []
    return [{"event": "bound", **fields}, *failed, {"event": "closed", "generation": generation, "case": case}]


def test_only_the_last_closed_attempt_counts():
    cut_off = {"event": "bound", "case": "a", "generation": 0, "participant": "numpy-blas", "first": True}
    events = [HEADER, cut_off, {"event": "resumed"}, *attempt(0, "a", failure="crash"), *attempt(0, "a")]
    (only,) = last_attempts(events).values()
    assert [event["event"] for event in only.events] == ["bound"]
    assert "first" not in only.events[0]


def test_a_resumed_run_redoes_what_failed_and_what_was_cut_off():
    events = [HEADER, *attempt(0, "a"), *attempt(0, "b", failure="crash"), *attempt(1, "a")[:-1]]
    assert finished_pairs(events) == {(0, "a")}


def turns(generation, seconds, *, failure=None):
    """An attempt at a case in which one row took a turn, and may have failed after it."""
    fields = {"case": "a", "generation": generation, "participant": "numpy-blas"}
    bound, *rest = attempt(generation, "a", failure=failure)
    return [bound, {"event": "round", "turn": 0, "order": 0, "seconds": seconds, **fields}, *rest]


def test_generations_are_in_order_whenever_they_were_timed():
    events = [HEADER, *turns(1, 0.5), {"event": "resumed"}, *turns(0, 0.25)]
    timing = timings(last_attempts(events))["numpy-blas", "a"]
    assert timing.seconds == [0.25, 0.5]
    assert timing.turns == {(0, 0): 0.25, (1, 0): 0.5}
    assert timing.generations == [0, 1]


def test_a_generation_in_which_a_row_failed_is_left_out():
    events = [HEADER, *turns(0, 0.25), *turns(1, 0.5, failure="crash")]
    assert timings(last_attempts(events))["numpy-blas", "a"].turns == {(0, 0): 0.25}
