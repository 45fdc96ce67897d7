"""What a row declares of itself, and whether any trial holds it to that.

What no trial of a check can hold is called "declared" wherever it is shown: passes over X take a clock and data beyond
the caches to see, and which sizes are too much work, or compile anew, is for the row to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from stepbench.checking.trials import ALLOCATION, DIFFERENCE, REPETITION, RUNNING_SUM, Trial
from stepkernels import Implementation

HELD, DECLARED = "held", "declared"


class _Claim(NamedTuple):
    """A field of `Implementation`: what it says of a row, empty where it claims nothing, and what holds it to that."""

    words: Callable[[Implementation], str]
    trial: Trial | None = None


_CLAIMS = {
    "passes_over_x": _Claim(lambda row: f"{row.passes_over_x} pass{'es' if row.passes_over_x > 1 else ''} over X"),
    "accumulation": _Claim(lambda row: "one running sum" if row.accumulation == "sequential" else "", RUNNING_SUM),
    "residual": _Claim(lambda row: "a difference of residuals" if row.residual == "difference" else "", DIFFERENCE),
    "deterministic": _Claim(lambda row: "the same bits every run" if row.deterministic else "", REPETITION),
    "allocates": _Claim(lambda row: "" if row.allocates else "no allocation", ALLOCATION),
    "compiles_per_shape": _Claim(lambda row: "compiling for each shape" if row.compiles_per_shape else ""),
    "max_work": _Claim(lambda row: f"at most {row.max_work:,.0f} elements" if row.max_work else ""),
}


class Claims(NamedTuple):
    """By field "held" or "declared"; and the latter in words."""

    standing: Mapping[str, str]
    declared: tuple[str, ...]


def claims_of(row: Implementation, trials: Iterable[Trial]) -> Claims:
    """Of a row that goes through these trials and passes them."""
    passed = {trial.name for trial in trials}
    made = {name: claim for name, claim in _CLAIMS.items() if claim.words(row)}
    held = {name: claim.trial is not None and claim.trial.name in passed for name, claim in made.items()}
    words = tuple(claim.words(row) for name, claim in made.items() if not held[name])
    return Claims({name: HELD if holds else DECLARED for name, holds in held.items()}, words)
