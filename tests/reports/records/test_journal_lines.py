"""A line of a journal that cannot be believed costs its case and no more, and is told by its number and its field."""

from __future__ import annotations

import json

import pytest

import stepreports
from stepreports.records.files import RecordError
from stepreports.records.journal import SCHEMA, read_events, read_journal
from synthetic_runs import write_journal

HEADER = {"event": "run", "schema": SCHEMA, "elapsed_seconds": 0.1}
RESUMED = {"event": "resumed", "elapsed_seconds": 0.0}
ATTEMPT = 4  # lines: bound, two turns, closed


def attempt(case, generation=0, *, seconds=1e-3):
    who = {"participant": "a", "case": case, "generation": generation}
    rounds = [{"event": "round", **who, "turn": turn, "seconds": seconds} for turn in range(2)]
    return [{"event": "bound", **who, "iterations": 10}, *rounds, {"event": "closed", **who}]


def cases(events):
    return [event["case"] for event in events if event["event"] == "closed"]


def journal_of(folder, lines):
    """A journal of three cases, some of its lines others: by number, bytes."""
    write_journal(folder, [HEADER, *attempt("c"), *attempt("d"), *attempt("e")])
    path = folder / "journal.jsonl"
    written = path.read_bytes().split(b"\n")
    for number, line in lines.items():
        written[number - 1] = line
    path.write_bytes(b"\n".join(line for line in written if line is not None))
    return read_journal(folder)


def changed(case, place, **fields):
    return json.dumps(attempt(case)[place] | fields).encode()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"3", "line 8 cannot be read: 3 is no object"),
        (b"[1]", r"line 8 cannot be read: \[1\] is no object"),
        (b"", "line 8, is not whole JSON"),
        (b"\xff\xfe", "line 8, is not whole JSON"),
        (b'{"event": "rou', "line 8, is not whole JSON"),
        (b"[" * 100_000, "line 8, is not whole JSON"),
        (changed("d", 2, seconds=-1.0), r"line 8, seconds, cannot be read: -1\.0 is no float >= 1e-15"),
        (changed("d", 2, seconds=float("nan")), "line 8, is not whole JSON"),
        (changed("d", 2, seconds=1e308), "line 8, seconds, cannot be read"),
        (changed("d", 2, turn="x"), "line 8, turn, cannot be read: 'x' is no int"),
        (changed("d", 2, turn=0), "line 8, tells of turn 0 of 'a' a second time"),
        (changed("d", 2, participant="b"), "line 8, tells of a turn of 'b', which had not bound the case"),
        (changed("d", 2, participant=None), "line 8, participant, cannot be read: None is no str"),
        (b'{"event": "round", "participant": "a", "case": "d"}', "line 8 has no 'generation'"),
        (b'{"event": 3}', "line 8, event, cannot be read: 3 is no str"),
        (json.dumps(HEADER).encode(), "line 8, begins the run a second time"),
    ],
)
def test_a_line_in_a_case_costs_that_case(small, line, said):
    found = journal_of(small, {8: line})
    assert cases(found.events) == ["c", "e"]
    (loss,) = found.losses
    assert loss.startswith("journal.jsonl, ")
    with pytest.raises(RecordError, match=said):
        raise RecordError(loss)
    assert "What generation 0 timed of d is left out" in loss


@pytest.mark.parametrize(("number", "costs"), [(5, "c"), (6, "d"), (9, "d"), (10, "e")], ids=str)
def test_a_line_at_the_edge_of_two_cases_costs_one(small, number, costs):
    found = journal_of(small, {number: b"damaged"})
    assert cases(found.events) == [case for case in "cde" if case != costs]
    assert f"timed of {costs} is left out" in found.losses[0]


def test_a_closing_line_that_is_gone_costs_its_case(small):
    found = journal_of(small, {5: None})
    assert cases(found.events) == ["d", "e"]
    assert "line 5, is of another case before the last one was closed" in found.losses[0]


def test_a_closing_line_that_stands_twice_takes_nothing_away(small):
    closed = json.dumps(attempt("c")[-1]).encode()
    found = journal_of(small, {5: closed + b"\n" + closed})
    assert [event["event"] for event in found.events].count("round") == 6
    assert cases(found.events).count("c") == 1


def test_a_case_that_was_timed_again_is_no_loss(small):
    broken = [*attempt("c")[:2], {"event": "round"}, attempt("c")[-1]]
    write_journal(small, [HEADER, *broken, RESUMED, *attempt("c")])
    found = read_journal(small)
    assert cases(found.events) == ["c"]
    assert found.losses == []


def test_fields_that_nobody_knows_are_kept_and_absent_ones_are_none(small):
    with_more = [event | {"drawn": [1, 2]} for event in attempt("c")]
    bound, first, *_ = read_journal(write_journal(small, [HEADER, *with_more])).events[1:]
    assert (bound["drawn"], first["drawn"]) == ([1, 2], [1, 2])
    assert bound["pools"] is None


def test_an_event_that_nobody_knows_is_kept(small):
    write_journal(small, [HEADER, {"event": "two runs at once", "who": "another"}, *attempt("c")])
    assert read_events(small)[1]["who"] == "another"


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (b"[]", "does not start with a run"),
        (b"\xff", "does not start with a run"),
        (b'{"event": "run"}', "has schema None"),
        (b'{"event": "run", "schema": true}', "line 1, schema, cannot be read: True is no int"),
        (b'{"event": "run", "schema": 1, "plan": 3}', "line 1, plan, cannot be read: 3 is no object"),
        (b'{"event": "run", "schema": 1, "plan": {}, "run_id": "x"}', "line 1, has no 'datetime'"),
    ],
)
def test_a_first_line_that_cannot_be_believed_costs_the_journal(small, first, said):
    with pytest.raises(RecordError, match=said):
        journal_of(small, {1: first})


def test_a_report_says_what_its_journal_lost(small):
    journal_of(small, {8: b"damaged"})
    page = stepreports.write_report(small).read_text()
    assert "line 8, is not whole JSON" in page
    assert "line 8, is not whole JSON" in (small / "summary.md").read_text()


def test_a_report_is_made_without_a_journal_that_cannot_be_read(small):
    (small / "journal.jsonl").write_bytes(b"\xff")
    stepreports.write_report(small)
    assert "does not start with a run" in (small / "summary.md").read_text()
