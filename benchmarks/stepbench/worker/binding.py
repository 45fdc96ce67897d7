"""A row bound to a case: its workspaces, what the case asks of them, and the loops it is asked in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from stepbench.worker.operation import Operation, operation_of, prelude
from stepbench.worker.read_only_pages import in_read_only_pages
from stepbench.worker.turnstile import Task
from stepkernels.interface import Implementation, Op, Snapshot, Workspace
from stepkernels.reference import Point

MOST_TOLD = 200  # characters of a plan


class Binding:
    """The workspaces of a row, one for each copy of the case's data, which take turns call by call.

    A warm case has one copy. A cold case has so many that the data of each have left the caches when it comes round.
    """

    def __init__(self, row: Implementation, task: Task) -> None:
        self.row, self.task = row, task
        self.workspaces: list[Workspace] = []
        self.operations: list[Operation] = []
        self.bind_copy()
        self.turn = 0  # the workspace that makes the next operation, counted on and on

    def bind_copy(self) -> None:
        """All that a row does before its first call, done when this returns. The first is bound to the data itself."""
        problem = self.task.problem
        if self.workspaces:
            problem = in_read_only_pages(problem, self.task.x_offset_bytes)
        workspace = self.row.bind(problem, self.task.config)
        workspace.synchronize()
        self.workspaces.append(workspace)
        self.operations.append(operation_of(workspace, self.row, self.task.case))

    @property
    def plan(self) -> str | None:
        """What the workspace says of how it goes about it: a row that is tuned to the machine has a plan."""
        plan = getattr(self.workspaces[0], "plan", None)
        return None if plan is None else str(plan)[:MOST_TOLD].encode(errors="replace").decode()

    def begin(self) -> None:
        """The first operation and whatever it needs, with all that is compiled or loaded on the way."""
        self._ready(0)
        self.run(1)
        self.synchronize()

    def bind_copies(self) -> None:
        """The other copies of a cold case, each ready to be called."""
        for copy in range(1, self.task.case.copies):
            self.bind_copy()
            self._ready(copy)

    def start_at(self, point: Point, calls: int) -> None:
        """Put every workspace that makes one of the next calls at the point, ready to be called."""
        for copy in self._next(min(calls, len(self.workspaces))):
            self.reset(self.workspaces[copy], point)
            self._ready(copy)
        self.synchronize()

    def run(self, calls: int) -> None:
        """So many operations: the loop that is timed."""
        if len(self.operations) == 1:
            self.turn += calls
            self.operations[0].run(calls)
            return
        for copy in self._take(calls):
            self.operations[copy].run(1)

    def run_with_snapshots(self, calls: int, snapshots: int) -> None:
        """So many operations, waiting for each, with snapshots after each."""
        for copy in self._take(calls):
            self.operations[copy].run(1)
            self.workspaces[copy].synchronize()
            for _ in range(snapshots):
                self.workspaces[copy].snapshot()

    def run_at_points(self, points: Iterable[Point], *, operate: bool) -> None:
        """Stand at one point after the other, and make one operation at each or none."""
        for point in points:
            self.start_at(point, 1)
            self.run(1 if operate else 0)

    def run_moving(self, calls: int, *, operate: bool) -> None:
        """Update so many times, each leading to a point not seen before, and make the operation there or not.

        What the operation needs before it is made either way.
        """
        for copy in self._next(min(calls, len(self.workspaces))):
            for call in prelude(self.workspaces[copy], self.row, Op.UPDATE):
                call()
        for copy in self._take(calls):
            getattr(self.workspaces[copy], Op.UPDATE)()
            self._ready(copy)
            if operate:
                self.operations[copy].run(1)

    def snapshot(self, back: int) -> Snapshot:
        """What the workspace holds that made the last operation but so many."""
        return self.workspaces[(self.turn - 1 - back) % len(self.workspaces)].snapshot()

    def synchronize(self) -> None:
        for workspace in self.workspaces:
            workspace.synchronize()

    def reset(self, workspace: Workspace, point: Point) -> None:
        workspace.reset(point.w, point.b, (point.moment1, point.moment2), point.step)

    def _ready(self, copy: int) -> None:
        for call in prelude(self.workspaces[copy], self.row, self.task.case.op):
            call()

    def _next(self, calls: int) -> Iterator[int]:
        """The workspaces of the next operations."""
        first, copies = self.turn % len(self.workspaces), range(len(self.workspaces))
        return itertools.islice(itertools.cycle(copies), first, first + calls)

    def _take(self, calls: int) -> Iterator[int]:
        """The same, which are then no longer the next."""
        copies = self._next(calls)
        self.turn += calls
        return copies
