"""report.html: the page people read, one self-contained file that opens from disk without a network.

The data of the page and Plotly are packed (gzip, base64) into the file and unpacked by its script; what must be
readable without the script, all but the interactive chart and the raw table, is plain HTML.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from stepreports.figures.axes import svg
from stepreports.figures.by_size import MOST_VIEWS
from stepreports.figures.style import (
    COLOURS,
    FAINT,
    FAINT_DARK,
    GRID,
    GRID_DARK,
    INK,
    INK_DARK,
    OWN,
    PAPER,
    PAPER_DARK,
    TONES,
    styles,
)
from stepreports.page import sections
from stepreports.page.page_data import page_data
from stepreports.statistics.runs import Run
from stepreports.statistics.views import step_views, views
from stepreports.telling import margins_told, narrowed, resources
from stepreports.telling.findings import answer, headline, overtakings
from stepreports.telling.machine_facts import machine_lines, roof_lines
from stepreports.telling.own_kernels import own_kernel_tables
from stepreports.telling.summary import alarms, warnings, where, winners_of
from stepreports.telling.tables import Table
from stepreports.telling.trust import drift_in_words, overhead_in_words, self_test_lines

_FIGURES = ("time", "limit", "roofline", "phases", "start", "drift")
_SCRIPTS = (
    "unpack.js",
    "estimate.js",
    "choices.js",
    "your_size.js",
    "heat.js",
    "turns.js",
    "chart_axes.js",
    "explore.js",
    "raw_table.js",
    "page.js",
)
LESSONS = {"stepbench-lesson-en.html": "English", "stepbench-lesson-zh.html": "中文"}  # beside a run, linked
_ASSETS = Path(__file__).parent / "assets"
_INKS = {"ink": (INK, INK_DARK), "faint": (FAINT, FAINT_DARK), "grid": (GRID, GRID_DARK), "paper": (PAPER, PAPER_DARK)}
_UNBROKEN = re.compile(
    r"(?<=\d) (?=×|%|(?:[nµm]?s|[kMGT]?B)\b)|(?<=\d ×) (?=\d)|(?<=\d,) (?=[\d,.]+\])|(?<=[×%s]) (?=\[\d)"
)
PALETTE = (
    _INKS
    | {f"hue-{place}": pair for place, pair in enumerate(COLOURS)}
    | {f"hue-{place}-{tone}": pair for place, pairs in enumerate(TONES) for tone, pair in enumerate(pairs, start=1)}
    | {f"own-{tone}": pair for tone, pair in enumerate(OWN)}
)


def page(run: Run, table: Table, drawn: Mapping[str, Figure]) -> str:
    """The page of a run, from its raw table and its figures."""
    hues = {light: name for name, (light, _) in PALETTE.items()}
    main = views(run)[:1]
    return rendered(
        "report.html.j2",
        page_data(run, table),
        run=run,
        main=main[0] if main else None,
        where=where(run),
        headline=headline(run),
        own=own_kernel_tables(run),
        claims=answer(run),
        winners=[(view.title, winners_of(view)) for view in step_views(run)[:MOST_VIEWS]],
        warnings=warnings(run),
        alarms=alarms(run),
        lessons=[(name, label) for name, label in LESSONS.items() if (run.folder / name).is_file()],
        hues={name: hues[look.colour] for name, look in styles(run.rows).items()},
        sections=sections,
        overhead_in_words=overhead_in_words,
        self_test_lines=self_test_lines,
        roof_lines=roof_lines(run),
        resources=resources,
        narrowed=narrowed,
        margins_told=margins_told,
        machine_lines=machine_lines(run),
        figures=_figures(run, drawn),
        drift=drift_in_words(run),
        overtakings=list(chain.from_iterable(map(overtakings, main))),
    )


def rendered(
    template: str,
    data: dict[str, Any] | None,
    *,
    has_chart: bool = True,
    scripts: Sequence[str] = _SCRIPTS,
    **shown: object,
) -> str:
    """A page with its styles and scripts; its data, or None for one without; and Plotly where it has a chart."""
    return (
        _environment()
        .get_template(template)
        .render(
            shown,
            palette=PALETTE,
            scripts=[_asset(name) for name in scripts],
            data=_packed(msgspec.json.encode(data or {"layout": []})),
            plotly=_plotly() if data and has_chart else None,
        )
    )


def words(sentence: object) -> Markup:
    """A sentence as HTML: what stands between backticks is code, between double asterisks strong.

    A size, an interval, and a number with its unit stay on one line, and so do code and the sign after it.
    """
    html = _UNBROKEN.sub("\N{NO-BREAK SPACE}", str(escape(sentence)))
    html = re.sub(r"`([^`]+)`([,.:;)]+)", r'<span class="glued"><code>\1</code>\2</span>', html)
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    return Markup(re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html))  # noqa: S704  escaped above


def _figures(run: Run, drawn: Mapping[str, Figure]) -> dict[str, Markup | None]:
    """The static figures of the page; None for one that the records could not fill."""
    slugs = [view.slug for view in views(run)[:1]]
    files = {name: name for name in ("phases", "start", "drift")} | {
        name: f"{name}-{slug}" for slug in slugs for name in ("time", "limit", "roofline")
    }
    return {name: inlined(drawn[files[name]], name) if files.get(name) in drawn else None for name in _FIGURES}


def inlined(figure: Figure, name: str) -> Markup:
    """A figure to stand in the page: colours by the theme's names, no ids but those referred to."""
    drawing = svg(figure, letters_as_paths=False)
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'<g id="[^"]*"', "<g", drawing)
    for variable, (colour, _) in PALETTE.items():
        drawing = drawing.replace(colour, f"var(--{variable})")
    return Markup(drawing.replace("<svg", f'<svg role="img" aria-label="Figure: {name}"', 1))  # noqa: S704


def _plotly() -> str | None:
    """Plotly's script, packed; None where plotly is not installed."""
    if find_spec("plotly") is None:
        return None
    from plotly.offline import get_plotlyjs

    return _packed(get_plotlyjs().encode())


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, compresslevel=4, mtime=0)).decode()


def _asset(name: str) -> Markup:
    """A style sheet or script of this package, to stand in the page as it is."""
    return Markup((_ASSETS / name).read_text(encoding="utf-8"))  # noqa: S704  our own file


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["words"] = words
    return environment
