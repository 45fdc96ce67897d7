"""What each section of the page shows, as plain lines for the template; nothing here is measured or rounded anew."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stepreports.records.stored import Case, Failure
from stepreports.statistics.costs import PHASES, after_starting, cold_start, phases, start_costs, typical
from stepreports.statistics.intervals import Estimate, detectable_difference, ratio, ratios, verdict
from stepreports.statistics.ladder import climbed
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import DEVICES, LOOP, MATRIX_FORM, View, shows_its_passes
from stepreports.telling import text
from stepreports.telling.bases import threads_of
from stepreports.telling.doubts import with_doubt
from stepreports.telling.steadiness_told import time_of
from stepreports.telling.summary import alike, sizes_of, times_as_fast
from stepreports.telling.tables import AGREEMENT

Line = dict[str, str]
MOST_LADDERS = 12
_MOST_LINES = 40  # of a table that is not the raw one


@dataclass(frozen=True, slots=True)
class Rung:
    """One row of a ladder, with how many times as fast as the rung below it is, and which that is.

    depth  how many rungs it stands above the ground
    told   the verdict on its difference to the rung below
    place  where its time stands between the fastest and the slowest, logarithmically
    """

    row: str
    depth: int
    below: str
    device: str
    technique: str
    why: str
    passes: str
    threads: str
    time: str
    over_below: str
    told: str
    over_loop: str
    place: float


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rows at one size as a tree, each after the one that it stands on."""

    size: str
    fastest: str
    slowest: str
    rungs: Sequence[Rung]


def ladders(view: View) -> list[Ladder]:
    """A ladder for each of the sizes with the most rows and, among equals, the largest first."""
    cases = sorted(view.cases, key=lambda case: (len(view.run.cases[case]), case.x_bytes), reverse=True)
    return [_ladder(view.run, case) for case in cases[:MOST_LADDERS]]


def _ladder(run: Run, case: Case) -> Ladder:
    records = run.cases[case].values()
    loop = next((record for record in records if record.row.technique == LOOP), None)
    times = [record.seconds.value for record in records]
    fastest, slowest = min(times), max(times)
    span = math.log(slowest / fastest) or 1.0
    rungs = [
        _rung(run, depth, record, below, times_as_fast(record, loop), math.log(record.seconds.value / fastest) / span)
        for depth, record, below in climbed(run, case)
    ]
    return Ladder(case.size, text.plain_seconds(fastest), text.plain_seconds(slowest), rungs)


def _rung(run: Run, depth: int, record: Record, below: Record | None, over_loop: str, place: float) -> Rung:
    gain = ratio(below.turns, record.turns) if below else None
    return Rung(
        row=record.row.name,
        depth=depth,
        below=below.row.name if below else "",
        device=DEVICES.get(record.row.device, record.row.device),
        technique=record.row.technique,
        why=record.row.summary,
        passes=_passes(run, record),
        threads=threads_of(record),
        time=with_doubt(time_of(record), run, record),
        over_below=text.times(gain) if gain else "–",
        told=str(verdict(gain.inverse(), run.margin_of(record.case))) if gain else "",
        over_loop=over_loop,
        place=100 * place,
    )


def _passes(run: Run, record: Record) -> str:
    """How often it reads X, and whether that is seen or said."""
    count = {1: "one pass", 2: "two passes"}.get(record.passes_over_x, f"{record.passes_over_x} passes")
    return f"{count} over X" if shows_its_passes(run, record) else f"{count} over X, as declared"


def phase_tables(run: Run) -> dict[str, list[Line]]:
    """Forward, backward and update of each row, by size."""
    return {
        f"{case.size}, {case.dtype}": [
            {"row": f"`{row}`"} | {phase: time_of(parts[phase]) for phase in PHASES} for row, parts in rows.items()
        ]
        for case, rows in list(phases(run).items())[-4:]
    }


def start_lines(run: Run, view: View | None) -> list[Line]:
    """What each row costs before its first step, and after how many steps it has caught up with the matrix form."""
    starts = (cold_start(run, row.name) for row in run.rows)
    return [_start_line(view, record) for record in starts if record]


def _start_line(view: View | None, record: Record) -> Line:
    imported, bound, called = start_costs(record)
    return {
        "row": f"`{record.row.name}`",
        "import": _plain(imported),
        "bind": _plain(bound),
        "first call, cold": _plain(called),
        "first call, warm": _plain(typical(record.first_call_seconds[1:])),
        "copy to device": _plain(typical(record.copy_to_device_seconds)),
        "steps to break even": _break_even(view, record.row.name) if view else "–",
    }


def _break_even(view: View, row: str) -> str:
    """At the largest size of the view that both ran."""
    matrix = view.run.row_of_technique(MATRIX_FORM)
    for case in reversed(view.cases if matrix else []):
        records = view.run.cases[case]
        if matrix and row != matrix.name and row in records and matrix.name in records:
            steps = after_starting(records[row], records[matrix.name])
            return f"{text.number(steps.value, text.decimals(steps))} {text.interval(steps)}" if steps else "never"
    return "–"


def agreement_lines(run: Run) -> list[Line]:
    """Each row's worst error over all its cases, in units of its bound."""
    worst: dict[str, dict[str, float]] = defaultdict(dict)
    for record in run.records:
        of_row = worst[record.row.name]
        for name, error in record.agreement.items():
            of_row[name] = max(error, of_row.get(name, error))
    return [
        {"row": f"`{row}`"} | {name: text.significant(of_row[name]) if name in of_row else "–" for name in AGREEMENT}
        for row, of_row in ((row.name, worst[row.name]) for row in run.rows)
    ]


def failure_lines(failures: Iterable[Failure]) -> list[Line]:
    """A line for each row, kind and reason, with the cases it concerns."""
    return [
        {
            "row": f"`{group[0].row}`",
            "reason": group[0].reason,
            "what": group[0].kind,
            "cases": str(len(group)),
            "sizes": sizes_of(group) or "all",
        }
        for group in alike(failures)
    ][:_MOST_LINES]


def own_comparison_lines(run: Run) -> list[Line]:
    """The control row against its second copy, case by case: what this run says of nothing."""
    pairs = run.control_pairs[:_MOST_LINES]
    found = ratios([(first.turns, second.turns) for first, second in pairs])
    return [_own_comparison(run, first, gain) for (first, _), gain in zip(pairs, found, strict=True) if gain]


def _own_comparison(run: Run, first: Record, gain: Estimate) -> Line:
    margin = run.margin_of(first.case)
    return {
        "row": f"`{first.row.name}`",
        "case": f"{first.case.kind}, {first.case.size}",
        "second copy over first": text.times(gain),
        "margin": text.percent(margin),
        "verdict": str(verdict(gain.inverse(), margin)),
        "smallest difference it could see": text.difference(detectable_difference(gain, margin)),
    }


def pool_lines(run: Run) -> list[Line]:
    """The sizes of the thread pools that each row was read back to have."""
    found = {(r.row.name, r.case.threads): r.pools for r in run.records if not r.is_limit}
    return [
        {
            "row": f"`{row}`",
            "thread budget": str(threads),
            "pools": text.listed(f"{name} {size}" for name, size in pools.items()) if pools else "none",
        }
        for (row, threads), pools in found.items()
    ]


def plan_lines(run: Run) -> list[Line]:
    """How the rows that are tuned to the machine went about each case: more than one way where processes chose so."""
    return [
        {
            "row": f"`{record.row.name}`",
            "case": f"{record.case.kind}, {record.case.size}",
            "plan": "; ".join(record.plans),
        }
        for record in run.records
        if record.plans
    ]


def _plain(seconds: float | None) -> str:
    return text.plain_seconds(seconds) if seconds else "–"
