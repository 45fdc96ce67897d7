"""The page of a scaling, and everything written: scale.json, scale.md and scale.html."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from stepreports.comparison.scaling_report import scale_told
from stepreports.comparison.scaling_report.scale_records import ScaleRecord, write_record
from stepreports.comparison.scaling_report.scaled import Scaled, scaled
from stepreports.records.files import write_whole
from stepreports.render import written_or_told

PAGE, SUMMARY = "scale.html", "scale.md"


def write_scale(folder: Path, record: ScaleRecord) -> tuple[Scaled, Path]:
    """Write scale.json, scale.md and scale.html into the folder; what is told, and the page's path.

    Where matplotlib or jinja2 is not installed there is no page, and the summary's path is returned. Raises
    `NotWrittenError` where the folder cannot be written.
    """
    with written_or_told(folder):
        write_record(folder, record)
        found = scaled(record)
        summary = write_whole(folder / SUMMARY, scale_told.in_markdown(found))
        if not all(map(find_spec, ("matplotlib", "jinja2"))):
            return found, summary
        return found, write_whole(folder / PAGE, scale_page(found))


def scale_page(found: Scaled) -> str:
    """The whole page, one file that needs no network."""
    from stepreports.comparison.scaling_report.scale_figures import case_figure, waiting_figure
    from stepreports.page.report_page import inlined, rendered

    waiting = waiting_figure(found)
    return rendered(
        "scale.html.j2",
        None,
        found=found,
        told=scale_told,
        cases=[
            (case, inlined(case_figure(case), f"time against ranks at {case.in_words}"))
            for case in found.cases
            if case.points and not found.record.weak
        ],
        waiting=waiting and inlined(waiting, "waiting for other ranks"),
    )
