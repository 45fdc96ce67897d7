"""The kernels of the user's own, before everything else: how each stands beside the matrix form and the fastest."""

from __future__ import annotations

from stepreports.statistics.intervals import ratio
from stepreports.statistics.runs import Run
from stepreports.statistics.views import MATRIX_FORM
from stepreports.telling import text
from stepreports.telling.findings import compared
from stepreports.telling.ranking import Place, Ranking, rankings
from stepreports.telling.steadiness_told import time_of

_MOST_LINES = 24  # the ranking has them all


def own_kernel_lines(run: Run) -> list[str]:
    """A sentence for each kernel of a file at each case, the views in their order."""
    found = [(ranking, place) for ranking in rankings(run) for place in ranking.places if place.record.row.own]
    more = len(found) - _MOST_LINES
    told = [_sentence(run, ranking, place) for ranking, place in found[:_MOST_LINES]]
    return [*told, f"{text.counted(more, 'case')} more in the ranking."] if more > 0 else told


def _sentence(run: Run, ranking: Ranking, place: Place) -> str:
    record = place.record
    took = f"`{record.row.name}`, your kernel, takes {time_of(record)} a {ranking.view.unit}"
    where = record.case.in_words
    words = [*_over_the_matrix_form(run, place), _beside_the_fastest(ranking, place)]
    if place.share:
        words.append(f"{text.percentage(place.share)} of the measured limit")
    return f"{took}, {where}: {', '.join(words)}."


def _over_the_matrix_form(run: Run, place: Place) -> list[str]:
    matrix = run.row_of_technique(MATRIX_FORM)
    other = run.cases[place.record.case].get(matrix.name) if matrix else None
    if other is None or other is place.record:
        return []
    gain = ratio(other.turns, place.record.turns)
    return [compared(gain, other.row.name, run.margin_of(place.record.case))] if gain else []


def _beside_the_fastest(ranking: Ranking, place: Place) -> str:
    others = [each for each in ranking.places if each is not place]
    if not others:
        return "alone in its case"
    if place is ranking.places[0]:
        return "the fastest" if ranking.fastest == "fastest" else f"tied with `{others[0].record.row.name}`"
    first = ranking.places[0].record.row.name
    return f"tied with the fastest, `{first}`" if place.tied else f"{place.gap} the time of the fastest, `{first}`"
