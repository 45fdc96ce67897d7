"""The page of a history, and its figures: a chain is drawn commit by commit, its levels and changes upon it."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from stepreports.figures.axes import LOOK, canvas, headline
from stepreports.figures.style import COLOURS, FAINT, INK, MARKERS
from stepreports.history import history_told
from stepreports.history.history_told import SHORT
from stepreports.history.timeline import Chain, History
from stepreports.page.report_page import inlined, rendered
from stepreports.telling import text

_POINTS, _CHANGE = COLOURS[2][0], COLOURS[1][0]
_HEIGHT, _LEFT, _RIGHT = 2.9, 0.75, 0.5  # inches
_MOST_NAMES = 12  # of commits below an axis
_ROOM = 0.02  # above and below what is drawn, at the least, as a fraction of the first commit's time
MOST_FIGURES = 24


def history_page(found: History) -> str:
    """The whole page, one file that needs no network."""
    shown = found.chains[:MOST_FIGURES]
    return rendered(
        "history.html.j2",
        None,
        found=found,
        told=history_told,
        chains=[(chain, inlined(chain_figure(chain), f"history of {chain.row}")) for chain in shown],
        more=len(found.chains) - len(shown),
    )


@rc_context(LOOK)
def chain_figure(chain: Chain) -> Figure:
    """The time of each commit over the first's, with its interval; levels between changes, and a line at each."""
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    ratios = [chain.levels.ratio(place) for place in range(len(chain.commits))]
    low, high = min(ratio.low for ratio in ratios), max(ratio.high for ratio in ratios)
    room = max(_ROOM, 0.08 * (high - low))
    axes.axhline(1, color=INK, linewidth=0.8)
    _draw_levels(axes, chain)
    _draw_points(axes, chain)
    axes.set(xlim=(-0.5, len(ratios) - 0.5), ylim=(low - room, high + room))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}×"))
    axes.set_ylabel("of the first's time", color=INK)
    _name_commits(axes, chain)
    headline(axes, chain.row, chain.case.in_words)
    return figure


def _draw_points(axes: Axes, chain: Chain) -> None:
    """Points with their intervals; another marker for each machine, or set of them, up to as many as there are."""
    kinds = list(dict.fromkeys(tuple(chain.machines_at[commit.name]) for commit in chain.commits[1:]))
    for place, commit in enumerate(chain.commits):
        ratio, machines = chain.levels.ratio(place), tuple(chain.machines_at[commit.name])
        marker = MARKERS[kinds.index(machines) % len(MARKERS)] if machines in kinds else MARKERS[0]
        axes.plot([place, place], [ratio.low, ratio.high], color=_POINTS, linewidth=1, alpha=0.6)
        axes.plot(place, ratio.value, color=_POINTS, marker=marker, markersize=4.5)


def _draw_levels(axes: Axes, chain: Chain) -> None:
    edges = [0, *(change.place for change in chain.changes), len(chain.commits)]
    for start, until in pairwise(edges) if chain.changes else ():
        level = median(chain.levels.ratio(place).value for place in range(start, until))
        axes.plot([start - 0.5, until - 0.5], [level, level], color=_CHANGE, linewidth=2.2, solid_capstyle="butt")
    for change in chain.changes:
        axes.axvline(change.place - 0.5, color=_CHANGE, linewidth=1, linestyle=(0, (3, 2)))
        axes.annotate(
            f"{text.number(change.ratio.value, text.decimals(change.ratio))}×", (change.place - 0.5, 1),
            xycoords=("data", "axes fraction"), xytext=(4, -9), textcoords="offset points", color=INK,
        )  # fmt: skip


def _name_commits(axes: Axes, chain: Chain) -> None:
    """The commits below the axis, every one or every so many, so that none covers another."""
    apart = -(-len(chain.commits) // _MOST_NAMES)
    places = range((len(chain.commits) - 1) % apart, len(chain.commits), apart)
    axes.xaxis.set_major_locator(FixedLocator(list(places)))
    axes.set_xticklabels([chain.commits[place].name[: SHORT - 3] for place in places], color=FAINT)
    axes.grid(visible=False, axis="x")
