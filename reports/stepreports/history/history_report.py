"""The report of a history, written: a page, a summary in Markdown, and everything as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from stepreports.history.history_told import as_json, in_markdown
from stepreports.history.timeline import History, Settings, history_of
from stepreports.records.files import write_json, write_whole
from stepreports.render import no_collection, written_or_told

PAGE, SUMMARY, DATA = "history.html", "history.md", "history.json"


def write_history(folders: Sequence[Path], out: Path, settings: Settings) -> tuple[History, Path]:
    """Write history.html, history.md and history.json of these runs into `out`; the history, and the page's path.

    Where matplotlib or jinja2 is not installed there is no page, and the summary's path is returned. Raises
    `RecordError`; where the folder cannot be written, `NotWrittenError`.
    """
    with no_collection():
        found = history_of(folders, settings)
        with written_or_told(out):
            write_json(out / DATA, as_json(found))
            summary = write_whole(out / SUMMARY, in_markdown(found))
            if not all(map(find_spec, ("matplotlib", "jinja2"))):
                return found, summary
            from stepreports.history.history_page import history_page

            return found, write_whole(out / PAGE, history_page(found))
