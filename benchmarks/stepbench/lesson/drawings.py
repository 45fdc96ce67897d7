"""The lesson's figures, drawn once for both languages: where a word belongs stands `t:key`, which `localized` replaces.

Colours are those of the report, so that they follow the page's theme.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from stepbench.lesson import descent, squared_error
from stepbench.lesson.bandwidth import Roofline
from stepkernels.problem import Array
from stepreports.figures.axes import LOOK, canvas, headline
from stepreports.figures.style import COLOURS, FAINT, INK
from stepreports.page.report_page import inlined

VIOLET, RUST, BLUE, _, _, PLUM, GREEN, _ = (light for light, _ in COLOURS)  # those that words can be written in
MARKS = (
    (INK, "o"), (BLUE, "s"), (PLUM, "^"), (RUST, "D"), (GREEN, "v"), (VIOLET, "P"), (GREEN, "X"),
)  # fmt: skip  # of the rows in the roofline; the fused ones are the last three
HEIGHT = 3.7  # inches
EXPONENT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def localized(figure: Figure, name: str, labels: Mapping[str, str]) -> Markup:
    """A figure to stand in a page, its words and its description in the page's language."""
    drawing = re.sub(r"<!--.*?-->", "", inlined(figure, name), flags=re.DOTALL)
    drawing = drawing.replace(f'"Figure: {name}"', f'"{escape(labels[f"{name}_described"])}"', 1)
    return Markup(re.sub(r"\bt:(\w+)", lambda found: str(escape(labels[found[1]])), drawing))  # noqa: S704


@rc_context(LOOK)
def surfaces() -> Figure:
    """Squared error and cross-entropy seen from above, each with the descent from the same start."""
    figure, (squared, entropy) = canvas(HEIGHT, 0.55, 0.25, panels=2, gap=0.55)
    _surface(squared, "t:squared_error", squared_error.squared_cost, squared_error.squared_walk(), shades=30)
    _surface(entropy, "t:cross_entropy", squared_error.entropy_cost, squared_error.entropy_walk(), shades=14)
    trap = squared_error.trap()
    point_at(squared, trap.trap.w, trap.trap.b, "t:trap")
    point_at(squared, trap.best.w, trap.best.b, "t:best")
    point_at(entropy, trap.entropy_best.w, trap.entropy_best.b, "t:only")
    return figure


def _surface(axes: Axes, title: str, cost: squared_error.Cost, walk: Array, shades: int) -> None:
    """A cost from above, and a walk (steps + 1, 2) down it."""
    shade(axes, squared_error.WEIGHTS, squared_error.BIASES, squared_error.surface(cost), shades)
    axes.plot(*walk.T, color=RUST, linewidth=1.6)
    axes.plot(*walk[0], "o", color=RUST, markersize=5)
    axes.annotate("t:start", walk[0], xytext=(6, 5), textcoords="offset points", color=INK)
    headline(axes, title, "t:from_above")
    name_parameters(axes)


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
    plain_ticks(axes, [0.6, 0.8, 1.0, 2.0, 4.0])
    axes.set_xlim(0, descent.STEPS)
    axes.set_xlabel("t:steps", color=INK)
    for name, height in zip(("diverging", "small", "large", "right"), (0.86, 0.30, 0.18, 0.06), strict=True):
        axes.annotate(f"t:rate_{name}", (1.02, height), xycoords="axes fraction", color=colours[name])
    headline(axes, "t:cost_each_step", "t:four_rates")
    return figure


@rc_context(LOOK)
def races() -> Figure:
    """Gradient descent and Adam, with the feature in two units."""
    figure, panels = canvas(3.1, 0.7, 0.25, panels=2, gap=0.75)
    for axes, (name, race) in zip(panels, descent.races().items(), strict=True):
        entrants = [("t:gd", BLUE, race.gd, "-"), ("t:adam", RUST, race.adam, "-")]
        if name == "hundreds":  # where the text tells of it
            entrants.append(("t:adam_bold", PLUM, race.boldest, ":"))
        for place, (label, colour, entrant, dashes) in enumerate(entrants):
            gaps = np.maximum(entrant.gaps[1:], 1e-12)  # a logarithm has no step 0
            axes.plot(np.arange(1, len(entrant.gaps)), gaps, color=colour, linewidth=1.5, linestyle=dashes)
            left, top, side = (0.97, 0.9, "right") if name == "hours" else (0.03, 0.28, "left")  # where no curve is
            axes.annotate(label, (left, top - 0.11 * place), xycoords="axes fraction", color=colour, ha=side)
        axes.axhline(descent.NEAR, color=FAINT, linewidth=0.8, linestyle=(0, (1, 2)))
        axes.set(xscale="log", yscale="log", ylim=(1e-6, 1.0))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(power_of_ten))
        axes.set_xlabel("t:steps", color=INK)
        headline(axes, f"t:in_{name}", "t:gap")
    return figure


@rc_context(LOOK)
def roofline(roof: Roofline) -> Figure:
    """Operations a second against operations a byte: the machine's limits, and the rows."""
    figure, (axes,) = canvas(4.0, 0.7, 1.95)
    _roofs(axes, roof)
    slowest = min(mark.gflops for mark in roof.marks)
    axes.set(xscale="log", yscale="log", xlim=(0.06, 64.0), ylim=(0.4 * slowest, 4.0 * roof.peak_gflops))
    plain_ticks(axes, [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0])
    axes.set_xticks([0.125, 0.25, 0.5, 1, 4, 16, 64], ["⅛", "¼", "½", "1", "4", "16", "64"], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("t:intensity", color=INK)
    axes.set_ylabel("Gflop/s", color=INK)
    for place, (mark, (colour, shape)) in enumerate(zip(roof.marks, MARKS, strict=False)):
        top = 0.9 - 0.09 * place
        axes.plot(mark.intensity, mark.gflops, shape, color=colour, markersize=6)
        axes.plot(1.03, top + 0.017, shape, color=colour, markersize=6, transform=axes.transAxes, clip_on=False)
        axes.annotate(mark.row, (1.06, top), xycoords="axes fraction", color=colour)
    headline(axes, "t:roofline", "t:two_roofs")
    return figure


def _roofs(axes: Axes, roof: Roofline) -> None:
    """The limits of reading this X (dotted) and memory; and where a step stands that reads X twice, and once."""
    intensity = np.geomspace(0.06, 64.0, 100)
    cached = np.minimum(roof.peak_gflops, intensity * roof.read_gb_per_s)
    axes.plot(intensity, cached, color=FAINT, linewidth=1.2, linestyle=(0, (1, 2)))
    axes.plot(intensity, np.minimum(roof.peak_gflops, intensity * roof.memory_gb_per_s), color=INK, linewidth=1.8)
    for place in (roof.two, roof.one):
        axes.axvline(place, color=FAINT, linewidth=0.6)


def shade(axes: Axes, weights: Array, biases: Array, costs: Array, shades: int = 14) -> None:
    """Contours of a cost at equal differences of height: the stronger the blue, the higher, on light paper and dark."""
    levels = np.linspace(costs.min(), costs.max(), shades + 1)
    colours = [to_rgba(BLUE, 0.02 + 0.5 * k / shades) for k in range(shades)]
    axes.contourf(weights, biases, costs, levels=levels, colors=colours)
    axes.contour(weights, biases, costs, levels=levels[1:-1], colors=[BLUE], linewidths=0.4)
    axes.grid(visible=False)


def name_parameters(axes: Axes) -> None:
    """The axes of a cost seen from above."""
    axes.set_xlabel("t:weight", color=INK)
    axes.set_ylabel("t:bias", color=INK)


def point_at(axes: Axes, w: float, b: float, label: str) -> None:
    axes.plot(w, b, "X", color=INK, markersize=6)
    axes.annotate(label, (w, b), xytext=(7, -11), textcoords="offset points", color=INK)


def power_of_ten(value: float, _place: int) -> str:
    """A tick of a logarithmic axis as text, with the signs of an exponent."""
    return "10" + str(round(math.log10(value))).translate(EXPONENT)


def plain_ticks(axes: Axes, values: Sequence[float]) -> None:
    """Plain numbers on a logarithmic axis."""
    axes.set_yticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()
