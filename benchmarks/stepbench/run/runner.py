"""Runs a plan: generations of fresh processes that take turns, case by case, into the journal.

A generation starts one process per participant. They live together, and for each case

1. every one binds it, in turn, and proves that it agrees;
2. every turn visits them in a new seeded order for one round each, one row running and all others stopped (SIGSTOP:
   nothing spins), from a point drawn for the turn;
3. what a row holds after rounds that are chosen once they are over is held to the truth of as many operations.

So the rows of a case are timed within a fraction of a second of one another, and a ratio within a turn is free of what
drifts. A shared machine changes its speed by a third for some tens of milliseconds at a time, so turns are short and
many: in equal time, of rows that were the same, the interval of the ratio was a sixth as wide from 54 rounds of 3 ms
as from the medians of 18 times 8 ms in threes.
Whatever goes wrong with a worker is a record; the others go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stepbench.cases.case import Case
from stepbench.machine.other_runs import Presence
from stepbench.run.crew import Crew
from stepbench.run.further import EVENT, Decision, decide, decisions
from stepbench.run.journal import Journal
from stepbench.run.one_case import OneCase
from stepbench.run.plan import Plan
from stepbench.run.progress import Progress
from stepbench.run.scratch import Scratch
from stepbench.run.time_limit import OutOfTimeError, TimeLimit
from stepbench.run.until_clear import Wanted, everything
from stepreports.records.journal import read_events


class Runner:
    """Carries a plan out. `work` is a folder for what is needed only meanwhile, and is left as it comes to be.

    `wanted` says which of the cases a generation times; once it names none, the run is over.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        work: Path,
        journal: Journal,
        progress: Progress,
        presence: Presence,
        wanted: Wanted = everything,
    ) -> None:
        self.plan, self.folder, self.work, self.journal = plan, folder, work, journal
        self.progress, self.presence, self.wanted = progress, presence, wanted
        self.scratch = Scratch(work / "scratch", plan.seed, plan.data)
        self.time_limit = TimeLimit(plan.max_seconds)

    def run(self, done: frozenset[tuple[int, str]] = frozenset()) -> None:
        """Every generation, budget and case that is not done: `done` holds pairs of a generation and a case's name."""
        (self.folder / "logs").mkdir(exist_ok=True)
        for generation in range(self.plan.generations):
            cases = self._wanted(generation)
            self._generation(generation, self._left(cases, generation, done))
            if not cases:
                break
        if self.plan.budget_seconds is not None:
            self._go_on(done)
        self.journal.write("finished")

    def _go_on(self, done: frozenset[tuple[int, str]]) -> None:
        """Further generations, of the cases that need them, for as long as there is time."""
        generation = self.plan.generations - 1
        try:
            while names := self._decision(generation).go_on:
                generation += 1
                cases = self._left([case for case in self.plan.cases if case.name in names], generation, done)
                self.progress.expect(len(cases))
                self._generation(generation, cases)
        except OutOfTimeError:
            self.progress.note("The time given by --max-time was used up; --resume goes on until ratios are narrow.")

    def _decision(self, generation: int) -> Decision:
        """The one that was taken after a generation, or is now. Raises `OutOfTimeError` where none can be carried out.

        Of what --max-time forbids nothing is written: with more time, more may be decided.
        """
        events = read_events(self.folder)
        found = decisions(events).get(generation)
        if found is None:
            found = decide(self.plan, events, generation)
            if found.go_on and found.seconds > self.time_limit.left_seconds:
                raise OutOfTimeError
            self.journal.write(EVENT, **found.to_json())
        return found

    def _left(self, cases: Sequence[Case], generation: int, done: frozenset[tuple[int, str]]) -> list[Case]:
        return [case for case in cases if (generation, case.name) not in done]

    def _wanted(self, generation: int) -> Sequence[Case]:
        names = self.wanted(generation)
        return [case for case in self.plan.cases if names is None or case.name in names]

    def _generation(self, generation: int, cases: Sequence[Case]) -> None:
        """A crew for each thread budget."""
        for threads in self.plan.budgets:
            self._crew(generation, [case for case in cases if case.threads == threads])

    def _crew(self, generation: int, cases: Sequence[Case]) -> None:
        with Crew(self.plan, generation, cases, self.folder, self.work, self.journal) as crew:
            for case in cases:
                before = self.presence.others()
                OneCase(case, crew, self.progress, self.time_limit).run(self.scratch)
                others = max((n for n in (before, self.presence.others()) if n is not None), default=None)
                self.journal.write("closed", generation=generation, case=case.name, other_runs=others)
                self.progress.advance()
