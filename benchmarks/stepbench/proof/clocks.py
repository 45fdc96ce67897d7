"""The worker's clock, believed as far as the runner's shows.

The worker's clock runs in the process of the kernel, which can replace it. The runner's cannot be touched from there,
but it also counts what the two questions and answers take; an empty visit, asked of every participant in every turn,
measures how much that is. So a round took at least what the runner saw, less twice the usual empty visit: one is in
what the runner saw, and one is the room for another visit being a slow one. Above that the worker is believed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

RECENT = 200  # empty visits that say what one takes now


@dataclass(slots=True)
class PipeCost:
    """What an empty visit takes, by those of all participants, so that none of them can make it dear."""

    seconds: list[float] = field(default_factory=list)

    def add(self, seconds: float) -> None:
        self.seconds.append(seconds)

    @property
    def usual(self) -> float:
        """The median of the recent ones."""
        return median(self.seconds[-RECENT:]) if self.seconds else 0.0


def believed_seconds(told: float, seen: float, empty_visit: float) -> float:
    """The seconds that count: those the worker told, where the runner saw as much as that."""
    return max(min(told, seen), seen - 2.0 * empty_visit)
