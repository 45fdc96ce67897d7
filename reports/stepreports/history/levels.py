"""How long each commit takes, as a multiple of the first: what agrees best with all the paired ratios between them.

Ratios need not all be to one commit. Logarithms of levels are found by least squares, each ratio weighing as its
interval is narrow; so two ratios of one pair are averaged, a ratio to the commit before is added to that commit's own
level, and with it what it errs by. The covariance says how much of that two levels share: errors of a long chain add
up, those of ratios to one commit do not. Where ratios contradict one another by more than their intervals allow, all
errors are larger by as much (Birge's ratio).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stepreports.history.links import REACH, Commit, Link
from stepreports.records.turns import Floats
from stepreports.statistics.intervals import Estimate


@dataclass(frozen=True, eq=False)
class Levels:
    """Commits that ratios connect, in their order. `logs` is of the time over the first commit's, whose is zero.

    logs        (commits,), float64
    covariance  (commits, commits), float64, of the logarithms
    """

    commits: Sequence[Commit]
    logs: Floats
    covariance: Floats

    def ratio(self, place: int, before: int = 0) -> Estimate:
        """The time at one place over that at another, with its 99 % interval."""
        weights = np.zeros(len(self.logs))
        weights[place] += 1
        weights[before] -= 1
        return self.contrast(weights)

    def contrast(self, weights: Floats, reach: float = REACH) -> Estimate:
        """The ratio that weighted logarithms come to, with an interval so many standard errors wide on each side."""
        value = float(weights @ self.logs)
        half = reach * math.sqrt(max(0.0, float(weights @ self.covariance @ weights)))
        return Estimate(math.exp(value), math.exp(value - half), math.exp(value + half))


def levels(links: Sequence[Link], commits: dict[str, Commit]) -> list[Levels]:
    """The levels of each set of two commits or more that links of one row and case connect, the largest set first."""
    names = list(dict.fromkeys(name for link in links for name in (link.base, link.other)))
    places = {name: place for place, name in enumerate(names)}
    ends = np.array([(places[link.base], places[link.other]) for link in links])
    graph = coo_array((np.ones(len(links)), (ends[:, 0], ends[:, 1])), shape=(len(names), len(names)))
    _, component = connected_components(graph, directed=False)
    found = []
    for number in np.unique(component):
        members = [name for name in names if component[places[name]] == number]
        order = sorted((commits[name] for name in members if name in commits), key=lambda commit: commit.order)
        if len(order) > 1:
            references = [name for name in members if name not in commits]
            found.append(_solved([link for link in links if link.base in members], order, references))
    return sorted(found, key=lambda each: -len(each.commits))


def _solved(links: Sequence[Link], order: Sequence[Commit], references: Sequence[str]) -> Levels:
    """Least squares, the first commit's logarithm being zero."""
    unknown = {name: place for place, name in enumerate([*(commit.name for commit in order[1:]), *references])}
    rows = np.zeros((len(links), len(unknown)))
    for place, link in enumerate(links):
        for name, sign in ((link.other, 1.0), (link.base, -1.0)):
            if name in unknown:
                rows[place, unknown[name]] += sign
    weights = np.array([1 / link.error for link in links])
    logs = np.log([link.ratio.value for link in links])
    weighted = rows * weights[:, None]
    covariance = np.linalg.inv(weighted.T @ weighted)
    solution = covariance @ (weighted.T @ (logs * weights))
    covariance *= _birge(weighted @ solution - logs * weights, len(links) - len(unknown))
    kept = len(order) - 1
    whole = np.zeros((kept + 1, kept + 1))
    whole[1:, 1:] = covariance[:kept, :kept]
    return Levels(order, np.concatenate([[0.0], solution[:kept]]), whole)


def _birge(residuals: Floats, spare: int) -> float:
    """By how much the squares of errors are larger than told; never smaller, and 1 where no ratio is spare."""
    return max(1.0, float(residuals @ residuals) / spare) if spare > 0 else 1.0
