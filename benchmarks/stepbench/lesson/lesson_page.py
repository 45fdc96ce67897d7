"""The lesson as one self-contained page: one skeleton, one set of figures and numbers, two languages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markupsafe import Markup

from stepbench.lesson import bandwidth as memory
from stepbench.lesson import (
    cell_outputs,
    coloured_code,
    descent,
    descent_map,
    drawings,
    excerpts,
    graph,
    likelihood,
    neuron,
    squared_error,
    step_costs,
)
from stepbench.lesson.formulas import displayed
from stepbench.lesson.shown import ROWS
from stepbench.lesson.students import CENTRE, HOURS, hours, students, witnesses
from stepbench.lesson.wording import LANGUAGES, Wording, digits, places
from stepbench.lesson.worked_example import worked_example
from stepkernels.problem import unit_roundoff
from stepreports.page.report_page import PALETTE
from stepreports.statistics.runs import Run
from stepreports.telling import text

WEB = Path(__file__).parent / "web"


def lesson_page(run: Run, language: str, report: str | None = None) -> str:
    """The page in "en" or "zh", with the costs and limits of a run that timed the lesson's rows.

    `report` is where the report of a run lies, seen from the page.
    """
    shown = values(run)
    wording = Wording(language, shown)
    slider = descent_map.descent_map()
    return (
        _environment()
        .get_template("lesson.html.j2")
        .render(
            shown,
            report=report,
            language=LANGUAGES[language],
            palette=PALETTE,
            para=wording.paragraphs,
            line=wording.line,
            pseudocode=lambda name: coloured_code.plain(wording.plain(name)),
            labels=wording.labels,
            formula=displayed,
            figures=_figures(wording.labels, shown["roof"], slider),
            graph=graph.drawing(shown["example"], wording.labels["graph_described"]),
            picture=neuron,
            excerpts=excerpts.excerpts(),
            cells=cell_outputs.cells(),
            walks=slider.walks,
            chosen=slider.chosen,
            data=Markup(json.dumps(_script_data(slider.walks)).replace("<", r"\u003c")),  # noqa: S704  numbers only
            script=Markup((WEB / "lesson.js").read_text(encoding="utf-8")),  # noqa: S704  our own file
        )
    )


def _figures(labels: Mapping[str, str], roof: memory.Roofline, slider: descent_map.DescentMap) -> dict[str, Markup]:
    """Every figure by the name that the skeleton uses, its words in the page's language."""
    drawn = {
        "surfaces": drawings.surfaces(),
        "profile": drawings.profile(),
        "losses": drawings.losses(),
        "rates": drawings.rates(),
        "map": slider.figure,
        "races": drawings.races(),
        "roofline": drawings.roofline(roof),
    }
    figures = {name: drawings.localized(figure, name, labels) for name, figure in drawn.items()}
    return {**figures, "map": slider.overlaid(figures["map"])}


def values(run: Run) -> dict[str, Any]:
    """Every number of the page, by the name that texts and skeleton use."""
    costs = {cost.row: cost for cost in step_costs.costs(run)}
    fastest = max(costs.values(), key=lambda cost: cost.gain)
    return {
        "neuron": neuron.neuron(*neuron.START),
        "squashed": neuron.squashed(),
        "students": len(HOURS),
        "centre": CENTRE,
        "witnesses": witnesses(),
        "trap": squared_error.trap(),
        "likelihood": likelihood.likelihood(),
        "losses": likelihood.losses(),
        "strained": likelihood.strained(),
        "example": worked_example(),
        "curvature": descent.curvature(students()),
        "named_rates": descent.NAMED,
        "named_walks": descent.named_walks(),
        "conditioning": descent.conditioning(),
        "races": descent.races(),
        "race_steps": descent.RACE_STEPS,
        "near": descent.NEAR,
        "walk_steps": descent.STEPS,
        "walk_start": descent.START,
        "roundoff": unit_roundoff("float64"),
        "confidence": run.cases[step_costs.timed_case(run)][ROWS[0]].seconds.confidence,
        "costs": costs,
        "fastest": fastest,
        "loop": costs[ROWS[0]],
        "alarm": step_costs.alarm(list(costs.values())),
        "not_believed": step_costs.not_believed(run),
        "roof": memory.roofline(run),
    }


def _script_data(walks: Sequence[descent_map.Drawn]) -> dict[str, Any]:
    """What the sliders need."""
    picture = {"left": neuron.LEFT, "right": neuron.RIGHT, "top": neuron.TOP, "bottom": neuron.BOTTOM}
    return {
        "picture": picture | {"furthest": neuron.FURTHEST, "centre": hours(0.0)},
        "passed": students().y.tolist(),
        "hours": HOURS.tolist(),
        "walks": [asdict(walk) for walk in walks],
    }


def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(WEB), PackageLoader("stepreports.page", "assets")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        digits=digits, places=places, seconds=text.plain_seconds, plain_bytes=text.plain_bytes
    )  # fmt: skip
    return environment
