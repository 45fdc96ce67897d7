"""The two figures of a training: how the cost fell, and how well the held-out rows are told apart."""

from __future__ import annotations

import math

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from stepbench.training.fitting import Trained
from stepreports.figures.axes import LOOK, canvas, headline
from stepreports.figures.style import COLOURS, FAINT, INK
from stepreports.telling import text

_HEIGHT, _LEFT, _RIGHT = 4.2, 0.8, 0.4  # inches
_ROC_WIDTH = 4.25  # makes the ROC curve's panel a square
_CURVE, _ = COLOURS[2]


@rc_context(LOOK)
def cost_figure(trained: Trained) -> Figure:
    """J before each iteration, under the cost of knowing nothing, ln 2."""
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    iterations = range(1, len(trained.costs) + 1)
    axes.plot(
        iterations,
        trained.costs,
        color=_CURVE,
        linewidth=1.5,
        marker="o" if len(iterations) < 40 else "",
        markersize=4.5,
    )
    axes.axhline(math.log(2), color=FAINT, linewidth=1, linestyle="--")
    axes.annotate("guessing: ln 2", (1, math.log(2)), xytext=(-2, 3), textcoords="offset points", color=FAINT,
                  xycoords=axes.get_yaxis_transform(), ha="right")  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.significant(value, 1)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    model = trained.model
    axes.set_xlabel(f"{trained.iteration} of {model.optimizer}", color=INK)
    axes.set_ylabel("cost J on the rows learned from", color=INK)
    headline(axes, "The cost as it fell", f"{model.trained_on}, {trained.rows:,} rows; computed by {model.row}")
    return figure


@rc_context(LOOK)
def roc_figure(trained: Trained) -> Figure:
    """The share of the second class found against the share of the first taken for it, at every threshold."""
    score, (first, second) = trained.score, trained.model.classes
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    figure.set_size_inches(_ROC_WIDTH, _HEIGHT)
    figure.subplots_adjust(left=_LEFT / _ROC_WIDTH, right=1 - _RIGHT / _ROC_WIDTH)
    axes.plot((0, 1), (0, 1), color=FAINT, linewidth=1, linestyle="--")
    axes.annotate("guessing", (0.62, 0.58), color=FAINT)
    axes.plot(score.false_positive_rates, score.true_positive_rates, color=_CURVE, linewidth=1.5, clip_on=False)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel(f"share of “{first}” taken for “{second}”", color=INK, parse_math=False)
    axes.set_ylabel(f"share of “{second}” found", color=INK, parse_math=False)
    headline(axes, f"ROC curve: area {score.auc:.4f}", f"{trained.model.trained_on}, {score.rows:,} rows held out")
    return figure
