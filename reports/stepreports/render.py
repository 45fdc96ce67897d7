"""Everything a report consists of, written into the run's folder."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from stepreports.records.files import NotWrittenError, write_whole
from stepreports.statistics.runs import Run, load_run
from stepreports.telling.summary import summary
from stepreports.telling.tables import Table, csv_text, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PAGE_NEEDS = ("matplotlib", "jinja2")


def write_report(run_folder: Path) -> Path:
    """Write summary.md, table.csv, figures/ and report.html; the path of the page.

    Where matplotlib or jinja2 is not installed, as on a bare GPU machine, the summary and the table are written,
    the summary says what is missing, and its path is returned. Raises `RecordError`; where the folder cannot be
    written, `NotWrittenError`.
    """
    with no_collection():
        run = load_run(run_folder)
        with written_or_told(run_folder):
            return _write(run)


@contextmanager
def written_or_told(folder: Path) -> Iterator[None]:
    """A full disk, or a folder that cannot be written, as a sentence. The records are only read, and stay."""
    try:
        yield
    except OSError as error:
        where = Path(str(error.filename)).name if error.filename else folder
        raise NotWrittenError(
            f"The report in {folder} was not written ({where}: {error.strerror or error}). Nothing that was measured "
            "is lost; make room, or make the folder writable, and render it with `stepbench report`."
        ) from error


@contextmanager
def no_collection() -> Iterator[None]:
    """Fifty thousand records are millions of objects, all needed; looking for garbage among them costs a quarter."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def write_figures(folder: Path, drawn: Mapping[str, Figure]) -> None:
    """Each figure as figures/NAME.svg and figures/NAME.png."""
    from stepreports.figures.axes import png, svg

    for name, figure in drawn.items():
        write_whole(folder / "figures" / f"{name}.svg", svg(figure, letters_as_paths=True))
        write_whole(folder / "figures" / f"{name}.png", png(figure))


def _write(run: Run) -> Path:
    columns = table(run)
    write_whole(run.folder / "table.csv", csv_text(columns))
    missing = [library for library in _PAGE_NEEDS if find_spec(library) is None]
    if missing:
        absent = f"{' and '.join(missing)} not installed here"
        note = f"\nNo figures and no page: {absent}. `stepbench report` writes them on a machine that has them.\n"
        return write_whole(run.folder / "summary.md", summary(run) + note)
    write_whole(run.folder / "summary.md", summary(run))
    return _write_drawn(run, columns)


def _write_drawn(run: Run, columns: Table) -> Path:
    from stepreports.figures.by_size import figures
    from stepreports.page.report_page import page

    drawn = figures(run)
    write_figures(run.folder, drawn)
    return write_whole(run.folder / "report.html", page(run, columns, drawn))
