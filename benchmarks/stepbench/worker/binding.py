"""A row bound to a case: its workspace, and what the case asks of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stepbench.worker.operation import Call, operation_of, prepare, rotation, run_once
from stepbench.worker.turnstile import Task
from stepkernels.interface import Implementation, Workspace
from stepkernels.problem import Problem
from stepkernels.reference import Point


@dataclass(frozen=True, slots=True)
class Binding:
    """A workspace, the row that it is of and the task that it is for."""

    row: Implementation
    task: Task
    workspace: Workspace

    @property
    def operation(self) -> Call:
        """The case's operation, the call that is timed."""
        return operation_of(self.workspace, self.row, self.task.case)

    def prepare(self) -> None:
        prepare(self.workspace, self.row, self.task.case.op)

    def first_call(self, operation: Call) -> None:
        """The first operation and whatever it needs, with all that is compiled or loaded on the way."""
        self.prepare()
        operation()
        self.workspace.synchronize()

    def start_at(self, point: Point) -> None:
        self.workspace.reset(point.w, point.b, (point.moment1, point.moment2), point.step)

    def run_once(self) -> None:
        run_once(self.workspace, self.row, self.task.case.op)


def bind(row: Implementation, task: Task) -> Binding:
    """All that a row does before its first call, done when this returns."""
    workspace = row.bind(task.problem, task.config)
    workspace.synchronize()
    return Binding(row, task, workspace)


def from_the_start(binding: Binding, operation: Call) -> Call:
    """The operation, ready to be called in a loop from the problem's start; of a cold case, over copies of its data."""
    binding.workspace.reset()
    binding.prepare()
    copies = binding.task.case.copies
    if copies == 1:
        return operation
    return rotation([operation, *(_copied_operation(binding) for _ in range(copies - 1))])


def _copied_operation(binding: Binding) -> Call:
    """The case's operation on a copy of its data."""
    problem, task = binding.task.problem, binding.task
    copy = Problem(problem.X.copy(), problem.y.copy(), problem.w0, problem.b0)
    copied = Binding(binding.row, replace(task, problem=copy), binding.row.bind(copy, task.config))
    copied.prepare()
    return copied.operation
