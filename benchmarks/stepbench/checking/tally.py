"""What is counted while a row is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stepbench.checking.verdicts import VisibleChange


@dataclass
class Tally:
    """How often a row was judged, what it got away with, and what it would not have got away with.

    worst    the largest error of each field, in units of its bound
    visible  by dtype, the smallest change that the bound could see on the largest data
    """

    worst: dict[str, float] = field(default_factory=dict)
    judged: int = 0
    visible: dict[str, VisibleChange] = field(default_factory=dict)

    def add(self, errors: Mapping[str, float]) -> None:
        self.judged += 1
        for name, error in errors.items():
            self.worst[name] = max(error, self.worst.get(name, 0.0))

    def see(self, change: VisibleChange) -> None:
        """Keep what could be seen on the largest data; of several states of that size, the smallest of each field."""
        known = self.visible.get(change.dtype)
        if known is None or change.size > known.size:
            self.visible[change.dtype] = change
        elif change.size == known.size:
            both = {name: min(c, known.relative_change[name]) for name, c in change.relative_change.items()}
            self.visible[change.dtype] = replace(known, relative_change=both)
