"""Where the loss comes from, and why it is not computed the way it is first written down."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stepbench.lesson.descent import best_point
from stepbench.lesson.students import students, y
from stepkernels import reference

CHANCES = (0.999, 0.9, 0.5, 0.1, 0.001)
COINS = 2000
STRAINED = ((2.0, 1), (36.0, 0), (40.0, 0), (40.0, 1), (-800.0, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihood:
    """How likely the students' results are under the best w and b, and what becomes of a long product.

    saturating   the least whole score whose a is exactly 1 where 1/(1 + exp(−z)) is computed in float32
    """

    product: float
    logarithm: float
    mean: float
    coins: int
    coins_product: float
    coins_logarithm: float
    saturating: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Strained:
    """The loss of one sample, as first written and as the suite computes it."""

    z: float
    y: int
    naive: float
    stable: float


def likelihood() -> Likelihood:
    """The likelihood of what happened to the sixteen students."""
    w, b = best_point(students())
    _, a, J = reference.forward(students(), np.array([w]), b)
    chances = np.where(y == 1.0, a, 1.0 - a)
    return Likelihood(
        product=float(np.prod(chances)),
        logarithm=float(np.log(chances).sum()),
        mean=J,
        coins=COINS,
        coins_product=0.5**COINS,
        coins_logarithm=COINS * math.log(0.5),
        saturating=int(np.argmax(1 / (1 + np.exp(-np.arange(40, dtype=np.float32))) == 1)),
    )


def losses() -> list[tuple[float, float, float]]:
    """A chance given to yes, and its loss if the answer was yes and if it was no."""
    return [(a, -math.log(a), -math.log1p(-a)) for a in CHANCES]


def naive_loss(z: float, label: int) -> float:
    """The formula of the text, typed in: infinite, NaN or without digits where a is rounded to 0 or 1."""
    with np.errstate(all="ignore"):
        a = 1.0 / (1.0 + np.exp(-np.float64(z)))
        return float(-(label * np.log(a) + (1 - label) * np.log(1.0 - a)))


def stable_loss(z: float, label: int) -> float:
    """softplus((1 − 2y)·z), as every row computes it."""
    return float(reference.softplus(np.array((1.0 - 2.0 * label) * z)))


def strained() -> list[Strained]:
    """Samples that are answered with more and more confidence."""
    return [Strained(z=z, y=label, naive=naive_loss(z, label), stable=stable_loss(z, label)) for z, label in STRAINED]
