"""What the layout of a process's memory does to small cases on this machine: one row in many processes.

Some copies of the row lie as they come, all alike; some have padding of a drawn size in their environment; of some, X
begins at a drawn line of its page. They take turns like any rows. What the first differ by is what processes differ by
anyway; how much more the others do is what the layout does here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import mean, median, pvariance

from stepbench.run.memory_layout import AS_IT_COMES, MemoryLayout, drawn_layout
from stepbench.run.participants import Participant
from stepkernels.interface import Implementation
from stepreports.records.turns import Turns

SEED = 24  # any number
ALIKE, PADDED, SHIFTED = "alike", "environment drawn", "offset of X drawn"
KINDS = (ALIKE, PADDED, SHIFTED)


def copies_of(row: Callable[[str], Implementation], count: int) -> list[Participant]:
    """So many copies of a row of each kind, named for it."""
    return [Participant(row(f"{kind} {k}"), layout=_layout(kind, k)) for kind in KINDS for k in range(count)]


def _layout(kind: str, copy: int) -> MemoryLayout:
    drawn = drawn_layout(SEED, copy, kind)
    return {
        ALIKE: AS_IT_COMES,
        PADDED: replace(drawn, x_offset_bytes=0),
        SHIFTED: replace(drawn, padding_bytes=0),
    }[kind]


def differences(timed: Mapping[tuple[str, str], Turns]) -> dict[str, float]:
    """By kind, the standard deviation of its copies' medians within a case and generation, as a fraction."""
    medians: dict[str, dict[tuple[str, int], list[float]]] = {kind: defaultdict(list) for kind in KINDS}
    for (name, case), turns in timed.items():
        kind = name.rpartition(" ")[0]
        for generation, seconds in _by_generation(turns).items():
            medians[kind][case, generation].append(math.log(median(seconds)))
    return {kind: _deviation(list(found.values())) for kind, found in medians.items()}


def _by_generation(turns: Turns) -> dict[int, list[float]]:
    found: dict[int, list[float]] = defaultdict(list)
    for (generation, _), seconds in turns.items():
        found[generation].append(seconds)
    return found


def _deviation(groups: Sequence[Sequence[float]]) -> float:
    """Of groups of equally many, what their members differ by within them."""
    variances = [pvariance(group) * len(group) / (len(group) - 1) for group in groups if len(group) > 1]
    return math.sqrt(mean(variances)) if variances else 0.0


def in_words(found: Mapping[str, float]) -> str:
    """What they differed by, in a sentence."""
    return (
        f"Processes of one row, alike in memory, differed by {found[ALIKE]:.1%} at small sizes (standard deviation); "
        f"by {found[PADDED]:.1%} where the size of their environment was drawn, "
        f"by {found[SHIFTED]:.1%} where the place of X in its page was."
    )
