"""What the same step costs in each technique: what a run of the suite found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepbench.lesson.shown import ROWS, SIZE
from stepreports.records.stored import Case
from stepreports.statistics.intervals import LOUD_SPREAD, ratio, spreads
from stepreports.statistics.runs import Record, Run
from stepreports.telling import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a step of a row costs here.

    gain      how many times as fast as the loop: the median, over turns, of the loop's time over the row's
    speedup   the same in words; None for the loop itself
    worst     the largest error, in units of its bound
    spread    the interquartile range of its turns over their median
    """

    row: str
    time: str
    interval: str
    gain: float
    speedup: str | None
    passes: int
    worst: str
    seconds: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Rows whose time varied so much from turn to turn that the report, too, calls the machine busy."""

    rows: int
    bound: float
    worst: str
    spread: float


def timed_case(run: Run) -> Case:
    """The case of a run that the lesson shows: a step in float64, as near to `SIZE` as there is."""
    steps = [case for case in run.cases if case.op == "step" and case.dtype == "float64"]
    return min(steps, key=lambda case: abs(case.m * case.n - SIZE[0] * SIZE[1]))


def costs(run: Run) -> list[Cost]:
    """The rows of the lesson that were timed, in its order."""
    records = run.cases[timed_case(run)]
    loop = records[ROWS[0]]
    timed = [records[row] for row in ROWS if row in records]
    spread = spreads(record.turns for record in timed)
    return [_cost(record, loop, varying) for record, varying in zip(timed, spread, strict=True)]


def not_believed(run: Run) -> list[str]:
    """The rows of the lesson that were timed and are not told: faster than the machine can read X, by its own limit."""
    records = run.cases[timed_case(run)]
    return [row for row in ROWS if row not in records]


def alarm(found: Sequence[Cost]) -> Alarm | None:
    """What a reader of these costs must be told before them; None where the machine was quiet."""
    loud = [cost for cost in found if cost.spread > LOUD_SPREAD]
    if not loud:
        return None
    worst = max(loud, key=lambda cost: cost.spread)
    return Alarm(rows=len(loud), bound=LOUD_SPREAD, worst=worst.row, spread=worst.spread)


def _cost(record: Record, loop: Record, spread: float) -> Cost:
    gain = ratio(loop.turns, record.turns)
    return Cost(
        row=record.row.name,
        time=text.plain_seconds(record.seconds.value),
        interval=f"{text.plain_seconds(record.seconds.low)} – {text.plain_seconds(record.seconds.high)}",
        gain=gain.value if gain else 1.0,
        speedup=text.significant(gain.value) if gain and record is not loop else None,
        passes=record.passes_over_x,
        worst=text.significant(max(record.agreement.values(), default=0.0)),
        seconds=record.seconds.value,
        spread=spread,
    )
