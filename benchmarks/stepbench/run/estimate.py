"""What a run would take, before it runs: its memory, which is required, and roughly its time, which is told."""

from __future__ import annotations

from stepbench.cases.case import Case
from stepbench.machine.available_memory import available_bytes as available_memory
from stepbench.run.participants import Role
from stepbench.run.plan import QUICK, Plan
from stepkernels.problem import ProblemError

WORKER_BYTES = 2**28  # libraries and compiled code: 0.1 to 0.5 GiB a process, as measured; a mean
HOLD_X_TWICE = 5  # rows at most: in another order, or in a compiler's own memory; the others hold it once
VECTORS = 8  # of length m, beside X

# Of a run's length: rough means over the CPU rows on two cores, read off journals.
AROUND_SECONDS = 8.0  # the command, the machine's limits before the run and the report after it
START_SECONDS = 0.65  # a process and its imports
COMPILE_SECONDS = 1.3  # a row's first bind in a dtype, with a cold cache
SHAPE_SECONDS = 5.0  # likewise of each case, for a row that compiles for every shape
READ_BYTES_PER_SECOND = 8e9  # what a two-pass row gets through
ROUND_OVERHEAD_SECONDS = 0.0075
AFTER_SECONDS = 2.5  # of a row when the turns are over: two processes, started beside others', and a large case bound


def memory_bytes(plan: Plan, case: Case) -> int:
    """What the processes of a case and their runner may hold at once. A record has what its process held."""
    processes = len(plan.taking_part(case))
    vectors = VECTORS * case.m * case.itemsize
    copies_of_x = processes + min(processes, HOLD_X_TWICE)
    data = case.copies * (copies_of_x * case.data_bytes + processes * vectors)
    return processes * WORKER_BYTES + data + len(plan.storages(case)) * case.data_bytes


def require_memory(plan: Plan, available_bytes: int | None = None) -> None:
    """Raise `ProblemError`, before anything is allocated, when a case does not fit in memory."""
    available = available_memory() if available_bytes is None else available_bytes
    for case in plan.cases:
        needed, processes = memory_bytes(plan, case), len(plan.taking_part(case))
        if needed > available:
            raise ProblemError(
                f"{case.name} may need {needed / 2**30:.1f} GiB, for {processes} processes at once, each with its "
                f"library and X once or twice; {available / 2**30:.1f} GiB are available. Choose a smaller size with "
                "--sizes, or fewer --rows."
            )


def run_seconds(plan: Plan) -> float:
    """How long the run takes, roughly."""
    start = len(plan.budgets) * len(plan.participants) * START_SECONDS
    cases = sum(_case_seconds(plan, case) for case in plan.cases)
    return AROUND_SECONDS + _compile_seconds(plan) + plan.generations * (start + cases) + _after_seconds(plan)


def _after_seconds(plan: Plan) -> float:
    """What is measured of each row after its turns, in all runs but the quick ones; energy not counted."""
    rows = sum(each.role is Role.ROW and not each.replica for each in plan.participants)
    return 0.0 if plan.preset == QUICK else AFTER_SECONDS * rows


def _compile_seconds(plan: Plan) -> float:
    """Caches are cold in the first generation alone."""
    each_shape = sum(each.row.compiles_per_shape for each in plan.participants)
    dtypes = len({case.dtype for case in plan.cases})
    each_dtype = (len(plan.participants) - each_shape) * dtypes
    return each_dtype * COMPILE_SECONDS + each_shape * len(plan.cases) * SHAPE_SECONDS


def _case_seconds(plan: Plan, case: Case) -> float:
    operation = 2 * case.reads_x * case.data_bytes / READ_BYTES_PER_SECOND
    # A round of at least one operation, and one to warm up.
    present = plan.taking_part(case)
    rounds = sum(len(plan.turns_of(each, case)) for each in present)
    return rounds * (ROUND_OVERHEAD_SECONDS + 2 * operation) + len(present) * (0.1 + 8 * operation)
