"""The report of a comparison of versions, written into the folder of its run: page, Markdown and JSON."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from stepreports.comparison.compared import Compared
from stepreports.comparison.version_lines import as_json, pull_request
from stepreports.records.comparison_file import COMPARISON
from stepreports.records.files import write_json, write_whole
from stepreports.render import written_or_told

PAGE, SUMMARY = "comparison.html", "comparison.md"


def write_verdicts(found: Compared, folder: Path) -> Path:
    """Write comparison.html, .md and .json; the path of the page.

    Where matplotlib or jinja2 is not installed there is no page, and the summary's path is returned. Raises
    `NotWrittenError` where the folder cannot be written.
    """
    with written_or_told(folder):
        page = write_whole(folder / SUMMARY, pull_request(found))
        if all(map(find_spec, ("matplotlib", "jinja2"))):
            from stepreports.comparison.verdicts_page import verdicts_page

            page = write_whole(folder / PAGE, verdicts_page(found))
        write_json(folder / COMPARISON, as_json(found))  # the last: what has it is whole
    return page
