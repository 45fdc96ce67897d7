"""What `stepbench run --json` and `--markdown` write: the answer, every row of every case, and what was not timed."""

from __future__ import annotations

from typing import Any

from stepreports.statistics.runs import Run
from stepreports.telling import text
from stepreports.telling.findings import answer, headline
from stepreports.telling.narrowed import NARROW_NOTE, narrow_lines
from stepreports.telling.own_kernels import own_kernel_lines
from stepreports.telling.ranking import Ranking, rankings
from stepreports.telling.steadiness_told import time_of
from stepreports.telling.summary import failure_lines, where
from stepreports.telling.tables import markdown

SCHEMA = 1  # of the document


def document(run: Run) -> dict[str, Any]:
    """The ranking as JSON, with the answer and what was not timed."""
    return {
        "schema": SCHEMA,
        "run_id": run.run_id,
        "when": run.when,
        "machine": run.machine_in_full,
        "commit": run.commit.get("id"),
        "answer": [*own_kernel_lines(run), *headline(run), *answer(run)],
        "cases": [{"margin": run.margin_of(each.case)} | each.to_json() for each in rankings(run)],
        "not_timed": [
            {"row": each.row, "case": each.case, "kind": each.kind, "skipped": each.skipped, "reason": each.reason}
            for each in run.failures
        ],
    }


def in_markdown(run: Run) -> str:
    """The answer, the ranking a table a case, and what was not timed."""
    parts = ["## Stepbench", where(run), *headline(run)]
    parts.append("\n".join(f"- {claim}" for claim in [*own_kernel_lines(run), *answer(run)]))
    for ranking in rankings(run):
        title = ranking.view.title
        parts += [f"**{title[:1].upper()}{title[1:]}: {ranking.case.size}**", markdown(_lines(ranking))]
    if lines := narrow_lines(run):
        parts += ["**A narrower X**", NARROW_NOTE, markdown(lines)]
    if run.failures:
        parts.append("\n".join(["Not timed:", "", *(f"- {line}" for line in failure_lines(run))]))
    return "\n\n".join(filter(None, parts)) + "\n"


def _lines(ranking: Ranking) -> list[dict[str, str]]:
    return [
        {
            "row": f"`{place.record.row.name}`{' (yours)' if place.record.row.own else ''}",
            f"time of {ranking.view.one}": time_of(place.record),
            "× the fastest": place.gap if place.over else ranking.fastest,
            "of the limit": text.percentage(place.share) if place.share else "–",
        }
        for place in ranking.places
    ]
