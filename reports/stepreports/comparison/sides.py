"""Several runs in one report: machines or commits side by side.

Times of different runs were taken at different moments, so a ratio between runs is of two medians resampled
independently: wider than a ratio within a turn, and blind to what the machine did meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from string import ascii_uppercase

from stepreports.records.files import RecordError, write_whole
from stepreports.records.stored import Case
from stepreports.render import no_collection
from stepreports.statistics.intervals import Estimate, Verdict, ratio_between_runs, verdict
from stepreports.statistics.runs import Record, Run, load_run
from stepreports.statistics.views import View, views
from stepreports.telling import text
from stepreports.telling.summary import where
from stepreports.telling.tables import Table, csv_text, markdown, table

SEPARATOR = " · "
_MOST_LINES, _MOST_CLAIMS = 200, 20  # of a page that is to be read; table.csv has them all


@dataclass(frozen=True)
class Side:
    """One run of a comparison and the name it goes by there."""

    label: str
    run: Run

    def named(self, row: str) -> str:
        """A row of this run."""
        return f"{row}{SEPARATOR}{self.label}"

    def at(self, case: Case) -> Mapping[str, Record]:
        """The records of a case of any thread budget; of several budgets, the largest."""
        return self._at.get(case, {})

    @cached_property
    def _at(self) -> dict[Case, dict[str, Record]]:
        by_budget = sorted(self.run.cases.items(), key=lambda pair: pair[0].threads)
        return {across(case): records for case, records in by_budget}


def compare_report(folders: Sequence[Path], out: Path) -> Path:
    """Write report.html, summary.md, table.csv and figures/ of several runs into `out`; the path of the page.

    The first run is what the others are compared with. Raises `RecordError` for runs that cannot be compared.
    """
    with no_collection():
        return _write(labelled([load_run(folder) for folder in folders]), out)


def _write(sides: Sequence[Side], out: Path) -> Path:
    from stepreports.comparison.comparison_page import comparison_figure, comparison_page
    from stepreports.figures.axes import png, svg

    common = common_cases(sides)
    view = next(view for view in views(sides[0].run) if any(across(case) in common for case in view.cases))
    columns = joined(sides)
    write_whole(out / "table.csv", csv_text(columns))
    write_whole(out / "summary.md", _summary(sides, common))
    figure = comparison_figure(sides, view, common)
    write_whole(out / "figures" / "time.svg", svg(figure, letters_as_paths=True))
    write_whole(out / "figures" / "time.png", png(figure))
    return write_whole(out / "report.html", comparison_page(sides, view, common, columns, figure))


def labelled(runs: Sequence[Run]) -> list[Side]:
    """The runs as A, B, C …: names of machines would fill every cell of the tables."""
    if len({run.run_id for run in runs}) < len(runs):
        raise RecordError("The same run was given twice; a comparison needs different runs.")
    if not 2 <= len(runs) <= len(ascii_uppercase):
        raise RecordError(f"A comparison takes 2 to {len(ascii_uppercase)} runs; {len(runs)} were given.")
    return [Side(label, run) for label, run in zip(ascii_uppercase, runs, strict=False)]


def across(case: Case) -> Case:
    """What two machines must share to be compared: everything but the thread budget, which is each one's own."""
    return case._replace(threads=0)


def common_cases(sides: Sequence[Side]) -> list[Case]:
    """The cases that every run timed, in the order of the first. Raises `RecordError` when there is none."""
    found = [{across(case) for case in side.run.cases} for side in sides]
    common = [case for case in dict.fromkeys(map(across, sides[0].run.cases)) if all(case in cases for cases in found)]
    if not common:
        raise RecordError(f"These runs timed no case in common, so they are not comparable. {_apart(sides)}")
    return common


def _apart(sides: Sequence[Side]) -> str:
    """What each run timed, for a reader who wonders why nothing is shared."""
    return " ".join(f"{side.label}: {_timed(side.run)}." for side in sides)


def _timed(run: Run) -> str:
    kinds = dict.fromkeys(f"{case.op} {case.dtype} {case.optimizer} {case.cache} at {case.size}" for case in run.cases)
    return text.listed(list(kinds)[:4]) if kinds else "nothing"


def claims(sides: Sequence[Side], view: View, common: Sequence[Case]) -> list[str]:
    """For each common size of the view, or the largest: which run's fastest row is the fastest, and by how much."""
    shared = set(common)
    cases = [case for case in map(across, view.cases) if case in shared]
    return [_claim(sides, case) for case in cases[-_MOST_CLAIMS:]]


def _claim(sides: Sequence[Side], case: Case) -> str:
    best = [(side, min(side.at(case).values(), key=lambda record: record.seconds.value)) for side in sides]
    (first, fast), (second, slow), *_ = sorted(best, key=lambda pair: pair[1].seconds.value)
    gain = ratio_between_runs(slow.turns, fast.turns)
    told = _told(gain, first.run, second.run)
    doubt = "" if told == Verdict.FASTER else f": {told}"
    names = f"`{first.named(fast.row.name)}`", f"`{second.named(slow.row.name)}`"
    return f"At {case.size}, {names[0]} is {text.times(gain)} as fast as {names[1]}{doubt}."


def against_first(sides: Sequence[Side], common: Sequence[Case]) -> list[dict[str, str]]:
    """Every row at every common case: its time in each run, and how many times as fast as in the first, A."""
    first, *others = sides
    told = ((case, row) for case in common for row in dict.fromkeys(chain.from_iterable(s.at(case) for s in sides)))
    return [
        {"row": f"`{row}`", "op": case.op, "dtype": case.dtype, "size": case.size}
        | {side.label: _time(side.at(case).get(row)) for side in sides}
        | {f"{side.label} over A": _gain(first, side, case, row) for side in others}
        for case, row in islice(told, _MOST_LINES)
    ]


def joined(sides: Sequence[Side]) -> Table:
    """The tables of the runs below one another, with the name each goes by."""
    parts = [(side.label, table(side.run)) for side in sides]
    names = dict.fromkeys(chain.from_iterable(columns for _, columns in parts))
    found: Table = {"run": [label for label, columns in parts for _ in columns["row"]]}
    for name in names:
        found[name] = list(chain.from_iterable(columns[name] for _, columns in parts))
    return found


def _summary(sides: Sequence[Side], common: Sequence[Case]) -> str:
    view = next(view for view in views(sides[0].run) if any(across(case) in common for case in view.cases))
    parts = ["# Stepbench, compared", "\n".join(f"- **{side.label}**: {where(side.run)}" for side in sides)]
    parts += ["\n".join(f"- {claim}" for claim in claims(sides, view, common))]
    return "\n\n".join([*parts, markdown(against_first(sides, common))]) + "\n"


def _time(record: Record | None) -> str:
    return f"{text.seconds(record.seconds)} {text.seconds_interval(record.seconds)}" if record else "–"


def _gain(first: Side, side: Side, case: Case, row: str) -> str:
    before, after = first.at(case).get(row), side.at(case).get(row)
    if before is None or after is None:
        return "–"
    gain = ratio_between_runs(before.turns, after.turns)
    told = _told(gain, first.run, side.run)
    return text.times(gain) + (f", {told}" if told in {Verdict.SAME, Verdict.UNKNOWN} else "")


def _told(gain: Estimate, first: Run, second: Run) -> Verdict:
    return verdict(gain.inverse(), max(first.margin, second.margin))
