"""Whether a run goes on after a generation, and with which cases: a decision that its journal alone leads to.

A case goes on until of each row against the best, and against the matrix form, a difference of 5 % would be seen, or
the time given is used up. The width of an interval is asked for, never whether it says "different": stopping at the
first difference would find one. But an interval may be narrow by luck, so a case takes one generation more once it is
(Simons, "On the cost of not knowing the variance when making a fixed-width confidence interval for the mean", 1968:
a fixed number more, whatever they show, makes up for having looked). Simulated so, with a bias of a process a fifth and
a half as large as the noise of a turn, the intervals told hold the truth at least 99.5 and 98.8 times in 100.
A decision is an event of the journal: a run that goes on later does what was decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stepbench.run.attempts import timings
from stepbench.run.participants import Role
from stepbench.run.plan import Plan
from stepreports.records.journal import Event
from stepreports.records.last_attempts import Pair, last_attempts
from stepreports.records.overhead import elapsed_seconds
from stepreports.records.turns import Turns
from stepreports.statistics.intervals import detectable_difference, estimates, ratios
from stepreports.statistics.margins import LEAST_MARGIN

EVENT = "decided"
MOST_GENERATIONS = 12
NARROW = 0.05  # the difference that would be seen above the least margin
MATRIX_FORM = "matrix form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of the cases after a generation.

    go_on    the cases of the next generation
    narrow   those found narrow now, which have that one generation more
    seconds  that the next generation will take, as the last one did
    """

    generation: int
    go_on: tuple[str, ...]
    narrow: tuple[str, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def decisions(events: Iterable[Event]) -> dict[int, Decision]:
    """Those that were taken, by the generation they followed."""
    return {
        event["generation"]: Decision(
            generation=event["generation"],
            go_on=tuple(event["go_on"]),
            narrow=tuple(event["narrow"]),
            seconds=event["seconds"],
        )
        for event in events
        if event["event"] == EVENT
    }


def decide(plan: Plan, events: Sequence[Event], generation: int) -> Decision:
    """What becomes of the cases after a generation that is done. A time that the user gives stands for the budget."""
    taken = [found for number, found in decisions(events).items() if number < generation]
    candidates = taken[-1].go_on if taken else [case.name for case in plan.cases]
    confirmed = {name for found in taken for name in found.narrow}
    left = [name for name in candidates if name not in confirmed]
    found = unseen_differences(plan, events, left)
    seconds = sum(took for (number, name), took in seconds_of(events).items() if number == generation and name in left)
    has_time = plan.max_seconds is not None or elapsed_seconds(events) + seconds <= (plan.budget_seconds or 0.0)
    return Decision(
        generation=generation,
        go_on=tuple(left) if has_time and generation + 1 < MOST_GENERATIONS else (),
        narrow=tuple(name for name in left if found[name] <= NARROW),
        seconds=seconds,
    )


def unseen_differences(plan: Plan, events: Sequence[Event], cases: Sequence[str]) -> dict[str, float]:
    """At each case, the largest difference of which a ratio that matters could not be sure; 0 where there is none.

    A row that keeps X in a narrower storage is held against itself with X as it is, and against no other.
    """
    rows = {each.key: each for each in plan.participants if each.role is Role.ROW and not each.replica}
    measured: dict[str, dict[str, Turns]] = {name: {} for name in cases}
    for (key, name), timing in timings(last_attempts(events)).items():
        if name in measured and key in rows and timing.rounds:
            measured[name][key] = timing.turns
    bases = {key for key, each in rows.items() if each.row.technique == MATRIX_FORM and not each.is_narrow}
    selves = {key: each.row.name for key, each in rows.items() if each.is_narrow}
    return {name: _largest(turns, bases, selves) for name, turns in measured.items()}


def _largest(turns: Mapping[str, Turns], bases: set[str], selves: Mapping[str, str]) -> float:
    wide = [key for key in turns if key not in selves]
    medians = dict(zip(wide, (found.value for found in estimates([turns[key] for key in wide])), strict=True))
    against = {*(bases & turns.keys()), *([min(medians, key=medians.__getitem__)] if medians else [])}
    pairs = [(turns[key], turns[base]) for base in against for key in wide if key != base]
    pairs += [(turns[key], turns[own]) for key, own in selves.items() if key in turns and own in turns]
    return max((detectable_difference(found, LEAST_MARGIN) for found in ratios(pairs) if found), default=0.0)


def seconds_of(events: Iterable[Event]) -> dict[Pair, float]:
    """How long the last attempt at each case of each generation took, its processes' start included."""
    found: dict[Pair, float] = {}
    before = 0.0
    for event in events:
        now = event.get("elapsed_seconds") or 0.0
        if event["event"] == "closed":
            found[event["generation"], event["case"]] = now - before
        if event["event"] in ("closed", "run", "resumed", EVENT):
            before = now
    return found
