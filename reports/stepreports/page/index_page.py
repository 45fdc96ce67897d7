"""The page of every published machine: what to use on each, and one heat table of all rows at all sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from stepreports.page.report_page import rendered
from stepreports.records.machines import gpu_models, in_full
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
    """A row's time at a size of one machine.

    heat  0 for the fastest, and more the slower
    note  on turns that the median does not tell: a sentence; empty where they are steady
    """

    time: str
    gap: str
    heat: int
    is_tied: bool
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of one machine, for one operation, dtype, optimizer, thread budget and cache state.

    on  the processor or the GPU that it ran on
    """

    facts: dict[str, str]
    on: str
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
                line = found.setdefault(tuple(facts.values()), Line(facts, _device(run, place)))
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


def _device(run: Run, place: Place) -> str:
    """The machine, as far as it concerns a row: a GPU's has the GPU alone."""
    gpu = next(iter(gpu_models(run.machine)), None) if place.record.row.device == "cuda" else None
    return str(gpu or in_full(str(run.machine.get("cpu") or run.machine_name), run.machine))


def _size(case: Case) -> Size:
    return Size(case.m * case.n, case.m, case.n, case.size)


def _cell(place: Place, fastest: str) -> Cell:
    behind = place.over.value if place.over else 1.0
    return Cell(
        time=text.seconds(place.record.seconds),
        gap=_gap(place, fastest),
        heat=0 if place.tied else 1 + sum(behind > step for step in _HEAT),
        is_tied=place.tied and place.over is not None,
        note="" if is_steady(place.record) else sentence(place.record).replace("`", ""),
    )


def _gap(place: Place, fastest: str) -> str:
    """How far behind the fastest it is, and what its turns are where that is not steady."""
    gap = place.short_gap if place.over else fastest
    return gap if is_steady(place.record) else f"{gap}, {place.record.steadiness.turning}"


def _choices(lines: Sequence[Line]) -> dict[str, tuple[list[str], str]]:
    """The values of each filter that has more than one, and which is chosen at first; nothing is all of them.

    A choice that would leave a machine out, beside those before it, is not made.
    """
    everywhere, left, found = {line.facts["machine"] for line in lines}, list(lines), {}
    for name in FILTERS:
        chosen = [line for line in left if line.facts[name] == _FIRST.get(name)]
        is_chosen = bool(lines) and {line.facts["machine"] for line in chosen} == everywhere
        left = chosen if is_chosen else left
        values = list(dict.fromkeys(line.facts[name] for line in lines))
        if len(values) > 1:
            found[name] = (values, _FIRST[name] if is_chosen else "")
    return found
