"""A peer's whole fit as a step of the harness, so that peers take turns as rows do."""

from __future__ import annotations

import warnings

from stepbench.evidence.fits import Fit
from stepbench.evidence.peers.libraries import PEERS
from stepkernels.problem import Array, Config, Problem


def bind(problem: Problem, config: Config, *, peer: str, l2: float, tol: float, threads: int) -> Fit:
    """Fits by the peer of that name. What it warns of was told when it was found out."""
    fit = PEERS[peer].fit

    def train(X: Array, y: Array) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fit(X, y, l2, tol, threads)

    return Fit(problem, config, train)
