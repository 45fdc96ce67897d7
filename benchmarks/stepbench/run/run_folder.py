"""The folder of a run: only what is empty is taken, only what the run made is removed, and no link leads out of it."""

from __future__ import annotations

import datetime
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from stepkernels.problem import ProblemError
from stepreports.records.files import RecordError
from stepreports.records.journal import NAME as JOURNAL_NAME

WORK = re.compile(r"\.work-[0-9a-f]{16}")


def new_folder(out: Path | None) -> Path:
    """Where a new run will be: nowhere but in an empty folder. Raises `ProblemError` for what is taken."""
    folder = out or default_folder()
    if folder.is_dir():
        names = {path.name for path in folder.iterdir()}
        if JOURNAL_NAME in names and not _is_unwritten(folder / JOURNAL_NAME):
            raise ProblemError(taken(folder))
        if names - {JOURNAL_NAME}:
            raise ProblemError(f"{folder} is not empty, and holds no run. Choose a new or an empty folder with --out.")
    elif os.path.lexists(folder):
        raise ProblemError(f"{folder} is no folder. Choose another with --out.")
    return folder


def taken(folder: Path) -> str:
    """What is said of a folder that has a run."""
    return f"{folder} already holds a run. Continue it with --resume {folder}, or choose another --out."


def default_folder() -> Path:
    """reports/runs/… in a checkout, ./stepbench-runs/… elsewhere."""
    in_checkout = Path("reports/stepreports").is_dir() and Path("noxfile.py").is_file()
    runs = Path("reports/runs" if in_checkout else "stepbench-runs")
    moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    return runs / f"{moment}-{secrets.token_hex(2)}"


@contextmanager
def made(folder: Path) -> Iterator[None]:
    """The folder and those above it. When the block ends, those that it made and left empty are gone again.

    Raises `ProblemError` where they cannot be made.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _remove_empty(missing)
        raise ProblemError(f"{folder} cannot be written ({error.strerror}). Choose another with --out.") from None
    try:
        yield
    finally:
        _remove_empty(missing)


def new_work_name() -> str:
    """A name that nothing else has, for the folder of what is needed only while the run goes on."""
    return f".work-{secrets.token_hex(8)}"


@contextmanager
def work_folder(folder: Path, name: Any) -> Iterator[Path]:
    """The folder for what is needed only while the run goes on, new and empty; gone when the block ends.

    `name` is of `new_work_name`, as the journal has it: what an attempt that was killed left under it is removed.
    """
    if not (isinstance(name, str) and WORK.fullmatch(name)):
        raise RecordError(f"{folder / JOURNAL_NAME} names {name!r} as the run's own folder; the journal is damaged.")
    path = folder / name
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def refuse_links(folder: Path, work: Any) -> None:
    """Raise `RecordError` for a symbolic link inside a run: what is written there would land elsewhere."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if Path(place, name).is_symlink():
                raise RecordError(f"{Path(place, name)} is a symbolic link; a run has none. Remove it, and look twice.")
        if work in folders:
            folders.remove(work)  # libraries keep caches there


def _is_unwritten(journal: Path) -> bool:
    """Whether there is no journal, or one of a run that ended before its first line."""
    if not os.path.lexists(journal):
        return True
    return not journal.is_symlink() and journal.is_file() and b"\n" not in journal.read_bytes()


def _remove_empty(folders: list[Path]) -> None:
    with suppress(OSError):
        for each in folders:
            each.rmdir()
