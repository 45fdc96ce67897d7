"""Rows in child processes: several at a time, a crash or a hang a verdict, one report at the end."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import Pipe

from stepbench.checking.child import CannotRun, Finding, Orders, fields_of
from stepbench.checking.compiled import compiled_report
from stepbench.checking.verdicts import Disagreement, RowReport, Verdict
from stepbench.machine.children import device_variables, environment_of_child
from stepbench.machine.simulators import SIMULATORS
from stepbench.machine.threads import default_budget
from stepkernels import Implementation

SILENCE_SECONDS = 240.0  # no trial takes so long; compiling a row for a new shape may take half of it

# Rows are judged side by side. Threads that wait should not spin, which takes the other rows' time and checks nothing:
# for OpenMP, and for OpenBLAS, which spins for 2ⁿ cycles. Nor is a pool of compilers needed where several rows compile.
CONSIDERATE = {"OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "4", "TORCHINDUCTOR_COMPILE_THREADS": "1"}

Progress = Callable[[str, int, int], None]
"""Told (row, trials done, trials in all) as they are done; from several threads."""


def judge_rows(
    rows: Sequence[Implementation],
    *,
    seed: int,
    progress: Progress,
    finished: Callable[[RowReport], None],
    problems: int | None = None,
    simulate: bool = False,
) -> list[RowReport]:
    """Judge every row, as many at a time as there are processors: correctness is no timing. Slow ones begin.

    Rows of one module follow one another: they share a compile cache, and Numba's is not safe to be written by two.
    """

    def judge(row: Implementation) -> RowReport:
        orders = Orders(row=fields_of(row), seed=seed, problems=problems)
        report = judge_row(row.name, orders, progress)
        if simulate and row.device == "cuda" and report.verdict is Verdict.NOT_RUN:
            return stand_in(row, orders, progress) or report
        return report

    def judge_in_turn(rows: Sequence[Implementation]) -> list[RowReport]:
        reports = []
        for row in rows:
            reports.append(judge(row))
            finished(reports[-1])
        return reports

    modules: dict[str, list[Implementation]] = {}
    for row in sorted(rows, key=lambda row: not row.compiles_per_shape):
        modules.setdefault(row.module, []).append(row)
    with ThreadPoolExecutor(max_workers=default_budget()) as pool:
        reports = {report.row: report for judged in pool.map(judge_in_turn, modules.values()) for report in judged}
    return [reports[row.name] for row in rows]


def judge_row(name: str, orders: Orders, progress: Progress, environment: Mapping[str, str] | None = None) -> RowReport:
    """Examine one row, if it can run here, in a process of its own."""
    began = time.monotonic()
    docket = Docket(name, progress)
    if cannot_run := CannotRun.of(orders.implementation):
        docket.enter(cannot_run)
    else:
        with Examiner(orders, environment or {}) as examiner:
            for finding in examiner.findings():
                docket.enter(finding)
        if not docket.complete:
            docket.end_early(examiner.epitaph())
    return docket.report(time.monotonic() - began, simulated=orders.simulated)


def stand_in(row: Implementation, orders: Orders, progress: Progress) -> RowReport | None:
    """What can be said of a GPU row without a GPU: its library's simulator ran it, or its CUDA source compiles."""
    if simulator := SIMULATORS.get(row.library):
        prepared = replace(simulator.prepare(row), device="cpu")
        orders = replace(orders, row=fields_of(prepared), simulated=True)
        report = judge_row(row.name, orders, progress, simulator.environment)
        if report.verdict is not Verdict.SIMULATED:
            return report
        return replace(report, reason=f"by {simulator.name}, {report.trials} trials on the CPU")
    return compiled_report(row)


class Examiner:
    """The child process of a row."""

    def __init__(self, orders: Orders, environment: Mapping[str, str]) -> None:
        self.pipe, theirs = Pipe()
        self.silent = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stepbench.checking", "child", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno() if _has_descriptor(sys.stderr) else subprocess.DEVNULL,
            env=CONSIDERATE | environment_of_child(device_variables(orders.implementation.device), environment),
            start_new_session=True,
        )
        theirs.close()
        self.pipe.send(orders)

    def __enter__(self) -> Examiner:
        return self

    def __exit__(self, *_: object) -> None:
        """End the child and whatever it started."""
        self.pipe.close()
        try:
            self.process.wait(0.0 if self.silent else 10.0)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def findings(self) -> Iterator[Finding | CannotRun]:
        """What the child sends, until it ends or says nothing for too long."""
        try:
            while self.pipe.poll(SILENCE_SECONDS):
                yield self.pipe.recv()
            self.silent = True
        except (EOFError, OSError):
            return

    def epitaph(self) -> str:
        """How the process ended before its work was done."""
        status = self.process.returncode
        if self.silent:
            return f"gave no answer for {SILENCE_SECONDS:.0f} seconds and was ended"
        return (
            f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended its process with status {status}"
        )


class Docket:
    """What has been found of a row so far."""

    def __init__(self, row: str, progress: Progress) -> None:
        self.row, self.progress = row, progress
        self.cannot_run: CannotRun | None = None
        self.latest: Finding | None = None
        self.trials = 0
        self.hint = ""
        self.disagreements: list[Disagreement] = []

    @property
    def complete(self) -> bool:
        return self.cannot_run is not None or (self.latest is not None and not self.latest.next_trial)

    def enter(self, finding: Finding | CannotRun) -> None:
        if isinstance(finding, CannotRun):
            self.cannot_run = finding
            return
        self.trials += self.latest is not None
        self.latest = finding
        self.hint = self.hint or finding.hint
        if finding.disagreement is not None:
            self.disagreements.append(finding.disagreement)
        self.progress(self.row, self.trials, finding.total)

    def end_early(self, epitaph: str) -> None:
        """The child did not say that it was done: a verdict about the trial it was at."""
        trial = self.latest.next_trial if self.latest else "loading"
        found = Disagreement(trial=trial, data="", field="", error=float("inf"), sentence=f"the row {epitaph}")
        self.disagreements.append(found)

    def report(self, seconds: float, *, simulated: bool) -> RowReport:
        return RowReport(
            row=self.row,
            verdict=self._verdict(simulated=simulated),
            reason=self._reason(),
            trials=self.trials,
            judged=self.latest.judged if self.latest else 0,
            worst=(self.latest.worst or {}) if self.latest else {},
            disagreements=tuple(self.disagreements),
            seconds=seconds,
        )

    def _verdict(self, *, simulated: bool) -> Verdict:
        if self.cannot_run is not None:
            return Verdict.DISAGREES if self.cannot_run.broken else Verdict.NOT_RUN
        if self.disagreements:
            return Verdict.DISAGREES
        return Verdict.SIMULATED if simulated else Verdict.AGREES

    def _reason(self) -> str:
        if self.cannot_run is not None:
            return self.cannot_run.reason
        if not self.disagreements:
            return ""
        others = len(self.disagreements) - 1
        more = f"; {others} more of {self.trials} trials failed" if others else ""
        return f"{self.disagreements[0]}{more}{f'. {self.hint}' if self.hint else ''}"


def new_seed() -> int:
    """A seed that no kernel can have been written for."""
    return secrets.randbelow(2**32)


def _has_descriptor(stream: object) -> bool:
    try:
        return isinstance(stream.fileno(), int)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
