"""A run from the command line's point of view: a folder, a plan, the timing, the records, the report."""

from __future__ import annotations

import datetime
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from stepbench.machine.description import describe_commit, describe_machine
from stepbench.machine.measured import measured_limits
from stepbench.machine.simulators import refuse_simulators
from stepbench.run.attempts import finished_pairs
from stepbench.run.journal import Journal
from stepbench.run.plan import Plan
from stepbench.run.progress import TerminalProgress
from stepbench.run.results import write_results
from stepbench.run.runner import Runner
from stepkernels.problem import ProblemError
from stepreports.records.files import RecordError
from stepreports.records.journal import NAME as JOURNAL_NAME
from stepreports.records.journal import SCHEMA, read_events

ProgressFactory = Callable[[int], AbstractContextManager[TerminalProgress]]


def create_folder(out: Path | None) -> Path:
    """The folder of a new run. Raises `ProblemError` when it is taken or cannot be written."""
    folder = out or default_folder()
    if (folder / JOURNAL_NAME).exists():
        raise ProblemError(
            f"{folder} already holds a run. Continue it with --resume {folder}, or choose another --out."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ProblemError(
            f"{folder} cannot be written ({error.strerror}). Choose another folder with --out."
        ) from None
    return folder


def default_folder() -> Path:
    """reports/runs/… in a checkout, ./stepbench-runs/… elsewhere."""
    in_checkout = Path("reports/stepreports").is_dir() and Path("noxfile.py").is_file()
    runs = Path("reports/runs" if in_checkout else "stepbench-runs")
    moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    return runs / f"{moment}-{secrets.token_hex(2)}"


def start(plan: Plan, folder: Path, progress: ProgressFactory) -> None:
    """Time a new plan into `folder`. What was measured is kept whatever ends it."""
    _carry_out(plan, folder, progress, frozenset(), "run", _header(plan, folder))


def resume(folder: Path, progress: ProgressFactory) -> Plan:
    """Finish an interrupted run from its journal, redoing what is missing or failed. Raises `RecordError`."""
    refuse_simulators(dict(os.environ))
    events = read_events(folder)
    plan = Plan.from_json(events[0]["plan"])
    begun_on = events[0]["machine"]["cpu"]
    if begun_on != describe_machine()["cpu"]:
        raise RecordError(f"{folder} was begun on another machine ({begun_on}); resume it there.")
    _carry_out(plan, folder, progress, finished_pairs(events), "resumed", {})
    return plan


def _carry_out(
    plan: Plan,
    folder: Path,
    progress: ProgressFactory,
    done: frozenset[tuple[int, str]],
    event: str,
    fields: dict[str, Any],
) -> None:
    """Time what is not done, after noting the event; then turn whatever the journal holds into records."""
    try:
        with Journal(folder) as journal, progress(plan.generations * len(plan.cases) - len(done)) as bar:
            journal.write(event, **fields)
            Runner(plan, folder, journal, bar).run(done)
    finally:
        write_results(folder, read_events(folder))
        shutil.rmtree(folder / "caches", ignore_errors=True)


def _header(plan: Plan, folder: Path) -> dict[str, Any]:
    largest = max(case.data_bytes for case in plan.cases)
    return {
        "schema": SCHEMA,
        "run_id": folder.resolve().name,
        "datetime": datetime.datetime.now(datetime.UTC).isoformat(),
        "machine": {**describe_machine(), "limits": measured_limits(max(plan.budgets), largest)},
        "commit": describe_commit(Path(__file__).parent),
        "plan": plan.to_json(),
    }
