"""Anything with a `bind` timed by the harness itself: generations, turns, and only the seconds kept."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from stepbench.cases.case import Case
from stepbench.machine.other_runs import Presence
from stepbench.run.attempts import timings
from stepbench.run.journal import Journal
from stepbench.run.participants import Participant
from stepbench.run.plan import Plan
from stepbench.run.progress import Progress
from stepbench.run.runner import Runner
from stepreports.records.journal import SCHEMA, read_events
from stepreports.records.last_attempts import last_attempts
from stepreports.records.turns import Turns


class InTurns(NamedTuple):
    """The turns of each (participant, case name), and why a participant has none at a case."""

    turns: dict[tuple[str, str], Turns]
    failures: dict[tuple[str, str], str]


def time_in_turns(
    participants: Sequence[Participant], cases: Sequence[Case], generations: int, turns: int, progress: Progress
) -> dict[tuple[str, str], Turns]:
    """The turns of each (participant, case name). Raises `RuntimeError` for a participant that fails."""
    found = timed_or_failed(participants, cases, generations, turns, progress)
    for (participant, _), reason in found.failures.items():
        raise RuntimeError(f"{participant} could not be timed: {reason}.")
    return found.turns


def timed_or_failed(
    participants: Sequence[Participant],
    cases: Sequence[Case],
    generations: int,
    turns: int,
    progress: Progress,
    timeout_seconds: float = 60.0,
) -> InTurns:
    """The same where one that fails, or gives no answer within the timeout, leaves the others alone."""
    plan = Plan(
        preset="in-turns", cases=tuple(cases), participants=tuple(participants), skips=(),
        generations=generations, turns=turns, seed=0, timeout_seconds=timeout_seconds, max_seconds=None,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="stepbench-in-turns-") as name:
        folder = Path(name)
        with Journal(folder) as journal:
            journal.write("run", schema=SCHEMA)
            with Presence() as presence:
                Runner(plan, folder, folder / "work", journal, progress, presence).run()
        attempts = last_attempts(read_events(folder))
    failures = {
        (failure["participant"], failure["case"]): str(failure["reason"])
        for attempt in attempts.values()
        for failure in attempt.failures
    }
    timed: dict[tuple[str, str], Turns] = {
        key: timing.turns for key, timing in timings(attempts).items() if key not in failures
    }
    return InTurns(timed, failures)
