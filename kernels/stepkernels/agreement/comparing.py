"""How far a row is from what was expected of it, in units of the bound; and the smallest mistake that would show."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from stepkernels.agreement.expected import GRADIENT_FIELDS, STEP_FIELDS, Expectation, Expected
from stepkernels.interface import Snapshot
from stepkernels.problem import Array, undisturbed


@dataclass(frozen=True, slots=True)
class Agreement:
    """A comparison: the worst error of each field in units of its bound, and what else was wrong.

    An error is infinite where a value is NaN or infinite, and where shape or dtype are wrong.
    """

    errors: dict[str, float]
    faults: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return not self.faults and self.worst <= 1.0

    @property
    def worst(self) -> float:
        return max(self.errors.values(), default=math.inf)

    @property
    def worst_field(self) -> str:
        return max(self.errors, key=lambda name: self.errors[name])

    @property
    def reason(self) -> str:
        """Why it does not agree, in words; empty when it does."""
        beyond = [f"{name} is off by {error:.3g} bounds" for name, error in self.errors.items() if not error <= 1.0]
        return "; ".join([*self.faults, *beyond])


@undisturbed
def compare(snapshot: Snapshot, expectation: Expectation, dtype: str, fields: Iterable[str] = STEP_FIELDS) -> Agreement:
    """Judge the fields of a snapshot, each value against its own bound."""
    errors: dict[str, float] = {}
    faults: list[str] = []
    for name in fields:
        expected, value = expectation[name], np.asarray(getattr(snapshot, name))
        if value.shape != expected.value.shape or value.dtype != dtype:
            faults.append(
                f"{name} is {value.dtype} of shape {value.shape}, not {dtype} of shape {expected.value.shape}"
            )
            errors[name] = math.inf
        else:
            errors[name] = _worst_error(value, expected)
    return Agreement(errors, tuple(faults))


def _worst_error(value: Array, expected: Expected) -> float:
    if not bool(np.isfinite(value).all()):
        return math.inf
    return float((np.abs(value.astype(np.float64) - expected.value) / expected.bound).max(initial=0.0))


@undisturbed
def smallest_visible_change(expectation: Expectation) -> dict[str, float]:
    """For each field, the smallest relative change of the whole field that would have been rejected.

    Infinite where no change would have been: a field of zeros, or of numbers far below their bound.
    """
    changes = {}
    for name in GRADIENT_FIELDS:
        value, bound = (np.atleast_1d(part) for part in expectation[name])
        nonzero = value != 0.0
        # Beyond a subnormal value the quotient is infinite, as it should be.
        changes[name] = float((bound[nonzero] / np.abs(value[nonzero])).min(initial=math.inf))
    return changes
