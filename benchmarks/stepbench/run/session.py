"""A run from the command line's point of view: a folder, a plan, the timing, the records, the report."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from stepbench.machine.description import describe_commit, describe_machine
from stepbench.machine.environment import refuse_variables
from stepbench.machine.family import FAMILY
from stepbench.machine.measured import measured_limits
from stepbench.machine.other_runs import Presence
from stepbench.run.after_turns import AfterTurns, already_alone
from stepbench.run.attempts import finished_pairs
from stepbench.run.choices import require_seconds, require_threads
from stepbench.run.estimate import require_memory
from stepbench.run.journal import Journal
from stepbench.run.plan import Plan
from stepbench.run.progress import TerminalProgress
from stepbench.run.provenance import Difference, code_fingerprint, differences, write_places
from stepbench.run.results import LIMITS, write_results
from stepbench.run.resuming import Again, plan_to_resume
from stepbench.run.run_folder import made, new_work_name, refuse_links, work_folder
from stepbench.run.runner import Runner
from stepbench.run.until_clear import Wanted, everything
from stepreports.records.files import RecordError, write_json
from stepreports.records.journal import NAME, SCHEMA, Event, read_events

ProgressFactory = Callable[[int], AbstractContextManager[TerminalProgress]]


class RunEndedError(Exception):
    """A run that could not go on through no fault of a row: the disk is full, or cannot be written."""


def start(plan: Plan, folder: Path, progress: ProgressFactory, wanted: Wanted = everything) -> None:
    """Time a new plan into `folder`: in each generation, what is wanted. What was measured is kept whatever ends it.

    Raises `ProblemError` when the folder is another run's, and `RunEndedError`.
    """
    header = _header(plan, folder)
    with made(folder), _kept_whatever_happens(folder), Journal(folder, new=True) as journal:
        journal.write("run", **header)
        write_places(folder, plan.data)
        _carry_out(plan, folder, header["work"], journal, progress, [], wanted)


def resume(folder: Path, progress: ProgressFactory, again: Again | None = None) -> Plan:
    """Finish an interrupted run from its journal, redoing what is missing or failed.

    Raises `RecordError` where the run is another process's, or is not what it was, and `RunEndedError`.
    """
    again = again or Again()
    refuse_variables(os.environ)
    require_seconds(again.timeout_seconds, again.max_seconds)
    events = read_events(folder)
    refuse_links(folder, events[0].get("work"))
    plan, changed = plan_to_resume(folder, events[0].get("plan", {}), again)
    require_threads(plan.budgets)
    require_memory(plan)
    words = _require_the_same(folder, [*differences(events[0], _surroundings()), *changed], again)
    with _kept_whatever_happens(folder), Journal(folder) as journal:
        events = read_events(folder)  # another process may have ended just now
        journal.write("resumed", **({"anyway": words} if words else {}))
        _carry_out(plan, folder, events[0].get("work"), journal, progress, events)
    return plan


def _require_the_same(folder: Path, found: Sequence[Difference], again: Again) -> list[str]:
    """In what the run will not be what it was, told in words. Raises `RecordError` unless that may be."""
    words = list(map(str, found))
    if words and not (again.anyway and all(difference.of_versions for difference in found)):
        way_out = (
            f"Go back to what was, or go on with --resume {folder} --anyway, and the record will say so."
            if all(difference.of_versions for difference in found)
            else "Resume it as it was begun, or run again with another --out."
        )
        raise RecordError(f"{folder} would be of two programs: {'; '.join(words)}. {way_out}")
    return words


@contextmanager
def _kept_whatever_happens(folder: Path) -> Iterator[None]:
    """Turn a disk that refuses into a sentence. Everything measured is in the journal by then."""
    try:
        yield
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        kept = (
            f"What was measured until then is kept; make room, and go on with: stepbench run --resume {folder}"
            if (folder / NAME).exists()
            else "Nothing was measured yet."
        )
        raise RunEndedError(f"The run ended: {error.strerror or error}{where}. {kept}") from error


def _carry_out(
    plan: Plan,
    folder: Path,
    work_name: Any,
    journal: Journal,
    progress: ProgressFactory,
    before: Sequence[Event],
    wanted: Wanted = everything,
) -> None:
    """Time what `before` does not hold; then turn whatever the journal holds into records."""
    try:
        with work_folder(folder, work_name) as work, Presence() as presence:
            limits = folder / LIMITS
            if not limits.is_file():
                write_json(limits, _limits(plan))
            _time(plan, folder, work, journal, progress, before, presence, wanted)
    finally:
        write_results(folder, read_events(folder))


def _time(
    plan: Plan,
    folder: Path,
    work: Path,
    journal: Journal,
    progress: ProgressFactory,
    before: Sequence[Event],
    presence: Presence,
    wanted: Wanted,
) -> None:
    done = finished_pairs(before)
    try:
        of_all = sum(generation < plan.generations for generation, _ in done)
        with progress(plan.generations * len(plan.cases) - of_all) as bar:
            runner = Runner(plan, folder, work, journal, bar, presence, wanted)
            runner.run(done)
            after = AfterTurns(plan, folder, work, journal, bar, runner.scratch, runner.time_limit)
            after.run(already_alone(before))
    finally:
        FAMILY.end()


def _limits(plan: Plan) -> dict[str, Any]:
    return measured_limits(max(plan.budgets), max(case.data_bytes for case in plan.cases))


def _header(plan: Plan, folder: Path) -> dict[str, Any]:
    told = plan.without_places()
    return {
        "schema": SCHEMA,
        "run_id": folder.resolve().name,
        "datetime": datetime.datetime.now(datetime.UTC).isoformat(),
        **_surroundings(),
        "work": new_work_name(),
        "plan": told.to_json(),
    }


def _surroundings() -> dict[str, Any]:
    """All that a run depends on and does not plan, as it is in JSON."""
    found: dict[str, Any] = json.loads(
        json.dumps(
            {
                "machine": describe_machine(),
                "commit": describe_commit(Path(__file__).parent),
                "code": code_fingerprint(),
            }
        )
    )
    return found
