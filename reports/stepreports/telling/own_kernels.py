"""The kernels of the user's own, before everything else: how each stands beside the matrix form and the fastest."""

from __future__ import annotations

from collections import defaultdict

from stepreports.statistics.intervals import ratio, verdict
from stepreports.statistics.runs import Run
from stepreports.statistics.views import MATRIX_FORM
from stepreports.telling import text
from stepreports.telling.doubts import with_doubt
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


def own_kernel_tables(run: Run) -> dict[str, list[dict[str, str]]]:
    """For each kernel of a file a line a case: the verdict, its time, against the matrix form, the best, the limit."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for ranking in rankings(run):
        for place in ranking.places:
            if place.record.row.own:
                found[f"`{place.record.row.name}`"].append(_line(run, ranking, place))
    return {name: lines[:_MOST_LINES] for name, lines in found.items()}


def _line(run: Run, ranking: Ranking, place: Place) -> dict[str, str]:
    record, matrix = place.record, run.row_of_technique(MATRIX_FORM)
    baseline = matrix.name if matrix else "the matrix form"
    other = run.cases[record.case].get(baseline)
    gain = ratio(other.turns, record.turns) if other and other is not record else None
    told = str(verdict(gain.inverse(), run.margin_of(record.case))) if gain else "–"
    best = ranking.places[0]
    return {
        "case": f"{record.case.kind}, {record.case.size}",
        "verdict": f"**{told}**" if told in ("faster", "slower") else told,
        f"time of {ranking.view.one}": with_doubt(text.time(record.seconds), run, record),
        f"× {baseline}": text.times(gain) if gain else "–",
        "× the best": _of_the_best(place, best),
        "of the limit": text.percentage(place.share) if place.share else "–",
    }


def _of_the_best(place: Place, best: Place) -> str:
    """Its speed as a multiple of that of the best, which is named."""
    if place is best:
        return "the best"
    speed = place.over.inverse() if place.over else None
    tied = ", tied" if place.tied else ""
    return f"{text.times(speed)} `{best.record.row.name}`{tied}" if speed else "–"


def _sentence(run: Run, ranking: Ranking, place: Place) -> str:
    record = place.record
    took = f"`{record.row.name}`, your kernel, takes {time_of(record)} {ranking.view.one}"
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
