"""Steps that nobody looks at, and where their time and memory go: what is timed must be the work."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from stepbench.checking.bound_row import BoundRow, Rejected, require
from stepbench.checking.trials.setup import Setup
from stepkernels import Op, Snapshot
from stepkernels.reference import Point

UNOBSERVED = (4_000, 4_600)  # steps, some number of them: a fault of once in a thousand is in it with 98 %
LOOKS = {"float64": 3, "float32": 16}
BETWEEN_LOOKS = (56, 72)  # more than the forty steps after which some change their ways
KEEPING = 1500  # steps, after hundreds that have filled every pool there is
MOST_KEPT_BYTES, MOST_KEPT_A_STEP = 2**21, 128  # what allocators hold back, and far less than an object a step

LONG_ENOUGH_SECONDS = 0.02  # well above the clock's resolution and an answer's way
MOST_STEPS = 4096
REPEATS, MOST_REPEATS, MOST_AT_ONCE = 9, 36, 3
LEAST_LATE_SECONDS, LATE_SHARE = 3e-4, 0.05  # an answer whose code was in no cache takes a tenth of a millisecond more
TIMES_IN_A_ROW = 5


def long_run(setup: Setup) -> None:
    """Thousands of steps at once, then hundreds a few at a time: one that is wrong shows in where they lead.

    Thousands at once say little in float32, and are walked in it by a row alone that has no float64.
    """
    row = None
    if setup.config.dtype == "float64" or "float64" not in setup.implementation.dtypes:
        row = _unobserved(setup)
    if row is None or not setup.implementation.compiles_per_shape:
        row = setup.bind_slow(BETWEEN_LOOKS[1])
    for look in range(LOOKS[setup.config.dtype]):
        _look_in_a_while(setup, row, setup.routes()[look % len(setup.routes())])
    _require_nothing_kept(row)


def _unobserved(setup: Setup) -> BoundRow:
    """From where it was bound: nobody has looked at it, nor reset it."""
    steps = int(setup.random.integers(*UNOBSERVED))
    row = setup.bind_slow(BETWEEN_LOOKS[1] if setup.implementation.compiles_per_shape else steps)
    row.run(Op.STEP, times=steps)
    after = row.judge_stretch(Point.start(row.truth), steps, f"{steps} steps that nobody looked at")
    row.judge_step(Point.of(after), when=f"step {steps + 1} of a long run")
    return row


def _look_in_a_while(setup: Setup, row: BoundRow, route: Sequence[Op]) -> None:
    """Some steps from the start, or from a little beside it, and then where they have led."""
    steps = int(setup.random.integers(*BETWEEN_LOOKS))
    point = Point.start(row.truth) if setup.random.random() < 0.5 else row.near_start(setup.random)
    row.put_at(point, setup.random)
    row.run(*route, times=steps)
    row.judge_stretch(point, steps, f"{steps} times {'; '.join(route)}")


def _require_nothing_kept(row: BoundRow) -> None:
    """As the system counts what the process holds: whatever a step keeps, it keeps for ever."""
    before = row.workspace.resident_bytes()
    row.run(Op.STEP, times=KEEPING)
    row.workspace.synchronize()
    kept = row.workspace.resident_bytes() - before
    sentence = f"{KEEPING} steps left {kept / 2**20:.1f} MiB behind, {kept / KEEPING:.0f} bytes each"
    require(kept <= MOST_KEPT_BYTES + MOST_KEPT_A_STEP * KEEPING, "", sentence)


LATE = "work is done when a snapshot is taken, not when synchronize returns: it would not be timed"


def nothing_put_off(setup: Setup) -> None:
    """When synchronize returns, the work is done. The clock is the judge's.

    A row that only notes what to do, and does it when a snapshot asks, would be timed doing nothing: the batch doubles
    until it can be timed, and five times in a row is not chance.
    """
    row = setup.bind_for(2 * MOST_STEPS)
    batch, lazy = 32, 0
    while lazy < TIMES_IN_A_ROW:
        working, asking, snapshot = _timed(row, batch)
        if asking > LONG_ENOUGH_SECONDS and asking > working:
            lazy += 1
        elif working + asking < LONG_ENOUGH_SECONDS and batch < MOST_STEPS:
            batch *= 2
        else:
            row.judge_step(Point.of(snapshot), when=f"step {snapshot.step + 1} of a long run")
            return
    raise Rejected(LATE)


def snapshots_copy(setup: Setup) -> None:
    """Nor is a part of the work left, such as J: on large data a snapshot after a step takes no longer than another.

    Longer is a twentieth of a step, and what counts is the least of several, since a disturbance only adds: of more,
    where it is not clear, for on a busy machine a step is disturbed more often than a snapshot.
    """
    row = setup.bind_for(MOST_AT_ONCE * MOST_REPEATS)
    working: list[float] = []
    first: list[float] = []
    second: list[float] = []
    late, allowed = math.inf, 0.0
    while len(first) < REPEATS or (late > allowed / 2 and len(first) < MOST_REPEATS):
        steps = int(setup.random.integers(1, MOST_AT_ONCE + 1))
        seconds, asking, _ = _timed(row, steps)
        working.append(seconds / steps)
        first.append(asking)
        began = time.perf_counter()
        row.workspace.snapshot()
        second.append(time.perf_counter() - began)
        late, allowed = min(first) - min(second), max(LEAST_LATE_SECONDS, LATE_SHARE * min(working))
    require(late < allowed, "", LATE)


def _timed(row: BoundRow, batch: int) -> tuple[float, float, Snapshot]:
    """Seconds of so many steps until synchronize returned, seconds of a snapshot after them, and the snapshot."""
    began = time.perf_counter()
    row.run(Op.STEP, times=batch)
    row.workspace.synchronize()
    done = time.perf_counter()
    snapshot = row.workspace.snapshot()
    return done - began, time.perf_counter() - done, snapshot
