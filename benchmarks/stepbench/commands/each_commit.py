"""compare --each A..B: every commit of a range beside its first, one run each, and the history that they make.

Each is compared with A, and not with the commit before it: what ratios to one commit err by does not add up. What has
been compared is not compared again, unless it failed, so a range that was cut short is gone on with, and a longer one
adds to it.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stepbench.commands.history import default_place, runs_below, tell_history
from stepbench.commands.terminal import errors, say
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from stepbench.run.commits.repository import Repository

SETTINGS = "each.json"
CompareOne = Callable[[str, str, Path], Sequence[str]]  # base, commit, folder: what failed of it, which it has told


@dataclass(frozen=True, slots=True)
class Range:
    """The commits after `base` that change what is compared, the oldest first; `others` do not."""

    repository: Repository
    base: str
    commits: Sequence[str]
    others: int


def commits_of(told: str, place: Path, changing: Callable[[Repository], Sequence[PurePosixPath]]) -> Range:
    """The range that `A..B` names in the repository of a place. Raises `ProblemError`."""
    from stepbench.run.commits.repository import Repository

    first, dots, last = told.partition("..")
    if not (dots and first) or last.startswith("."):
        raise ProblemError(f"--each is a range of commits, written as v1.0..main or HEAD~10..; {told!r} is none.")
    repository = Repository.of(place)
    base, head = repository.commit(first), repository.commit(last or "HEAD")
    paths = changing(repository)
    every, found = (repository.after(base, head, of) for of in ((), paths))
    if not found:
        what = ", ".join(map(str, paths))
        raise ProblemError(f"No commit after {first} up to {last or 'HEAD'} changes {what}, so there is no history.")
    return Range(repository, base, found, len(every) - len(found))


def fill_in(found: Range, out: Path | None, settings: Mapping[str, object], compare_one: CompareOne) -> bool:
    """Compare what has not been compared yet, then tell the history; whether each commit could be compared.

    Runs go into `out`, or a folder that is called after the base. Raises `ProblemError`, among others for a folder of
    other cases.
    """
    from stepbench.run.commits.repository import SHORT
    from stepreports.telling.text import listed

    folder = out or default_place() / f"each-{found.base[:SHORT]}"
    failed: list[str] = []
    with _taken(folder, {"base": found.base, **settings}):
        _say_how_many(found)
        for number, commit in enumerate(found.commits, 1):
            run = folder / commit[:SHORT]
            title = f"{number} of {len(found.commits)}: {commit[:SHORT]} {found.repository.place_of(commit)[1]}"
            if _is_done(run):
                say(f"{title} (compared before)")
                continue
            shutil.rmtree(run, ignore_errors=True)  # what was cut short, or failed
            say(title)
            if _compared(found.base, commit, run, compare_one):
                failed.append(commit[:SHORT])
        if any((folder / commit[:SHORT] / "comparison.json").is_file() for commit in found.commits):
            _tell(folder)
    if failed:
        told = f"Something failed of {listed(failed)}, as said above; what failed is tried again the next time."
        say(told, style="red", on=errors)
    return not failed


def _is_done(run: Path) -> bool:
    """Whether a commit was compared and nothing of it failed; what did is tried again."""
    from stepreports.records.comparison_file import stored_comparison

    stored = stored_comparison(run)
    return stored is not None and not stored.faults


def _compared(base: str, commit: str, run: Path, compare_one: CompareOne) -> bool:
    """Compare one commit; whether something of it failed, which was told. One that cannot be compared ends nothing."""
    from stepbench.run.commits.repository import SHORT, VersionError

    try:
        return bool(compare_one(base, commit, run))
    except VersionError as error:
        if error.label == "base":
            raise
        say(f"{commit[:SHORT]}: {error}", style="red", on=errors)
        return True


def _tell(folder: Path) -> None:
    from stepreports.history.timeline import Settings

    tell_history(runs_below([folder]), folder, Settings())


def _say_how_many(found: Range) -> None:
    others = f"; {found.others} more change nothing that is compared" if found.others else ""
    say(f"{len(found.commits)} commits to compare with {found.base[:10]}{others}. What is done is kept.")


@contextmanager
def _taken(folder: Path, settings: Mapping[str, object]) -> Iterator[None]:
    """The folder of a range, held by this process alone; gone again if nothing was compared. Raises `ProblemError`."""
    from stepbench.run.run_folder import made
    from stepreports.records.files import read_object, write_json

    stored, lock = folder / SETTINGS, folder / ".lock"
    if folder.is_dir() and any(folder.iterdir()) and not stored.is_file():
        raise ProblemError(f"{folder} holds something else. Choose a new or an empty folder with --out.")
    with made(folder), lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = f"Another process is filling in {folder}. Wait for it, or choose another --out."
            raise ProblemError(told) from None
        if stored.is_file() and (before := read_object(stored)) != settings:
            apart = sorted(name for name in {*before, *settings} if before.get(name) != settings.get(name))
            told = f"{folder} holds a history with another {' and '.join(apart)}"
            raise ProblemError(f"{told}. Repeat it as it was, or choose another --out.")
        write_json(stored, dict(settings))
        try:
            yield
        finally:
            if not [each for each in folder.iterdir() if each not in (stored, lock)]:
                stored.unlink()
                lock.unlink()
