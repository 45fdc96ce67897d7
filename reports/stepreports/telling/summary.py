"""The report in words and one table: for a pull request, a CI step summary, and the terminal."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain

from stepreports.records.journal import NAME as JOURNAL
from stepreports.records.stored import Failure
from stepreports.statistics.intervals import ratio
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import DEVICES, View, baselines, shares_of_limit, step_views
from stepreports.telling import text
from stepreports.telling.baseline import altered_lines
from stepreports.telling.bases import base_line, rows_by_size, times_of_base
from stepreports.telling.doubts import out_of_line_lines, varying_lines, with_doubt
from stepreports.telling.findings import answer, headline, standings
from stepreports.telling.narrowed import NARROW_NOTE, narrow_lines
from stepreports.telling.own_kernels import own_kernel_lines
from stepreports.telling.resources import MEMORY_NOTE, energy_lines, energy_told, memory_lines
from stepreports.telling.snapshots_told import slow_snapshot_lines
from stepreports.telling.steadiness_told import steadiness_lines, time_of
from stepreports.telling.tables import markdown
from stepreports.telling.trust import overhead_in_words

_MOST_VIEWS, _MOST_SIZES = 4, 20  # of a summary that is to be read; table.csv has them all
_MOST_LOSSES = 20


def summary(run: Run) -> str:
    """The answer, the table of winners, what to doubt and what did not run, in Markdown."""
    parts = ["# Stepbench", where(run)]
    if own := own_kernel_lines(run):
        parts += ["## Your kernels", "\n".join(f"- {line}" for line in own), "## All rows"]
    parts += [*headline(run), "\n".join(f"- {claim}" for claim in answer(run))]
    if lines := winners(run):
        parts += ["## Fastest at each size", markdown(lines), *every_row(run)]
    if lines := narrow_lines(run):
        parts += ["## A narrower X", NARROW_NOTE, markdown(lines)]
    if lines := memory_lines(run):
        parts += ["## Memory beside X and y", MEMORY_NOTE, markdown(lines)]
    if told := energy_told(run):
        parts += ["## Energy", *told, markdown(energy_lines(run))]
    if run.overhead:
        parts += [overhead_in_words(run.overhead)]
    if notes := warnings(run):
        parts += ["## Look twice", "\n".join(f"- {note}" for note in notes)]
    if run.failures:
        parts += ["## Not timed", "\n".join(f"- {line}" for line in failure_lines(run))]
    return "\n\n".join(filter(None, parts)) + "\n"


def where(run: Run) -> str:
    """The machine, the day, the commit and the run, in a line."""
    commit = str(run.commit.get("id") or "unknown")[:10]
    dirty = " with uncommitted changes" if run.commit.get("dirty") else ""
    return f"{run.machine_in_full} · {run.when[:10]} · commit {commit}{dirty} · run {run.run_id}"


def winners(run: Run) -> list[dict[str, str]]:
    """The fastest row of each device at each size, with what it buys; the same keys in each line."""
    return [{"dtype": view.dtype} | line for view in step_views(run)[:_MOST_VIEWS] for line in winners_of(view)]


def every_row(run: Run) -> list[str]:
    """Every row at each size, a table a view, each with what its ratios are to; in Markdown."""
    found = step_views(run)[:_MOST_VIEWS]
    tables = ([_titled(view), base_line(view), markdown(rows_by_size(view))] for view in found)
    return ["## Every row at each size", *filter(None, chain.from_iterable(tables))] if found else []


def _titled(view: View) -> str:
    return f"**{view.title[:1].upper()}{view.title[1:]}**"


def winners_of(view: View) -> list[dict[str, str]]:
    """The fastest row of each device at each size of one view; of one device alone, it goes without saying."""
    several = len({row.device for row in view.run.rows}) > 1
    return [
        {"size": standing.case.size}
        | ({"device": DEVICES[device]} if several else {})
        | _winner(view.run, standing.leaders)
        for device in DEVICES
        for standing in standings(view, frozenset({device}), _MOST_SIZES)
    ]


def alarms(run: Run) -> list[str]:
    """The warnings that concern the answer itself."""
    return [warning for warning in warnings(run) if warning.startswith("**")]


@lru_cache(maxsize=8)
def warnings(run: Run) -> list[str]:
    """What would make a careful reader doubt a number."""
    implausible = [record for record in (*run.records, *run.narrow) if record.implausible]
    throttled = [record for record in run.records if record.throttled]
    notes = [*altered_lines(run.machine), *slow_snapshot_lines(run), *varying_lines(run)]
    notes += [*steadiness_lines(run), *out_of_line_lines(run)]
    if implausible:
        names = text.listed(dict.fromkeys(f"`{record.row.name}`" for record in implausible))
        fault = "faster than the measured limit, which is a fault of the harness; kept out of the figures"
        notes.append(f"{text.counted(len(implausible), 'record')} of {names}: {fault}.")
    if throttled:
        notes.append(f"{text.counted(len(throttled), 'record')} taken while the GPU was throttled.")
    notes += run.losses[:_MOST_LOSSES]
    if more := run.losses[_MOST_LOSSES:]:
        notes.append(f"{text.counted(len(more), 'other part')} of {JOURNAL} cannot be read either.")
    return notes


def failure_lines(run: Run) -> list[str]:
    """A line for each row and reason, faults first, with the cases it concerns."""
    groups = sorted(alike(run.failures), key=lambda group: group[0].skipped)
    return [
        f"`{first.row}`: {'' if first.skipped else f'**{first.kind}**, '}{first.reason}{_concerned(group)}"
        for group in groups
        for first in group[:1]
    ]


def alike(failures: Iterable[Failure]) -> list[list[Failure]]:
    """Failures of one row for one reason, whatever numbers stand in it, together."""
    groups: dict[tuple[str, str, bool, str], list[Failure]] = defaultdict(list)
    for failure in failures:
        groups[failure.row, failure.kind, failure.skipped, re.sub(r"\d[\d.,e+-]*", "#", failure.reason)].append(failure)
    return list(groups.values())


def sizes_of(failures: Iterable[Failure]) -> str:
    """The sizes that failures concern, or nothing where they concern a row as a whole."""
    return ", ".join(dict.fromkeys(_operation_at(each) for each in failures if each.m and each.n))


def times_as_fast(record: Record, other: Record | None) -> str:
    """How many times as fast as the other a record is; a dash without another, or against itself."""
    gain = ratio(other.turns, record.turns) if other and other is not record else None
    return text.times(gain) if gain else "–"


def _operation_at(failure: Failure) -> str:
    operation = "" if failure.op in (None, "step") else f"{failure.op} at "
    return f"{operation}{failure.m:,} × {failure.n:,}"


def _concerned(failures: Sequence[Failure]) -> str:
    sizes = sizes_of(failures)
    return f" ({text.counted(len(failures), 'case')}: {sizes})" if sizes else ""


def _winner(run: Run, leaders: Sequence[Record]) -> dict[str, str]:
    fastest, share = leaders[0], shares_of_limit(run, leaders[:1])[0]
    return {
        "fastest": text.listed((f"`{record.row.name}`" for record in leaders), "or"),
        "time of a step": with_doubt(time_of(fastest), run, fastest),
        **{
            f"over {baseline.name}": times_of_base(fastest, run.cases[fastest.case].get(baseline.name))
            for baseline in baselines(run)
        },
        "of the limit": text.percentage(share) if share else "–",
    }
