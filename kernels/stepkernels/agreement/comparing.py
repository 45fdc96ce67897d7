"""How far a row is from what was expected of it, in units of the bound; and the smallest mistake that would show."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from stepkernels.agreement.expected import GRADIENT_FIELDS, STEP_FIELDS, Expectation, Expected
from stepkernels.interface import Snapshot
from stepkernels.problem import Array, undisturbed


@dataclass(frozen=True, slots=True)
class Agreement:
    """A comparison: the worst error of each field in units of its bound, and what else was wrong.

    An error is infinite where a value is NaN or infinite, and where shape or dtype are wrong. `places` says of a field
    beyond its bound where it is worst, what is there, what was expected and how far off it may be.
    """

    errors: dict[str, float]
    faults: tuple[str, ...] = ()
    places: dict[str, str] = field(default_factory=dict)

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
        beyond = {name: error for name, error in self.errors.items() if not error <= 1.0}
        told = [f"{name} is off by {error:.3g} bounds{self._place(name)}" for name, error in beyond.items()]
        return "; ".join([*self.faults, *told])

    def _place(self, name: str) -> str:
        return f" ({self.places[name]})" if name in self.places else ""


@undisturbed
def compare(snapshot: Snapshot, expectation: Expectation, dtype: str, fields: Iterable[str] = STEP_FIELDS) -> Agreement:
    """Judge the fields of a snapshot, each value against its own bound."""
    errors: dict[str, float] = {}
    faults: list[str] = []
    places: dict[str, str] = {}
    for name in fields:
        expected, value = expectation[name], np.asarray(getattr(snapshot, name))
        if value.shape != expected.value.shape or value.dtype != dtype:
            faults.append(
                f"{name} is {value.dtype} of shape {value.shape}, not {dtype} of shape {expected.value.shape}"
            )
            errors[name] = math.inf
        else:
            errors[name] = _worst_error(value, expected)
            if not errors[name] <= 1.0:
                places[name] = _worst_place(name, value, expected)
    return Agreement(errors, tuple(faults), places)


def _worst_error(value: Array, expected: Expected) -> float:
    if not bool(np.isfinite(value).all()):
        return math.inf
    return float((np.abs(value.astype(np.float64) - expected.value) / expected.bound).max(initial=0.0))


def _worst_place(name: str, value: Array, expected: Expected) -> str:
    """Where a value is furthest off, or the first that is no number: what it is, what was expected, and the bound."""
    finite = np.isfinite(value)
    errors = np.where(finite, np.abs(value.astype(np.float64) - expected.value) / expected.bound, np.inf)
    index = np.unravel_index(int(np.argmax(errors)), value.shape)
    where = f"{name}[{', '.join(map(str, index))}]" if index else name
    got, right, bound = (float(part[index]) for part in (value, expected.value, expected.bound))
    return f"{where} is {got:.9g}, expected {right:.9g} within {bound:.2g}"


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
