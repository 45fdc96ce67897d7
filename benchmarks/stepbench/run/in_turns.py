"""Anything with a `bind` timed by the harness itself: generations, turns, and only the seconds kept."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

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


def time_in_turns(
    participants: Sequence[Participant], cases: Sequence[Case], generations: int, turns: int, progress: Progress
) -> dict[tuple[str, str], Turns]:
    """The turns of each (participant, case name). Raises `RuntimeError` for a participant that fails."""
    plan = Plan(
        preset="in-turns", cases=tuple(cases), participants=tuple(participants), skips=(),
        generations=generations, turns=turns, seed=0, timeout_seconds=60.0, max_seconds=None,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="stepbench-in-turns-") as name:
        folder = Path(name)
        with Journal(folder) as journal:
            journal.write("run", schema=SCHEMA)
            with Presence() as presence:
                Runner(plan, folder, folder / "work", journal, progress, presence).run()
        attempts = last_attempts(read_events(folder))
    failures = [failure for attempt in attempts.values() for failure in attempt.failures]
    if failures:
        raise RuntimeError(f"{failures[0]['participant']} could not be timed: {failures[0]['reason']}.")
    return {key: timing.turns for key, timing in timings(attempts).items()}
