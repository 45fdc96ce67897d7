"""What passes between a check and the judge of a row: orders one way, findings the other.

Both are ours and trust one another: the messages are pickled, and a kernel file may declare options that JSON cannot
hold. What passes between the judge and the process of the row is another matter (`stepbench.executor.wire`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from stepbench.checking.schedule import Plan
from stepbench.checking.tally import Tally
from stepbench.checking.verdicts import Disagreement
from stepkernels import Implementation


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What to do to which row.

    plan                   which trials
    environment            of the process in which the row computes
    most_patience_seconds  how long to wait for any answer of that process; it may be less, by what was asked
    """

    row: dict[str, Any]
    plan: Plan
    environment: dict[str, str] = field(default_factory=dict)
    most_patience_seconds: float = math.inf

    @property
    def implementation(self) -> Implementation:
        return Implementation.from_json(self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one trial. The first that is sent comes before any, and says only which trial is next.

    next_trial    the one that is about to begin, so that a crash can be laid to it; empty when there is none
    disagreement  what was wrong in the trial that is over
    hint          what the row could declare to pass it
    tally         of all trials so far
    """

    next_trial: str
    disagreement: Disagreement | None = None
    hint: str = ""
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotRun:
    """The row was not tried: for want of a library or GPU, or because it is broken."""

    reason: str
    broken: bool
