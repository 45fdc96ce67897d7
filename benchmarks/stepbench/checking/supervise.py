"""Rows with a judge each: several at a time, a crash or a hang a verdict, one report a row at the end."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from stepbench.checking.child_process import JudgeProcess
from stepbench.checking.claims import claims_of
from stepbench.checking.cuda.compiled import compiled_report
from stepbench.checking.protocol import CannotRun, Orders
from stepbench.checking.row_findings import Findings
from stepbench.checking.schedule import Plan, schedule_of
from stepbench.checking.verdicts import RowReport, Verdict
from stepbench.executor.raised_by_row import described
from stepbench.machine.children import device_variables, environment_of_child, somewhere_to_cache
from stepbench.machine.family import FAMILY
from stepbench.machine.simulators import SIMULATORS
from stepbench.machine.threads import default_budget
from stepkernels import Implementation

# Rows are judged side by side. Threads that wait should not spin, which takes the other rows' time and checks nothing:
# for OpenMP, and for OpenBLAS, which spins for 2ⁿ cycles. Nor is a pool of compilers needed where several rows compile.
CONSIDERATE = {"OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "4", "TORCHINDUCTOR_COMPILE_THREADS": "1"}


def judge_rows(
    rows: Sequence[Implementation],
    plan: Plan,
    finished: Callable[[RowReport], None],
    *,
    simulate: bool = False,
) -> list[RowReport]:
    """Judge every row by the plan, as many at a time as there are processors: it is no timing. Slow ones begin.

    Whatever interrupts it ends the children at once.
    """
    judge, interrupted = judge_or_stand_in if simulate else judge_row, threading.Event()

    def judge_in_turn(rows: Sequence[Implementation]) -> list[RowReport]:
        reports = []
        for row in rows:
            report = judge(row, plan)
            if interrupted.is_set():  # it says no more than that its judge was ended
                break
            reports.append(report)
            finished(report)
        return reports

    with ThreadPoolExecutor(max_workers=default_budget()) as pool:
        try:
            reports = {report.row: report for judged in pool.map(judge_in_turn, _queues(rows)) for report in judged}
        except BaseException:
            interrupted.set()
            FAMILY.end()
            raise
    return [reports[row.name] for row in rows]


def _queues(rows: Sequence[Implementation]) -> Iterable[list[Implementation]]:
    """Rows of one module follow one another: they share a compile cache, and Numba's is not safe to be written by two.

    Those that compile begin.
    """
    modules: dict[str, list[Implementation]] = {}
    for row in sorted(rows, key=lambda row: not row.compiles_per_shape):
        modules.setdefault(row.module, []).append(row)
    return modules.values()


def judge_row(
    row: Implementation,
    plan: Plan,
    *,
    prepared: Implementation | None = None,
    variables: Mapping[str, str] | None = None,
    most_patience_seconds: float = math.inf,
) -> RowReport:
    """Take one row through its trials, if it can run here, in a process of its own.

    `prepared` is the row as it is under a simulator, which `variables` switch on; the report is in the name of `row`.
    """
    began = time.monotonic()
    computed = prepared or row
    schedule = schedule_of(computed, plan)
    findings = Findings(row.name, [str(scheduled) for scheduled in schedule])
    if cannot_run := cannot_run_here(computed):
        findings.add(cannot_run)
    else:
        with somewhere_to_cache(*_file_of(computed)) as caches:
            device = device_variables(computed.device)
            orders = Orders(
                row=computed.to_json(),
                plan=plan,
                environment=CONSIDERATE | environment_of_child(caches, device, variables or {}),
                most_patience_seconds=most_patience_seconds,
            )
            with JudgeProcess(orders) as process:
                for finding in process.findings():
                    findings.add(finding)
        if not findings.complete:
            findings.end_early(process.how_it_ended())
    report = findings.report(time.monotonic() - began, simulated=plan.simulated)
    claims = claims_of(row, (scheduled.trial for scheduled in schedule))
    return replace(report, declarations=claims.standing, declared=claims.declared) if report.judged else report


def _file_of(row: Implementation) -> list[Path]:
    """The file of a kernel that is none of the catalogue's."""
    return [Path(row.module)] if row.module.endswith(".py") else []


def cannot_run_here(row: Implementation) -> CannotRun | None:
    """Why there is no need to try, found without loading the row; None where it may run."""
    try:
        reason = row.unavailable()
    except Exception as error:
        return CannotRun(reason=described(error, row), broken=True)
    return CannotRun(reason=reason, broken=False) if reason else None


def judge_or_stand_in(row: Implementation, plan: Plan) -> RowReport:
    """The same, and for a GPU row that cannot run here what can be said of it without a GPU."""
    report = judge_row(row, plan)
    if row.device == "cuda" and report.verdict is Verdict.NOT_RUN:
        return stand_in(row, plan) or report
    return report


def stand_in(row: Implementation, plan: Plan) -> RowReport | None:
    """What can be said of a GPU row without a GPU: its library's simulator ran it, or its CUDA source compiles."""
    if simulator := SIMULATORS.get(row.library):
        prepared = replace(simulator.prepare(row), device="cpu")
        simulated = replace(plan, simulated=True)
        report = judge_row(row, simulated, prepared=prepared, variables=simulator.environment)
        if report.verdict is not Verdict.SIMULATED:
            return report
        return replace(report, reason=f"by {simulator.name}, {report.trials} trials on the CPU")
    return compiled_report(row)


def new_seed() -> int:
    """A seed that no kernel can have been written for."""
    return secrets.randbelow(2**32)
