"""What the records of a run must be beside its journal: each check yields a sentence for a fault.

The journal has a line for every round, as it was timed, in the order in which it was: a turn's order is drawn from the
seed, so a turn that is taken out, or put in, leaves an order that the seed does not give.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations
from typing import Any

from stepreports.records.journal import Event
from stepreports.records.last_attempts import Attempt, Pair
from stepreports.records.turn_order import TURNS_APART, order_of_turn, turns_of_large_data
from stepreports.records.validation import one_line
from stepreports.submission.checks_of_records import ROUNDING, name_of
from stepreports.submission.contents import Submission, key_of
from stepreports.telling import text

_OF_THE_RUN = ("limits", "other_runs", "resumed_anyway")  # said of the machine in the records, and no part of it
_DISBELIEVED = frozenset({"disagreement", "implausible"})  # a row found so in one generation has no time at a case
_BELIEVED_NOWHERE = "implausible"  # the kind of failure for which a row has no time at any case
_MOST_FAILED = 4  # in one turn, of whom it is tried out whether they were asked
_CLOCK = 2e-3  # seconds by which two clocks of one round may differ


def the_run_was_finished(submission: Submission) -> Iterator[str]:
    """Every case of the plan has its generations, and nothing of the journal is lost."""
    yield from (one_line(loss) for loss in submission.losses)
    if not any(event["event"] == "finished" for event in submission.events):
        yield "the run was not finished; go on with `stepbench run --resume`"
    for generation in range(submission.plan.generations):
        for case in _case_names(submission):
            if (generation, case) not in submission.attempts:
                yield f"the journal has no generation {generation} of {case}"


def the_run_was_made_as_it_says(submission: Submission) -> Iterator[str]:
    """One machine, one commit, one program, and nothing else timed meanwhile: as the journal began."""
    header = submission.header
    machine = {name: value for name, value in submission.machine.items() if name not in _OF_THE_RUN}
    began = header.get("machine") or {}
    for fact in dict.fromkeys([*began, *machine]):
        if machine.get(fact) != began.get(fact):
            yield f"the machine's {fact.replace('_', ' ')} in benchmark.json is not that of the journal"
    if submission.commit != (header.get("commit") or {}):
        yield "the commit in benchmark.json is not that of the journal"
    if submission.when != header.get("datetime") or submission.run.run_id != header.get("run_id"):
        yield "benchmark.json and the journal are of two runs"
    seed = str(submission.plan.seed)
    if seeds := {str(entry["extra_info"].get("seed")) for entry in submission.benchmarks} - {seed}:
        yield f"the records have the seed {text.listed(sorted(seeds))}, and the journal {seed}"
    if submission.machine.get("resumed_anyway"):
        yield "the run was resumed as another program than it was begun"
    if submission.machine.get("other_runs"):
        yield "another run timed on this machine at the same time; time it again alone"


def the_commit_is_clean(submission: Submission) -> Iterator[str]:
    """Others can have the same program."""
    if not submission.commit.get("id"):
        yield "the records name no commit; run it from a checkout"
    elif submission.commit.get("dirty"):
        yield "the checkout had uncommitted changes, so nobody else has this program; commit them, and run again"
    if submission.plan.kernels or submission.plan.data:
        yield "the run timed files of its own, which nobody else has"


def records_are_those_of_the_journal(submission: Submission) -> Iterator[str]:
    """The rounds of each record are those of the journal: none left out, none put in, none changed."""
    rounds = _rounds_that_count(submission)
    stored = {_key_of(entry): entry for entry in submission.benchmarks}
    for key, entry in stored.items():
        expected = rounds.get(key, [])
        for field, values in _fields_of(entry).items():
            if values != [event.get(field) for event in expected]:
                count = f"{len(values)} turns in benchmark.json, {len(expected)} in the journal"
                yield f"{name_of(entry)}: its {field} is not that of the journal ({count})"
                break
    failed = {(failure.row, failure.case) for failure in submission.run.failures}
    nowhere = {failure.row for failure in submission.run.failures if failure.kind == _BELIEVED_NOWHERE}
    for row, case in rounds:
        if (row, case) not in stored and (row, case) not in failed and row not in nowhere:
            yield f"{row} at {case} is in the journal, and neither in benchmark.json nor in failures.json"


def every_row_is_told_of(submission: Submission) -> Iterator[str]:
    """Whoever was planned took part in each case, or there is a reason on record."""
    skipped = {(skip.row, skip.case) for skip in submission.plan.skips}
    for (generation, case), attempt in submission.attempts.items():
        present = {event["participant"] for event in attempt.events}
        for planned in submission.plan.participants:
            row = planned.row.name
            is_left_out = {(row, None), (row, case)} & skipped or planned.storage  # which not every dtype has
            if planned.role == "row" and planned.key not in present and not is_left_out:
                where = f"generation {generation} of {case}"
                yield f"{planned.key} is planned, and the journal has nothing of it in {where}"


def turns_are_in_the_order_of_the_seed(submission: Submission) -> Iterator[str]:
    """Each turn visits those who take it in the order that the seed gives, and nobody misses one."""
    ranks = {planned.key: rank for rank, planned in enumerate(submission.plan.participants)}
    for pair, attempt in submission.attempts.items():
        yield from _turns_missed(submission, pair, attempt)
        if fault := _out_of_order(submission, pair, attempt, ranks):
            yield fault


def rounds_fit_their_clocks(submission: Submission) -> Iterator[str]:
    """A round takes what was told and seen of it, and no longer than lies between it and the line before it."""
    before = 0.0
    for event in submission.events:
        now = event.get("elapsed_seconds") or 0.0
        if event["event"] == "resumed":
            before = now
        if now < before:
            yield f"the journal's clock goes back after {before:.3f} s"
            return
        if event["event"] == "round" and (fault := _off_its_clocks(event, now - before)):
            where = f"turn {event['turn']} of generation {event['generation']} of {event['case']}"
            yield f"{event['participant']} in {where} {fault}"
            return
        before = now


def _off_its_clocks(event: Event, since: float) -> str | None:
    told, seen, calls = (event.get(name) for name in ("told_seconds", "seen_seconds", "calls"))
    if told is None or seen is None or calls is None:
        return "does not say what its two clocks showed"
    lasted = event["seconds"] * calls
    if not min(told, seen) * (1 - ROUNDING) <= lasted <= max(told, seen) * (1 + ROUNDING):
        return f"tells {lasted:.6g} s, and its clocks showed {told:.6g} and {seen:.6g} s"
    return f"took {seen:.6g} s in {since:.6g} s" if seen > since + _CLOCK else None


def _case_names(submission: Submission) -> list[str]:
    """The cases as the journal names them; what is planned and has no attempt at all shows in the number of them."""
    names = dict.fromkeys(case for _, case in submission.attempts)
    planned = len(submission.plan.cases)
    return [*names, *(f"a case that is planned ({number})" for number in range(len(names) + 1, planned + 1))]


def _rounds_that_count(submission: Submission) -> dict[tuple[str, str], list[Event]]:
    """The rounds of each participant at each case, but for generations in which it failed, and for cheats."""
    failures = [failure for attempt in submission.attempts.values() for failure in attempt.failures]
    refused = {(each["participant"], each["case"]) for each in failures if each["kind"] in _DISBELIEVED}
    found: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for _, attempt in sorted(submission.attempts.items(), key=lambda pair: pair[0][0]):
        left = {failure["participant"] for failure in attempt.failures}
        for event in attempt.events:
            key = event["participant"], event["case"]
            if event["event"] == "round" and key[0] not in left and key not in refused:
                found[key].append(event)
    return found


def _fields_of(entry: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    info = entry["extra_info"]
    named = {name: info.get(name) or [] for name in ("generation", "turn", "order", "calls")}
    return {**named, "seconds": entry["stats"]["data"]}


def _key_of(entry: Mapping[str, Any]) -> tuple[str, str]:
    info = entry["extra_info"]
    return key_of(info["row"], info["replica"], info.get("storage")), str(entry.get("group"))


def _turns_missed(submission: Submission, pair: Pair, attempt: Attempt) -> Iterator[str]:
    """Everybody who did not leave takes every turn, or one in four."""
    planned = submission.plan.turns
    left = {failure["participant"] for failure in attempt.failures}
    taken: dict[str, list[int]] = defaultdict(list)
    for event in attempt.events:
        if event["event"] == "round" and event["participant"] not in left:
            taken[event["participant"]].append(event["turn"])
    count = 1 + max((turns[-1] for turns in taken.values()), default=-1)
    if taken and count not in (planned, turns_of_large_data(planned, submission.plan.generations)):
        yield f"generation {pair[0]} of {pair[1]} has {count} turns, and {planned} were planned"
    whole = (range(count), range((count - 1) % TURNS_APART, count, TURNS_APART))
    for participant, turns in taken.items():
        if not any(turns == list(each) for each in whole):
            yield f"{participant} has {len(turns)} of {count} turns in generation {pair[0]} of {pair[1]}"


def _out_of_order(submission: Submission, pair: Pair, attempt: Attempt, ranks: Mapping[str, int]) -> str | None:
    """The first turn that is not as the seed gives it.

    Who fails in a turn was in its order, or had failed just before: either may be.
    """
    generation, case = pair
    for turn, (rounds, failed) in _by_turn(attempt.events).items():
        found = {event["participant"]: event["order"] for event in rounds}
        for missing in _subsets([each for each in failed if each not in found][:_MOST_FAILED]):
            asked = sorted([*found, *missing], key=lambda name: ranks.get(name, len(ranks)))
            order = order_of_turn(submission.plan.seed, generation, case, turn, asked)
            places = {name: place for place, name in enumerate(order) if name in found}
            if list(places.items()) == list(found.items()):
                break
        else:
            return f"turn {turn} of generation {generation} of {case} is not in the order that the seed gives"
    return None


def _by_turn(events: Sequence[Event]) -> dict[int, tuple[list[Event], list[str]]]:
    """The rounds of each turn as they stand, and who failed between the turn before it and the turn after it."""
    rounds: dict[int, list[Event]] = defaultdict(list)
    failed: dict[int, list[str]] = defaultdict(list)
    waiting: list[str] = []
    for event in events:
        if event["event"] == "failure":
            waiting.append(event["participant"])
            failed[max(rounds, default=-1)].append(event["participant"])
        elif event["event"] == "round":
            if event["turn"] not in rounds:
                failed[event["turn"]] += waiting
                waiting = []
            rounds[event["turn"]].append(event)
    return {turn: (found, failed[turn]) for turn, found in rounds.items()}


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(names, count) for count in range(len(names) + 1))
