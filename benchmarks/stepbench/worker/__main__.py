"""A row's own process: `python -m stepbench.worker FD THREADS`, started by the runner.

It pins itself to the thread budget before any library loads, loads its row, and runs the suite under pytest with
the runner's turnstile. Messages travel over one socket as pickled pairs (kind, fields).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from stepbench.machine.threads import pin_to_budget

if TYPE_CHECKING:
    from stepbench.cases.case import Case
    from stepbench.worker.measure import Task
    from stepkernels.interface import Implementation

PR_SET_PDEATHSIG = 1


class RunnerTurnstile:
    """Asks the runner for the go at every stage of a case, and tells it what came out."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def next_task(self, case: Case) -> Task:
        from stepbench.cases.problem_files import load_problem
        from stepbench.worker.measure import Task

        fields = self.expect("bind")
        if fields["case"] != case.name:
            raise RuntimeError(f"The runner is at {fields['case']}, the worker at {case.name}.")
        problem = load_problem(fields["data"], case.dtype)
        return Task(
            case=case, problem=problem, config=fields["config"], before=fields["before"], rounds=fields["rounds"]
        )  # fmt: skip

    def bound(self, **report: object) -> None:
        self.connection.send(("bound", report))

    def wait(self) -> None:
        self.expect("round")

    def round_done(self, seconds: float, device_seconds: float | None) -> None:
        self.connection.send(("round", {"seconds": seconds, "device_seconds": device_seconds}))

    def fresh_expectations(self) -> Any | None:
        return self.expect("judge")["after"]

    def judged(self, **report: object) -> None:
        self.connection.send(("judged", report))

    def failed(self, kind: str, reason: str) -> None:
        self.connection.send(("failed", {"kind": kind, "reason": reason}))

    def expect(self, kind: str) -> dict[str, Any]:
        """Block until the runner sends `kind`. The end of the run ends this process."""
        try:
            received, fields = self.connection.recv()
        except EOFError:
            os._exit(0)
        if received != kind:
            raise RuntimeError(f"The runner sent {received!r} where the worker expected {kind!r}.")
        return dict(fields)


def die_with_parent() -> None:
    """On Linux, ask to be killed when the runner dies: a stopped process would wait for ever."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def import_seconds(row: Implementation) -> float:
    """Import the row's module and library, and tell how long that took."""
    start = time.perf_counter()
    row.load()
    return time.perf_counter() - start


def main(descriptor: int, threads: int) -> int:
    pin_to_budget(threads)
    die_with_parent()
    connection = Connection(descriptor)
    turnstile = RunnerTurnstile(connection)
    orders = turnstile.expect("orders")
    from stepkernels.interface import Implementation

    row = Implementation.from_json(orders["row"])
    try:
        seconds = import_seconds(row)
    except Exception as error:
        turnstile.failed("error", f"could not be loaded: {type(error).__name__}: {error}")
        return 1
    import pytest

    from stepbench.worker.suite import FOLDER
    from stepbench.worker.suite.plugin import SuitePlugin
    from stepkernels.probe import library_version

    connection.send(("started", {"import_seconds": seconds, "library_version": library_version(row.library)}))
    plugin = SuitePlugin([(row, case) for case in orders["cases"]], turnstile)
    return int(pytest.main([str(FOLDER), "-q", "--no-header", "--no-summary"], plugins=[plugin]))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
