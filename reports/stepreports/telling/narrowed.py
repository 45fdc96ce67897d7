"""Rows that keep X in a narrower storage: what each gains over itself with X as it is, beside what the rounding costs.

A time of such a row stands nowhere without the distance of its X from the unrounded one, and is compared with no other
row: these are narrow records of a run, which nothing else looks at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepreports.records.beside_times import Distance
from stepreports.statistics.intervals import Estimate, ratios
from stepreports.statistics.runs import Record, Run
from stepreports.telling import text
from stepreports.telling.steadiness_told import time_of

NARROW_NOTE = (
    "X kept in fewer bits than float32, in which everything is computed. Times as fast: over the same row with X in "
    "float32, in the same turns. Off by, relative: what the rounding of X does to the answer on this run's data, to J "
    "and the gradient at one point, and to the coefficients and the accuracy of the optimum. Each row agrees with the "
    "truth of the X that it holds. Rows that are not here keep X as it is."
)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A row with X in a storage, at a case.

    limit  the read kernel of so few bytes, which took turns with it
    gain   how many times as fast as with X in float32; None where that was not timed in the same turns
    share  the time of that over its own
    """

    record: Record
    limit: Record | None
    gain: Estimate | None
    share: Estimate | None
    distance: Distance

    @property
    def storage(self) -> str:
        return str(self.record.storage)

    def to_json(self) -> dict[str, Any]:
        record, distance = self.record, self.distance
        return {
            "row": record.row.name,
            "storage": self.storage,
            **text.numbers("seconds", record.seconds),
            "turns_are": str(record.steadiness.turning),
            **text.numbers("times_as_fast_as_in_float32", self.gain),
            **text.numbers("share_of_limit", self.share),
            "off_by": {name: getattr(distance, name) for name in ("J", "gw", "coefficients")},
            "accuracy": {"unrounded": distance.accuracy, "stored": distance.accuracy_stored},
        }


def narrowed(run: Run) -> list[Narrowed]:
    """All of a run, in the order of the records; without the distance there is nothing to tell."""
    records = [record for record in run.narrow if not (record.is_limit or record.implausible)]
    limits = {(each.case, each.row.device, each.storage): each for each in run.narrow if each.is_limit}
    wide = [run.cases.get(record.case, {}).get(record.row.name) for record in records]
    bases = [limits.get((record.case, record.row.device, record.storage)) for record in records]
    gains, shares = (
        ratios([(other.turns, record.turns) if other else None for record, other in zip(records, others, strict=True)])
        for others in (wide, bases)
    )
    return [
        Narrowed(record, limit, gain, share, record.distance)
        for record, limit, gain, share in zip(records, bases, gains, shares, strict=True)
        if record.distance
    ]


def narrow_lines(run: Run) -> list[dict[str, str]]:
    """A line for each, for the page and the summary."""
    return [
        {
            "row, X in": f"`{each.record.row.name}` {each.storage}",
            "case": _case_in_short(each.record),
            "time": time_of(each.record),
            "times as fast": text.times(each.gain) if each.gain else "–",
            "of the limit": text.percentage(each.share) if each.share else "–",
            "J off by": _relative(each.distance.J),
            "gradient": _relative(each.distance.gw),
            "coefficients": _relative(each.distance.coefficients),
            "accuracy": _accuracy(each.distance),
        }
        for each in narrowed(run)
    ]


def _case_in_short(record: Record) -> str:
    """The size, and what is done where that is no plain step; the dtype is the same for all."""
    kind = record.case.kind.replace(f" {record.case.dtype}", "", 1)
    return record.case.size if kind == "step" else f"{kind}, {record.case.size}"


def _relative(change: float) -> str:
    """As a number that is small, or 0: `5.4e-08`."""
    return f"{change:.1e}" if change else "0"


def in_a_sentence(each: Narrowed) -> str:
    """For a terminal."""
    gain = f", {text.times(each.gain)} as fast as with X in float32" if each.gain else ""
    off = f"coefficients off by {_relative(each.distance.coefficients)}, accuracy {_accuracy(each.distance)}"
    return f"X in {each.storage}: {each.record.row.name} {time_of(each.record)}{gain}; {off}"


def _accuracy(distance: Distance) -> str:
    """`97.4 %`, or from which to which."""
    unrounded, stored = (f"{100 * share:.2f} %" for share in (distance.accuracy, distance.accuracy_stored))
    return unrounded if unrounded == stored else f"{unrounded} → {stored}"
