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
            **_numbers("seconds_per_step" if record.case.op in ("step", "train") else "seconds", record.seconds),
            **_numbers("times_the_fastest", self.over),
            "tied_with_the_fastest": self.tied,
            **_numbers("share_of_limit", self.share),
        }


@dataclass(frozen=True, slots=True)
class Ranking:
    """A case with its rows, the fastest first."""

    view: View
    case: Case
    places: Sequence[Place]

    @property
    def fastest(self) -> str:
        """The word that stands for the first place."""
        leaders = sum(place.tied for place in self.places)
        return "fastest" if leaders == 1 else "tied"

    def to_json(self) -> dict[str, Any]:
        return {**self.case._asdict(), "rows": [place.to_json() for place in self.places]}


def rankings(run: Run) -> list[Ranking]:
    """Every case of a run: the views in their order, in each the smallest X first."""
    return [Ranking(view, case, _places(run, case)) for view in views(run) for case in view.cases]


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


def _numbers(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    parts = (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), parts, strict=True))
