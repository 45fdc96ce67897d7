"""The figure that the slider moves a walk over: J from above, and J after each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stepbench.lesson import descent, squared_error
from stepbench.lesson.drawings import name_parameters, plain_ticks, point_at, shade
from stepbench.lesson.students import students
from stepkernels.problem import Array
from stepreports.figures.axes import LOOK, canvas, headline
from stepreports.figures.style import INK


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DescentMap:
    """The figure without a walk, its two panels, and for each rate what is laid over them."""

    figure: Figure
    frames: Sequence[Frame]
    walks: Sequence[Drawn]

    @property
    def chosen(self) -> int:
        """Where the slider stands when the page opens: at a rate of 1/L."""
        return next(place for place, walk in enumerate(self.walks) if walk.multiple == 1.0)

    def overlaid(self, drawing: Markup) -> Markup:
        """The figure as it stands in a page, with the chosen walk and its costs over its panels.

        A path is cut off at its panel's edge; the slider exchanges them.
        """
        chosen = self.walks[self.chosen]
        over = Markup("").join(
            Markup(
                '<clipPath id="frame-{0}"><rect x="{1.left}" y="{1.top}" width="{1.width}" height="{1.height}"/>'
                '</clipPath><path class="walk" clip-path="url(#frame-{0})" data-path="{0}" d="{2}"/>'
            ).format(name, frame, path)
            for frame, (name, path) in zip(self.frames, (("walk", chosen.walk), ("costs", chosen.costs)), strict=True)
        )
        return drawing.replace("</svg>", over + Markup("</svg>"))


@rc_context(LOOK)
def descent_map() -> DescentMap:
    """J of the students, and the walks of every rate on the slider."""
    figure, (above, beside) = canvas(3.9, 0.75, 0.25, panels=2, gap=0.65)
    _draw_from_above(above)
    _prepare_costs(beside)
    rate = descent.curvature(students()).rate
    walks = [
        Drawn(
            multiple=multiple,
            rate=multiple * rate,
            walk=_path(above, walk.parameters),
            costs=_path(beside, np.column_stack([np.arange(len(walk.costs)), walk.costs])),
            last_cost=float(walk.costs[-1]),
        )
        for multiple, walk in descent.rate_walks().items()
    ]
    return DescentMap(figure=figure, frames=[_frame(above), _frame(beside)], walks=walks)


def _draw_from_above(axes: Axes) -> None:
    weights, biases = np.linspace(-0.55, 1.15, 80), np.linspace(-1.45, 0.75, 80)
    shade(axes, weights, biases, np.array([[squared_error.entropy_cost(w, b) for w in weights] for b in biases]))
    point_at(axes, *descent.best_point(students()), "t:only")
    headline(axes, "t:walk", "t:from_above")
    name_parameters(axes)


def _prepare_costs(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.set_ylim(0.56, 6.5)
    axes.set_xlim(0, descent.STEPS)
    plain_ticks(axes, [0.6, 0.8, 1.0, 2.0, 4.0])
    axes.set_xlabel("t:steps", color=INK)
    headline(axes, "J", "t:cost_each_step")


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
