"""Where the time goes: what is timed must be the work."""

from __future__ import annotations

import time

from stepbench.checking.bound_row import BoundRow, Rejected
from stepbench.checking.trials.setup import Setup
from stepkernels import Op, Snapshot
from stepkernels.reference import Point

LONG_ENOUGH_SECONDS = 0.02  # well above the clock's resolution
MOST_STEPS = 4096


def long_run(setup: Setup) -> None:
    """Hundreds of steps that nobody judges, then one that is; and the time goes where the work should be done.

    A row that only notes what to do, and does it when a snapshot asks, would be timed doing nothing: synchronize
    returns when the work is done. The batch doubles until it can be timed; three times in a row is not chance.
    """
    row = setup.bind()
    batch, lazy = 32, 0
    while lazy < 3:
        working, asking, snapshot = _timed(row, batch)
        if asking > LONG_ENOUGH_SECONDS and asking > working:
            lazy += 1
        elif working + asking < LONG_ENOUGH_SECONDS and batch < MOST_STEPS:
            batch *= 2
        else:
            row.judge_step(Point.of(snapshot), when=f"step {snapshot.step + 1} of a long run")
            return
    raise Rejected(
        "the work is done when a snapshot is taken, not when synchronize returns: timings would be of nothing"
    )


def _timed(row: BoundRow, batch: int) -> tuple[float, float, Snapshot]:
    """Seconds of so many steps until synchronize returned, seconds of a snapshot after them, and the snapshot."""
    began = time.perf_counter()
    row.run(Op.STEP, times=batch)
    row.workspace.synchronize()
    done = time.perf_counter()
    snapshot = row.snapshot()
    return done - began, time.perf_counter() - done, snapshot
