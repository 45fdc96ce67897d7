"""A scaling, timed: at each size the single processes and the ranks in the same turns, then what a step is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from stepbench.machine.description import describe_machine
from stepbench.machine.threads import default_budget
from stepbench.run.in_turns import InTurns, timed_or_failed
from stepbench.run.participants import Participant
from stepbench.run.progress import Progress
from stepbench.run.scaling.parts_of_step import PartsError, parts_of_step
from stepbench.run.scaling.scale_question import (
    GENERATIONS,
    OF_ONE_THREAD,
    TURNS,
    Place,
    ScaleQuestion,
    group_name,
    group_row,
    participants_of_place,
)
from stepkernels.interface import Implementation
from stepreports.comparison.scaling_report.scale_records import Failed, ScaleRecord, Timed


def units_of_work(question: ScaleQuestion) -> int:
    """What a progress bar counts."""
    return len(question.places) * GENERATIONS + sum(len(place.ranks) for place in question.places)


def time_scale(question: ScaleQuestion, progress: Progress) -> ScaleRecord:
    """Everything that a report of it needs. A participant that fails, or is wrong, leaves the others alone."""
    record = ScaleRecord(
        row=question.row,
        weak=question.weak,
        ranks=list(question.ranks),
        processors=default_budget(),
        hosts=question.hosts,
        machine=describe_machine(),
    )
    for place in question.places:
        participants = participants_of_place(question, place)
        found = timed_or_failed(
            participants, [place.case], GENERATIONS, TURNS, progress, timeout_seconds=question.timeout_seconds
        )
        record.timed += timed_of(place, participants, found)
        record.failed += failed_of(place, found)
        for count in place.ranks:
            progress.describe(f"{group_name(count)}: what a step is made of at {place.case.m} x {place.case.n}")
            if (group_name(count), place.case.name) in found.turns:
                add_parts(record, question, place, count)
            progress.advance()
    return record


def add_parts(record: ScaleRecord, question: ScaleQuestion, place: Place, count: int) -> None:
    """What the step of so many ranks is made of, or why that is not known."""
    try:
        record.parts.append(parts_of_step(group_row(question, count), place.case))
    except PartsError as error:
        record.failed.append(failure(place, group_name(count), f"what a step is made of is not known: {error}"))


def timed_of(place: Place, participants: Sequence[Participant], found: InTurns) -> Iterator[Timed]:
    for participant in participants:
        turns = found.turns.get((participant.key, place.case.name))
        if turns is not None:
            yield Timed(
                row=participant.row.name,
                replica=participant.replica,
                ranks=cast("int | None", participant.row.options.get("ranks")),
                threads=threads_of(participant.row, place),
                shares=place.shares,
                m=place.case.m,
                n=place.case.n,
                dtype=place.case.dtype,
                turns=[(generation, turn, seconds) for (generation, turn), seconds in sorted(turns.items())],
            )


def threads_of(row: Implementation, place: Place) -> int:
    """How many threads it computes with at the most."""
    ranks = cast("int | None", row.options.get("ranks"))
    return ranks or (1 if row.name in OF_ONE_THREAD else place.case.threads)


def failed_of(place: Place, found: InTurns) -> Iterator[Failed]:
    for (participant, _), reason in found.failures.items():
        yield failure(place, participant, reason)


def failure(place: Place, participant: str, reason: str) -> Failed:
    case = place.case
    return Failed(participant=participant, m=case.m, n=case.n, dtype=case.dtype, reason=reason)
