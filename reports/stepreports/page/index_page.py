"""The page of every published machine: what to use on each, and one heat table of all rows at all sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from stepreports.page.report_page import rendered
from stepreports.records.stored import Case
from stepreports.statistics.runs import Run
from stepreports.statistics.views import DEVICES
from stepreports.telling import text
from stepreports.telling.findings import headline
from stepreports.telling.ranking import Place, rankings
from stepreports.telling.steadiness_told import is_steady, sentence
from stepreports.telling.summary import where

FILTERS = ("machine", "device", "library", "op", "dtype", "optimizer", "cache", "row")
_FIRST = {"op": "step", "dtype": "float64", "optimizer": "gd", "cache": "warm"}  # shown at first, if all have them
_HEAT = (1.1, 1.5, 2.5, 5.0, 10.0)  # times the fastest, at which a cell is a step paler


class Size(NamedTuple):
    """A column."""

    bytes: int
    m: int
    n: int
    named: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A row's time at a size of one machine; `heat` is 0 for the fastest, and more the slower."""

    time: str
    gap: str
    heat: int
    is_tied: bool
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of one machine, for one operation, dtype, optimizer, thread budget and cache state."""

    facts: dict[str, str]
    cells: dict[Size, Cell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublishedMachine:
    """A machine with its runs, the newest first: what it is called, what its newest run says, and where they lie."""

    name: str
    headline: Sequence[str]
    runs: Sequence[tuple[str, str]]


def index_page(runs: Sequence[Run], place: Path) -> str:
    """The page over published runs, the newest first; `place` is the folder that the page lies in."""
    lines = _lines(runs)
    sizes = sorted({size for line in lines for size in line.cells})
    return rendered(
        "index.html.j2",
        {},
        has_chart=False,
        scripts=("index.js",),
        machines=_machines(runs, place),
        sizes=sizes,
        lines=lines,
        filters=_choices(lines),
    )


def _machines(runs: Sequence[Run], place: Path) -> list[PublishedMachine]:
    found = []
    for name in dict.fromkeys(map(_machine, runs)):
        here = [run for run in runs if _machine(run) == name]
        links = [(_when_and_what(run), f"{run.folder.relative_to(place).as_posix()}/summary.md") for run in here]
        found.append(PublishedMachine(name, headline(here[0]), links))
    return found


def _machine(run: Run) -> str:
    return run.machine_in_full


def _when_and_what(run: Run) -> str:
    """The day, the commit and the run, in a line."""
    return where(run).removeprefix(f"{_machine(run)} · ")


def _lines(runs: Sequence[Run]) -> list[Line]:
    """By machine and row; of a case that several runs of a machine timed, the newest one."""
    found: dict[tuple[str, ...], Line] = {}
    for run in runs:
        for ranking in rankings(run):
            for place in ranking.places:
                facts = _facts(run, ranking.case, place)
                line = found.setdefault(tuple(facts.values()), Line(facts))
                line.cells.setdefault(_size(ranking.case), _cell(place, ranking.fastest))
    return list(found.values())


def _facts(run: Run, case: Case, place: Place) -> dict[str, str]:
    row = place.record.row
    return {
        "machine": _machine(run),
        "row": row.name,
        "library": row.library,
        "device": DEVICES.get(row.device, row.device),
        "op": f"train, {case.steps} steps" if case.op == "train" else case.op,
        "dtype": case.dtype,
        "optimizer": case.optimizer,
        "threads": text.counted(case.threads, "thread"),
        "cache": case.cache,
    }


def _size(case: Case) -> Size:
    return Size(case.m * case.n, case.m, case.n, case.size)


def _cell(place: Place, fastest: str) -> Cell:
    behind = place.over.value if place.over else 1.0
    return Cell(
        time=text.seconds(place.record.seconds),
        gap=place.short_gap if place.over else fastest,
        heat=0 if place.tied else 1 + sum(behind > step for step in _HEAT),
        is_tied=place.tied and place.over is not None,
        note="" if is_steady(place.record) else sentence(place.record).replace("`", ""),
    )


def _choices(lines: Sequence[Line]) -> dict[str, tuple[list[str], str]]:
    """The values of each filter that has more than one, and which is chosen at first; nothing is all of them."""
    found = {name: list(dict.fromkeys(line.facts[name] for line in lines)) for name in FILTERS}
    return {name: (values, _first(name, lines)) for name, values in found.items() if len(values) > 1}


def _first(name: str, lines: Sequence[Line]) -> str:
    """What is chosen at first: nothing where a choice would leave a machine out."""
    with_it = {line.facts["machine"] for line in lines if line.facts[name] == _FIRST.get(name)}
    return _FIRST[name] if with_it == {line.facts["machine"] for line in lines} else ""
