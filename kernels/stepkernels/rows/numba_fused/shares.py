"""How the work of a problem is divided: into how many shares of the rows, and who works them off.

What is added in which order follows from the number of shares alone, so that the rest changes no bit.
"""

from __future__ import annotations

from typing import NamedTuple

STEPS_WORTH_A_THREAD = 100  # to begin another takes 110 µs, and it saves 1 µs of a small step


class Division(NamedTuple):
    """How many shares there are; whether Numba's pool takes them in a single step; steps of `train` worth a team."""

    shares: int = 1
    pool: bool = False
    team_from: int = 0


def division_of(m: int, n: int, available: int) -> Division:
    """What is worth it for X (m, n) where so many threads are available."""
    shares = shares_worth(m, n, available)
    return Division(shares, shares > 1 and worth_waking(m, n), STEPS_WORTH_A_THREAD * (shares - 1))


def shares_worth(m: int, n: int, available: int) -> int:
    """Threads of a team, each with 1 µs of work a step or more: a meeting takes 0.3 µs.

    A sigmoid and its loss cost as much as about 20 elements of X, and 12,000 elements take about 1 µs.
    """
    return max(min(available, m * (n + 20) // 12_000), 1)


def worth_waking(m: int, n: int) -> bool:
    """Whether a single step gains by Numba's pool: waking two threads takes 1.5 to 4 µs while they spin.

    At 569×30 and 1,000×20 that is the gain or more than it, at 2,000×50 a third is gained.
    """
    return m * (n + 20) > 60_000
