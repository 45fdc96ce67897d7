"""Paired ratios between commits, out of stored runs. Each is of two times that met the same noise, within turns.

A comparison of two commits is one link between them. A run of one commit is a link to it from a row that is the same
in every commit, the reference, as that is on the run's machine: how many times as fast one library is as another
depends on the machine, so the reference of each machine is a place of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stepreports.comparison.sides import across
from stepreports.records.comparison_file import StoredComparison, StoredVersion, stored_comparison
from stepreports.records.files import RecordError
from stepreports.records.stored import Case
from stepreports.records.turns import Turns
from stepreports.records.validation import one_line
from stepreports.statistics.intervals import Estimate, ratios
from stepreports.statistics.margins import LEAST_MARGIN
from stepreports.statistics.runs import Run, load_run

REFERENCE = "numpy-blas"  # which of all rows changes least
REACH = 2.5758  # standard errors from the middle of a normal distribution to the end of its 99 %
LEAST_ERROR = LEAST_MARGIN / REACH  # of a logarithm of a ratio: no machine is the same as itself within less


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit by its full name. `committed` is a date of ISO 8601, `ancestors` how many came before it."""

    name: str
    committed: str
    subject: str = ""
    ancestors: int = 0

    @property
    def order(self) -> tuple[datetime, int]:
        """What puts commits one after another; of one moment, a parent comes first."""
        return _moment(self.committed), self.ancestors


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The time of a row at a commit over its time at another, or over a reference's.

    base   the name of a commit, or of the reference of a machine, which no commit is called
    error  the standard error of the ratio's logarithm
    """

    row: str
    case: Case
    base: str
    other: str
    ratio: Estimate
    error: float
    run_id: str
    when: str
    machine: str


@dataclass(frozen=True)
class Sources:
    """What was found: commits by name, links, what failed at a commit, and what of the runs says nothing."""

    commits: dict[str, Commit]
    links: Sequence[Link]
    faults: Sequence[tuple[str, str]]
    left_out: Sequence[str]


def sources(folders: Iterable[Path], reference: str = REFERENCE) -> Sources:
    """The links that the runs in these folders make. Raises `RecordError` for what is no run."""
    commits: dict[str, Commit] = {}
    links: list[Link] = []
    faults: list[tuple[str, str]] = []
    left_out: list[str] = []
    seen: set[str] = set()
    for folder in folders:
        run, compared = load_run(folder), stored_comparison(folder)
        if run.run_id in seen:
            raise RecordError(f"The run {run.run_id} was given twice; a history counts each once.")
        seen.add(run.run_id)
        found = _commits_of(run, compared)
        commits |= found
        made = list(_of_comparison(run, compared) if compared else _of_run(run, reference))
        links += made
        if compared:
            faults += [(_last(found), one_line(fault)) for fault in compared.faults if found]
        if not made and not (compared and compared.faults and found):
            left_out.append(f"{run.run_id}: {_why_nothing(run, compared, reference)}.")
    return Sources(commits, links, faults, left_out)


def _commits_of(run: Run, compared: StoredComparison | None) -> dict[str, Commit]:
    if compared:
        return {each.commit: _commit_of(each, run.when) for each in compared.versions if each.commit}
    name = _clean_commit(run)
    committed = run.commit.get("committed")
    return {name: Commit(name=name, committed=str(committed or run.when))} if name else {}


def _commit_of(version: StoredVersion, when: str) -> Commit:
    return Commit(
        name=str(version.commit),
        committed=version.committed or when,
        subject=one_line(version.subject or "", 120),
        ancestors=version.ancestors or 0,
    )


def _of_comparison(run: Run, compared: StoredComparison) -> Iterator[Link]:
    """A link for each row and case that both commits were timed at."""
    commits = {version.label: version.commit for version in compared.versions}
    for base, other in dict.fromkeys((pair.base_row, pair.other_row) for pair in compared.cases):
        (row, _, base_label), other_label = base.rpartition("@"), other.rpartition("@")[2]
        first, second = commits.get(base_label), commits.get(other_label)
        if first and second and first != second:
            yield from _links(run, (other, base), row, (first, second))


def _of_run(run: Run, reference: str) -> Iterator[Link]:
    """A link from the reference to each other row that took turns with it."""
    if not (commit := _clean_commit(run)):
        return
    for row in run.rows:
        if row.name != reference:
            yield from _links(run, (row.name, reference), row.name, (f"{reference} on {run.machine_in_full}", commit))


def _links(run: Run, pair: tuple[str, str], row: str, places: tuple[str, str]) -> Iterator[Link]:
    """The links of one row, case by case: `pair` has the names that the two have in the run, the divided one first."""
    divided, by = pair
    both = [(case, records[divided], records[by]) for case, records in run.cases.items() if {divided, by} <= {*records}]
    turns: list[tuple[Turns, Turns] | None] = [(first.turns, second.turns) for _, first, second in both]
    for (case, _, _), ratio in zip(both, ratios(turns), strict=True):
        if ratio is not None:
            yield Link(
                row=row, case=across(case), base=places[0], other=places[1], ratio=ratio, error=_error(ratio),
                run_id=run.run_id, when=run.when, machine=run.machine_in_full,
            )  # fmt: skip


def _error(ratio: Estimate) -> float:
    return max(LEAST_ERROR, math.log(ratio.high / ratio.low) / 2 / REACH)


def _clean_commit(run: Run) -> str | None:
    """The commit that a run was made at, where nothing had been changed since."""
    name = run.commit.get("id")
    return name if isinstance(name, str) and not run.commit.get("dirty") else None


def _last(commits: dict[str, Commit]) -> str:
    return max(commits.values(), key=lambda commit: commit.order).name


def _why_nothing(run: Run, compared: StoredComparison | None, reference: str) -> str:
    if compared:
        return "it compares no two commits, but files or the working tree"
    if not _clean_commit(run):
        return "it was made at no commit, or with changes that are in none"
    return f"it has no row {reference!r} that others could be divided by"


def _moment(told: str) -> datetime:
    """A date as a moment; one that cannot be read comes first."""
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
