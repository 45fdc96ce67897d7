"""A run's margins in a sentence and in a table: one for each kind of case, from a row timed against itself."""

from __future__ import annotations

from collections import defaultdict

from stepreports.statistics.margins import LEAST_MARGIN, Place
from stepreports.statistics.runs import Run
from stepreports.statistics.views import View
from stepreports.telling import text

MARGIN_NOTE = (
    "A difference must exceed the margin to be called one: as far as the control row, timed twice, lay from itself in "
    "cases alike (19 of 20 times; of few, the farthest), and 1 % at the least. Alike are cases that find X in the same "
    "place. Where they are few, the margin is no smaller than in the middle one of all places."
)


def margin_in_words(run: Run, view: View) -> str:
    """`Nothing closer is called different than 1 % …`, place by place where the view's cases have several margins."""
    margins = {run.place_of(case): run.margin_of(case) for case in view.cases}
    places: dict[str, list[Place]] = defaultdict(list)
    for place in filter(margins.__contains__, Place):
        places[text.percent(margins[place])].append(place)
    told = [f"{margin} {text.listed(places[margin])}" for margin in places] if len(places) > 1 else list(places)
    return f"Nothing closer than {text.listed(told)} is called different{_why(run, margins)}."


def _why(run: Run, margins: dict[Place, float]) -> str:
    """What a row timed against itself showed in the places of the view; nothing where none was."""
    if not run.margins.spreads:
        return ""
    if max(margins.values()) > LEAST_MARGIN:
        return ": as far as a row timed against itself differed in cases alike, and 1 % at the least"
    own = max((spread.pooled for place, spread in run.margins.spreads.items() if place in margins), default=0.0)
    return f", for a row timed against itself differed by {text.percent(own)}" if own else ""


def margin_lines(run: Run) -> list[dict[str, str]]:
    """Place by place: how many control pairs there were, how far they lay from themselves, the margin."""
    return [
        {
            "cases": str(place),
            "control pairs": str(spread.pairs),
            "differed by": text.percent(spread.alone),
            "margin": text.percent(spread.margin),
        }
        for place, spread in run.margins.spreads.items()
    ]
