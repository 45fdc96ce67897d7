"""The cells of the page: whole programs, each run as a reader would run it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup

from stepbench.lesson.coloured_code import coloured

CELLS = Path(__file__).parent / "cells"
_AT_ONCE = 2
_LONGEST_SECONDS = 300.0
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # the same sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A program: its file, its code as HTML, and what it printed."""

    file: str
    code: Markup
    printed: str


class CellError(Exception):
    """A cell did not run."""


def files() -> Iterator[Path]:
    """The programs, by name."""
    return (file for file in sorted(CELLS.glob("*.py")) if file.stem != "__init__")


def cells() -> dict[str, Cell]:
    """Every cell by its file's name without the suffix. Raises `CellError` where one fails."""
    return {cell.file.removesuffix(".py"): cell for cell in each_cell()}


def each_cell() -> Iterator[Cell]:
    """One after the other, as they are done."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        yield from threads.map(_run, files())


@cache
def _run(file: Path) -> Cell:
    """-P: what lies in the reader's folder is not imported in the place of a library."""
    finished = subprocess.run(
        [sys.executable, "-P", str(file)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **_ONE_THREAD, "PYTHONIOENCODING": "utf-8"},
        timeout=_LONGEST_SECONDS,
        check=False,
    )
    if finished.returncode:
        raise CellError(f"{file.name} of the lesson ended with {finished.returncode}: {finished.stderr.strip()}")
    return Cell(file=file.name, code=coloured(file.read_text(encoding="utf-8")), printed=finished.stdout.rstrip())
