"""What is counted while a row is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Tally:
    """The largest error of each field that a row got away with, in units of its bound, and how often it was judged."""

    worst: dict[str, float] = field(default_factory=dict)
    judged: int = 0

    def add(self, errors: Mapping[str, float]) -> None:
        self.judged += 1
        for name, error in errors.items():
            self.worst[name] = max(error, self.worst.get(name, 0.0))
