"""Configurations and counts drawn at random, over more than the classifier accepts, and continuously.

A list of values to draw from is a list that a kernel can hold: what lies between them, or beyond, would be its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from stepbench.checking.scenes import Random
from stepkernels import GD, Adam, Config, Problem
from stepkernels.problem import safe_learning_rate

PENALTIES = (-12.0, 4.0)  # powers of ten, as all of these
RATES_OF_ADAM = (-6.0, 1.0)
EPSILONS = (-12.0, 0.0)
RATES = (-6.0, 1.0)
WIDEST_STRIDE = 10.0  # lr·(l2 + 1): in three steps a penalty may throw w so far and no square overflows


def draw_config(random: Random, problem: Problem | None, dtype: str, optimizer: str) -> Config:
    """A configuration that nobody would guess.

    Half of the learning rates of gradient descent are safe ones for the problem, where one is given.
    """
    return _config(random, random.random(5), problem, dtype, optimizer, penalized=random.random() >= 0.3)


def spread_configs(random: Random, dtype: str, optimizer: str, count: int) -> list[Config]:
    """So many of them, one in each of so many equal parts of every range, in an order of its own for each setting."""
    shares = [(random.permutation(count) + random.random(count)) / count for _ in range(5)]
    return [
        _config(random, share, None, dtype, optimizer, penalized=k > 0)
        for k, share in enumerate(zip(*shares, strict=True))
    ]


def _config(
    random: Random, share: Iterable[float], problem: Problem | None, dtype: str, optimizer: str, *, penalized: bool
) -> Config:
    """The settings at these shares of their ranges."""
    of_l2, of_rate, of_beta1, of_beta2, of_epsilon = map(float, share)
    l2 = _power(of_l2, PENALTIES) if penalized else 0.0
    if optimizer == GD.name:
        rate = _power(of_rate, RATES)
        if problem is not None and random.random() < 0.5:
            rate = of_rate * safe_learning_rate(problem, l2)
        return Config(dtype=dtype, optimizer=GD(learning_rate=min(rate, WIDEST_STRIDE / (l2 + 1.0))), l2=l2)
    adam = Adam(
        learning_rate=_power(of_rate, RATES_OF_ADAM),
        beta1=_below_one(random, of_beta1),
        beta2=_below_one(random, of_beta2),
        epsilon=_power(of_epsilon, EPSILONS),
    )
    return Config(dtype=dtype, optimizer=adam, l2=l2)


def _power(share: float, powers: tuple[float, float]) -> float:
    low, high = powers
    return float(10.0 ** (low + share * (high - low)))


def _below_one(random: Random, share: float) -> float:
    """Anywhere in [0, 1), half of them close to 1, where they are used; now and then 0 itself."""
    if random.random() < 0.05:
        return 0.0
    return float(share if random.random() < 0.5 else 1.0 - 10.0 ** -(4.0 * share))


def draw_step(random: Random) -> int:
    """Updates already taken: few, about as many as 16 bits, 24 (a float32's) and 32 can count, or far more."""
    around = random.choice([0, 2**8, 2**15, 2**16, 2**24, 2**31, 2**32])
    if random.random() < 0.5:
        return int(10.0 ** random.uniform(0.0, 4.3))
    return max(0, int(around) + int(random.integers(-3, 4)) + int(random.random() < 0.5) * int(random.integers(2**33)))
