"""report.html: the page people read, one self-contained file."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from stepreports.axes import svg
from stepreports.figures import figures
from stepreports.findings import answer
from stepreports.records import Run
from stepreports.summary import failure_lines, warnings, winners


def page(run: Run) -> str:
    """The page of a run."""
    environment = Environment(
        loader=PackageLoader("stepreports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["words"] = words
    drawn = {name: Markup(svg(figure, letters_as_paths=False)) for name, figure in figures(run).items()}  # noqa: S704
    return environment.get_template("report.html.j2").render(
        run=run,
        claims=answer(run),
        winners=winners(run),
        figures=drawn,
        warnings=warnings(run),
        failures=failure_lines(run),
    )


def words(sentence: str) -> Markup:
    """A sentence as HTML: what stands between backticks is code, between double asterisks strong."""
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(sentence)))
    return Markup(re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html))  # noqa: S704
