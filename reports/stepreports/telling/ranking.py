"""Every row of every case that was timed, the fastest first: what a terminal shows, and what a program reads.

A case is ranked by medians; whether two rows differ is told by the ratio within the turns they shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stepreports.records.stored import Case
from stepreports.statistics.intervals import Estimate, Verdict, ratios, verdict
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import View, shares_of_limit, views
from stepreports.telling import text
from stepreports.telling.narrowed import Narrowed, narrowed

LEGEND = "×: times as long as the fastest; tied: cannot be told apart."


@dataclass(frozen=True, slots=True)
class Place:
    """A row at a case.

    over  its time over that of the fastest; None for the fastest itself, and where the two shared no turn
    tied  whether it is the fastest, or cannot be told from it
    """

    record: Record
    over: Estimate | None
    tied: bool
    share: Estimate | None

    @property
    def gap(self) -> str:
        """How far behind the fastest, with the interval."""
        return "tied" if self.tied else text.times(self.over) if self.over else "–"

    @property
    def short_gap(self) -> str:
        """The same without the interval."""
        told = self.over and f"{text.number(self.over.value, text.decimals(self.over))}×"
        return "tied" if self.tied else told or "–"

    def to_json(self) -> dict[str, Any]:
        record, row = self.record, self.record.row
        facts = {"row": row.name, "own_kernel": row.own, "library": row.library, "device": row.device}
        return {
            **facts,
            "library_version": record.library_version,
            **text.numbers("seconds_per_step" if record.case.op in ("step", "train") else "seconds", record.seconds),
            **text.numbers("times_the_fastest", self.over),
            "tied_with_the_fastest": self.tied,
            "turns_are": str(record.steadiness.turning),
            **text.numbers("share_of_limit", self.share),
        }


@dataclass(frozen=True, slots=True)
class Ranking:
    """A case with its rows, the fastest first; and apart, those that keep X in a narrower storage."""

    view: View
    case: Case
    places: Sequence[Place]
    narrow: Sequence[Narrowed] = ()

    @property
    def fastest(self) -> str:
        """The word that stands for the first place."""
        leaders = sum(place.tied for place in self.places)
        return "fastest" if leaders == 1 else "tied"

    def to_json(self) -> dict[str, Any]:
        rows, narrow = ([each.to_json() for each in some] for some in (self.places, self.narrow))
        return {**self.case._asdict(), "rows": rows, "narrow": narrow}


def rankings(run: Run) -> list[Ranking]:
    """Every case of a run: the views in their order, in each the smallest X first."""
    narrow = narrowed(run)
    return [
        Ranking(view, case, _places(run, case), [each for each in narrow if each.record.case == case])
        for view in views(run)
        for case in view.cases
    ]


def _places(run: Run, case: Case) -> list[Place]:
    ranked = sorted(run.cases[case].values(), key=lambda record: record.seconds.value)
    overs = ratios([None, *((record.turns, ranked[0].turns) for record in ranked[1:])])
    shares = shares_of_limit(run, ranked)
    return [
        Place(record, over, place == 0 or _is_tied(over, run.margin_of(case)), share)
        for place, (record, over, share) in enumerate(zip(ranked, overs, shares, strict=True))
    ]


def _is_tied(over: Estimate | None, margin: float) -> bool:
    return over is not None and verdict(over, margin) != Verdict.SLOWER
