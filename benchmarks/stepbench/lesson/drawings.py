"""The lesson's figures, drawn once for both languages: where a word belongs stands `t:key`, which `localized` replaces.

Colours are those of the report, so that they follow the page's theme.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from stepbench.lesson import descent, squared_error
from stepbench.lesson.bandwidth import Roofline
from stepbench.lesson.students import students
from stepkernels.problem import Array
from stepreports.figures.axes import LOOK, canvas, headline
from stepreports.figures.style import COLOURS, FAINT, INK
from stepreports.page.report_page import inlined

VIOLET, RUST, BLUE, _, _, PLUM, GREEN, _ = (light for light, _ in COLOURS)  # those that words can be written in
HEIGHT = 3.7  # inches


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One rate on the slider: its multiple of 1/L, and its walk and its costs as paths within the figure."""

    multiple: float
    rate: float
    walk: str
    costs: str
    last_cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A panel's place within its figure, in the figure's own units."""

    left: float
    top: float
    width: float
    height: float


def localized(figure: Figure, name: str, labels: Mapping[str, str]) -> Markup:
    """A figure to stand in a page, its words and its description in the page's language."""
    drawing = re.sub(r"<!--.*?-->", "", inlined(figure, name), flags=re.DOTALL)
    drawing = drawing.replace(f'"Figure: {name}"', f'"{escape(labels[f"{name}_described"])}"', 1)
    return Markup(re.sub(r"\bt:(\w+)", lambda found: str(escape(labels[found[1]])), drawing))  # noqa: S704


def overlaid(drawing: Markup, frames: Sequence[Frame], paths: Sequence[tuple[str, str]]) -> Markup:
    """A figure with a named path over each of its panels, cut off at the panel's edge; the sliders exchange them."""
    over = Markup("").join(
        Markup(
            '<clipPath id="frame-{0}"><rect x="{1.left}" y="{1.top}" width="{1.width}" height="{1.height}"/></clipPath>'
            '<path class="walk" clip-path="url(#frame-{0})" data-path="{0}" d="{2}"/>'
        ).format(name, frame, path)
        for frame, (name, path) in zip(frames, paths, strict=True)
    )
    return drawing.replace("</svg>", over + Markup("</svg>"))


@rc_context(LOOK)
def surfaces() -> Figure:
    """Squared error and cross-entropy seen from above, each with the descent from the same start."""
    figure, panels = canvas(HEIGHT, 0.55, 0.25, panels=2, gap=0.55)
    trap = squared_error.trap()
    for axes, title, cost, points, shades in zip(
        panels,
        ("t:squared_error", "t:cross_entropy"),
        (squared_error.squared_cost, squared_error.entropy_cost),
        (squared_error.squared_walk(), squared_error.entropy_walk()),
        (30, 14),
        strict=True,
    ):
        _shade(axes, squared_error.WEIGHTS, squared_error.BIASES, squared_error.surface(cost), shades)
        axes.plot(*points.T, color=RUST, linewidth=1.6)
        axes.plot(*points[0], "o", color=RUST, markersize=5)
        axes.annotate("t:start", points[0], xytext=(6, 5), textcoords="offset points", color=INK)
        headline(axes, title, "t:from_above")
        axes.set_xlabel("t:weight", color=INK)
        axes.set_ylabel("t:bias", color=INK)
    for axes, place, label in (
        (panels[0], trap.trap, "t:trap"),
        (panels[0], trap.best, "t:best"),
        (panels[1], trap.entropy_best, "t:only"),
    ):
        _point_at(axes, place.w, place.b, label)
    return figure


@rc_context(LOOK)
def profile() -> Figure:
    """Both costs along the straight line from the trap to the best point."""
    figure, panels = canvas(2.9, 0.55, 0.25, panels=2, gap=0.55)
    shares, squared, entropy = squared_error.profile()
    trap = squared_error.trap()
    for axes, values, title in zip(panels, (squared, entropy), ("t:squared_error", "t:cross_entropy"), strict=True):
        axes.plot(shares, values, color=BLUE, linewidth=1.8)
        headline(axes, title, "t:along_line")
        axes.set_xticks([0.0, 1.0], ["t:trap", "t:best"])
        axes.set_ylim(0.0, 1.12 * max(values))
    panels[0].plot(0.0, trap.trap.cost, "o", color=RUST)
    panels[1].plot(0.0, trap.entropy_at_trap, "o", color=RUST)
    return figure


@rc_context(LOOK)
def losses() -> Figure:
    """What a prediction costs for either label: cross-entropy without a bound, squared error with one."""
    figure, panels = canvas(2.9, 0.55, 0.25, panels=2, gap=0.55)
    a = np.linspace(0.004, 0.996, 400)
    for axes, chance, title in zip(panels, (a, 1.0 - a), ("t:label_one", "t:label_zero"), strict=True):
        axes.plot(a, -np.log(chance), color=BLUE, linewidth=1.8)
        axes.plot(a, (1.0 - chance) ** 2, color=RUST, linewidth=1.5, linestyle=(0, (5, 2)))
        headline(axes, title, "t:loss_of_a")
        axes.set_xlabel("a", color=INK)
        axes.set_ylim(0.0, 5.6)
        end, side = (0.13, "left") if chance is a else (0.87, "right")
        axes.annotate("t:cross_entropy", (end, 2.6), color=BLUE, ha=side)
        axes.annotate("t:squared_error", (0.02 if chance is a else 0.98, 0.2), color=RUST, ha=side)
    return figure


@rc_context(LOOK)
def rates() -> Figure:
    """J after each step, at a rate too small, right, too large, and one that diverges."""
    figure, (axes,) = canvas(3.2, 0.65, 1.6)
    colours = {"small": PLUM, "right": GREEN, "large": BLUE, "diverging": RUST}
    for name, walk in descent.named_walks().items():
        axes.plot(walk.costs, color=colours[name], linewidth=1.6)
    axes.set_yscale("log")
    _plain_ticks(axes, [0.6, 0.8, 1.0, 2.0, 4.0])
    axes.set_xlim(0, descent.STEPS)
    axes.set_xlabel("t:steps", color=INK)
    for name, height in zip(("diverging", "small", "large", "right"), (0.86, 0.30, 0.18, 0.06), strict=True):
        axes.annotate(f"t:rate_{name}", (1.02, height), xycoords="axes fraction", color=colours[name])
    headline(axes, "t:cost_each_step", "t:four_rates")
    return figure


@rc_context(LOOK)
def descent_map() -> tuple[Figure, list[Frame], list[Drawn]]:
    """J from above and against the steps, without a walk; the panels, and for each rate what is laid over them."""
    figure, (above, beside) = canvas(3.9, 0.75, 0.25, panels=2, gap=0.65)
    weights, biases = np.linspace(-0.55, 1.15, 80), np.linspace(-1.45, 0.75, 80)
    data = students()
    _shade(above, weights, biases, np.array([[squared_error.entropy_cost(w, b) for w in weights] for b in biases]))
    _point_at(above, *descent.best_point(data), "t:only")
    headline(above, "t:walk", "t:from_above")
    above.set_xlabel("t:weight", color=INK)
    above.set_ylabel("t:bias", color=INK)
    beside.set_yscale("log")
    beside.set_ylim(0.56, 6.5)
    beside.set_xlim(0, descent.STEPS)
    _plain_ticks(beside, [0.6, 0.8, 1.0, 2.0, 4.0])
    beside.set_xlabel("t:steps", color=INK)
    headline(beside, "J", "t:cost_each_step")
    rate = descent.curvature(data).rate
    drawn = [
        Drawn(
            multiple=multiple,
            rate=multiple * rate,
            walk=_path(above, walk.parameters),
            costs=_path(beside, np.column_stack([np.arange(len(walk.costs)), walk.costs])),
            last_cost=float(walk.costs[-1]),
        )
        for multiple, walk in descent.rate_walks().items()
    ]
    return figure, [_frame(above), _frame(beside)], drawn


@rc_context(LOOK)
def races() -> Figure:
    """Gradient descent and Adam, with the feature in two units."""
    figure, panels = canvas(3.1, 0.7, 0.25, panels=2, gap=0.75)
    for axes, (name, race) in zip(panels, descent.races().items(), strict=True):
        for label, colour, gaps in (("t:gd", BLUE, race.gd), ("t:adam", RUST, race.adam)):
            axes.plot(np.arange(1, len(gaps) + 1), np.maximum(gaps, 1e-12), color=colour, linewidth=1.5)
            axes.annotate(label, (0.03, 0.17 if colour == BLUE else 0.06), xycoords="axes fraction", color=colour)
        axes.axhline(descent.NEAR, color=FAINT, linewidth=0.8, linestyle=(0, (1, 2)))
        axes.set(xscale="log", yscale="log", ylim=(1e-6, 1.0))
        axes.set_xlabel("t:steps", color=INK)
        headline(axes, f"t:in_{name}", "t:gap")
    return figure


@rc_context(LOOK)
def roofline(roof: Roofline) -> Figure:
    """Operations a second against operations a byte: the machine's limits, and the rows."""
    figure, (axes,) = canvas(4.0, 0.7, 1.75)
    intensity = np.geomspace(0.06, 64.0, 100)
    cached = np.minimum(roof.peak_gflops, intensity * roof.read_gb_per_s)
    axes.plot(intensity, cached, color=FAINT, linewidth=1.2, linestyle=(0, (1, 2)))
    axes.plot(intensity, np.minimum(roof.peak_gflops, intensity * roof.memory_gb_per_s), color=INK, linewidth=1.8)
    for place in (roof.two, roof.one):
        axes.axvline(place, color=FAINT, linewidth=0.6)
    slowest = min(mark.gflops for mark in roof.marks)
    axes.set(xscale="log", yscale="log", xlim=(0.06, 64.0), ylim=(0.4 * slowest, 4.0 * roof.peak_gflops))
    _plain_ticks(axes, [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0])
    axes.set_xticks([0.125, 0.25, 0.5, 1, 4, 16, 64], ["⅛", "¼", "½", "1", "4", "16", "64"], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("t:intensity", color=INK)
    axes.set_ylabel("Gflop/s", color=INK)
    for place, (mark, colour) in enumerate(zip(roof.marks, (INK, BLUE, PLUM, RUST, VIOLET, GREEN), strict=False)):
        axes.plot(mark.intensity, mark.gflops, "o", color=colour, markersize=6)
        axes.annotate(mark.row, (1.02, 0.9 - 0.09 * place), xycoords="axes fraction", color=colour)
    headline(axes, "t:roofline", "t:two_roofs")
    return figure


def _shade(axes: Axes, weights: Array, biases: Array, costs: Array, shades: int = 14) -> None:
    """Contours of a cost at equal differences of height: the darker, the higher."""
    levels = np.linspace(costs.min(), costs.max(), shades + 1)
    colours = [to_rgba(BLUE, 0.02 + 0.5 * k / shades) for k in range(shades)]
    axes.contourf(weights, biases, costs, levels=levels, colors=colours)
    axes.contour(weights, biases, costs, levels=levels[1:-1], colors=[BLUE], linewidths=0.4)
    axes.grid(visible=False)


def _point_at(axes: Axes, w: float, b: float, label: str) -> None:
    axes.plot(w, b, "X", color=INK, markersize=6)
    axes.annotate(label, (w, b), xytext=(7, -11), textcoords="offset points", color=INK)


def _plain_ticks(axes: Axes, values: Sequence[float]) -> None:
    """Plain numbers on a logarithmic axis."""
    axes.set_yticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()


def _frame(axes: Axes) -> Frame:
    figure: Any = axes.get_figure(root=True)
    width, height = 72.0 * figure.get_figwidth(), 72.0 * figure.get_figheight()
    box = axes.get_position()
    return Frame(left=box.x0 * width, top=(1.0 - box.y1) * height, width=box.width * width, height=box.height * height)


def _path(axes: Axes, points: Array) -> str:
    """Points in data coordinates as an SVG path in the figure's own: 72 units an inch, downwards."""
    figure: Any = axes.get_figure(root=True)
    pixels = axes.transData.transform(points) * 72.0 / figure.dpi
    pixels[:, 1] = 72.0 * figure.get_figheight() - pixels[:, 1]
    return "M" + "L".join(f"{left:.1f},{top:.1f}" for left, top in np.clip(pixels, -4000.0, 4000.0))
