"""A history: for each row and case the levels of its commits and where these change, and all commits behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stepreports.history.change_points import LEAST_CHANGE, LEAST_COMMITS, Change, can_be_found, changes
from stepreports.history.levels import Levels, levels
from stepreports.history.links import REFERENCE, Commit, Link, sources
from stepreports.records.files import RecordError
from stepreports.records.stored import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a change is: `least_change` as a fraction, `least_commits` for how many commits it lasts."""

    least_change: float = LEAST_CHANGE
    least_commits: int = LEAST_COMMITS
    reference: str = REFERENCE


@dataclass(frozen=True, eq=False)
class Chain:
    """One row at one case: levels of its commits, the changes among them, and the links that they come from."""

    row: str
    case: Case
    levels: Levels
    changes: Sequence[Change]
    links: Sequence[Link]

    @property
    def commits(self) -> Sequence[Commit]:
        return self.levels.commits

    @cached_property
    def machines_at(self) -> dict[str, list[str]]:
        """The machines that a commit was timed on, by its name."""
        return {name: list(dict.fromkeys(link.machine for link in found)) for name, found in self._links_at.items()}

    @cached_property
    def _links_at(self) -> dict[str, list[Link]]:
        found: dict[str, list[Link]] = defaultdict(list)
        for link in self.links:
            for name in (link.base, link.other):
                found[name].append(link)
        return found


@dataclass(frozen=True, eq=False)
class History:
    """Everything that is told. `apart` counts levels that no ratio connects to those of the same row and case."""

    settings: Settings
    chains: Sequence[Chain]
    commits: Sequence[Commit]
    faults: Sequence[tuple[Commit, str]]
    left_out: Sequence[str]
    runs: int
    apart: int

    @property
    def changes_can_be_found(self) -> bool:
        """Whether the library that finds them is installed."""
        return can_be_found()

    @cached_property
    def machines(self) -> list[str]:
        return list(dict.fromkeys(link.machine for chain in self.chains for link in chain.links))


def history_of(folders: Sequence[Path], settings: Settings) -> History:
    """The history in these folders of runs. Raises `RecordError` where no two commits can be compared."""
    found = sources(folders, settings.reference)
    grouped: dict[tuple[str, Case], list[Link]] = defaultdict(list)
    for link in found.links:
        grouped[link.row, link.case].append(link)
    chains: list[Chain] = []
    apart = 0
    for (row, case), links in grouped.items():
        sets = levels(links, found.commits)
        apart += len(sets[1:])
        chains += [_chain(row, case, main, links, settings) for main in sets[:1]]
    if not chains and not found.faults:
        raise RecordError(_why_none(found.left_out))
    order = sorted(found.commits.values(), key=lambda commit: commit.order)
    shown = {commit.name for chain in chains for commit in chain.commits} | {name for name, _ in found.faults}
    return History(
        settings=settings,
        chains=chains,
        commits=[commit for commit in order if commit.name in shown],
        faults=[(found.commits[name], fault) for name, fault in found.faults],
        left_out=found.left_out,
        runs=len(folders),
        apart=apart,
    )


def _chain(row: str, case: Case, main: Levels, links: Sequence[Link], settings: Settings) -> Chain:
    names = {commit.name for commit in main.commits}
    found = changes(main, settings.least_change, settings.least_commits)
    return Chain(row, case, main, found, [link for link in links if link.other in names])


def _why_none(left_out: Sequence[str]) -> str:
    why = f" {' '.join(left_out[:5])}" if left_out else ""
    return (
        f"These runs compare no two commits, so there is no history.{why} "
        "`stepbench compare BASE HEAD` compares two, `stepbench compare --each A..B` all between."
    )
