"""Whether a row agrees: it runs the operation of a case from a point, and what it gives is compared, in its process."""

from __future__ import annotations

from pathlib import Path

from stepbench.worker.binding import Binding
from stepbench.worker.expectations import load_expectation
from stepbench.worker.faults import DisagreementError
from stepbench.worker.messages import Errors
from stepkernels.agreement import GRADIENT_FIELDS, STEP_FIELDS, Agreement, Traits, compare, expect_step
from stepkernels.interface import Op, Snapshot, with_training
from stepkernels.problem import Adam, Config
from stepkernels.reference import Point


def require_agreement(binding: Binding, path: Path | None, when: str) -> Errors | None:
    """The errors of a row that agrees; None for one that is not judged. Raises `DisagreementError`."""
    if path is None:
        return None
    agreement = judge(binding, path)
    if not agreement.agrees:
        raise DisagreementError(f"wrong {when} timing: {agreement.reason}")
    return agreement.errors


def judge(binding: Binding, path: Path) -> Agreement:
    """Run the operation of a case once from the stored point and compare all that it gives.

    Of a row's own train, the first step, and the last of as many as are timed, which may take another path than few.
    Two are enough where each number of steps is compiled anew, or where rounding differs from run to run.
    """
    task, row = binding.task, binding.row
    point, expectation = load_expectation(path, Traits.of(row))
    fields = fields_of(task.case.op, task.config)
    binding.start_at(point)
    binding.run_once()
    agreement = compare(binding.workspace.snapshot(), expectation, task.case.dtype, fields)
    if task.case.op == Op.TRAIN and Op.TRAIN in row.ops and agreement.agrees:
        return _judge_last_step(binding, point)
    return agreement


def _judge_last_step(binding: Binding, point: Point) -> Agreement:
    """The last step of a row's own train, from where one step fewer leaves it."""
    task, row = binding.task, binding.row
    steps = 2 if row.compiles_per_shape or not row.deterministic else max(task.case.steps, 2)
    before = _trained(binding, point, steps - 1)
    last = expect_step(task.problem, task.config, Point.of(before), Traits.of(row))
    after = _trained(binding, point, steps)
    return compare(after, last, task.case.dtype, fields_of(task.case.op, task.config))


def _trained(binding: Binding, point: Point, steps: int) -> Snapshot:
    """The row's state after so many steps of its train from the point."""
    binding.start_at(point)
    with_training(binding.workspace).train(steps)
    return binding.workspace.snapshot()


def fields_of(op: Op, config: Config) -> tuple[str, ...]:
    """What an operation computes. Moments belong to Adam."""
    match op:
        case Op.FORWARD:
            return ("J",)
        case Op.BACKWARD | Op.GRADIENT:
            return GRADIENT_FIELDS
        case _:
            return tuple(f for f in STEP_FIELDS if isinstance(config.optimizer, Adam) or not f.startswith("moment"))
