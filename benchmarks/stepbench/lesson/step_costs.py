"""What the same step costs in each technique: what a run of the suite found."""

from __future__ import annotations

from dataclasses import dataclass

from stepbench.lesson.shown import ROWS, SIZE
from stepreports.records.stored import Case
from stepreports.statistics.intervals import ratio
from stepreports.statistics.runs import Record, Run
from stepreports.telling import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a step of a row costs here, how much faster that is than the loop, and its worst error in bounds."""

    row: str
    time: str
    interval: str
    speedup: str
    passes: int
    worst: str
    seconds: float


def timed_case(run: Run) -> Case:
    """The case of a run that the lesson shows: a step in float64, as near to `SIZE` as there is."""
    steps = [case for case in run.cases if case.op == "step" and case.dtype == "float64"]
    return min(steps, key=lambda case: abs(case.m * case.n - SIZE[0] * SIZE[1]))


def costs(run: Run) -> list[Cost]:
    """The rows of the lesson that were timed, in its order."""
    records = run.cases[timed_case(run)]
    loop = records[ROWS[0]]
    return [_cost(records[row], loop) for row in ROWS if row in records]


def _cost(record: Record, loop: Record) -> Cost:
    gain = ratio(loop.turns, record.turns)
    return Cost(
        row=record.row.name,
        time=text.plain_seconds(record.seconds.value),
        interval=f"{text.plain_seconds(record.seconds.low)} – {text.plain_seconds(record.seconds.high)}",
        speedup=f"{text.significant(gain.value)}×" if gain and record is not loop else "–",
        passes=record.passes_over_x,
        worst=text.significant(max(record.agreement.values(), default=0.0)),
        seconds=record.seconds.value,
    )
