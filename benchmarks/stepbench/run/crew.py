"""The workers of one generation and one thread budget: started when first needed, again after a crash, ended together.

A participant that could not be loaded is not tried again in this generation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

import msgspec

from stepbench.cases.case import Case
from stepbench.run.journal import Journal
from stepbench.run.memory_layout import drawn_layout
from stepbench.run.participants import Participant
from stepbench.run.plan import Plan
from stepbench.run.processes import Worker, WorkerError
from stepbench.run.provenance import by_name
from stepbench.worker.messages import Started


@dataclass(slots=True)
class Crew:
    """`cases` are those still to be timed in this generation, all of one thread budget.

    What is kept goes into `folder`, and what is needed only meanwhile into `work`.
    """

    plan: Plan
    generation: int
    cases: Sequence[Case]
    folder: Path
    work: Path
    journal: Journal
    workers: dict[str, Worker] = field(default_factory=dict)
    lost: dict[str, WorkerError] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def worker(self, participant: Participant, case: Case) -> Worker:
        """The participant's live worker, its next case being `case`. Raises `WorkerError`."""
        key = participant.key
        if key not in self.lost and (key not in self.workers or not self.workers[key].alive):
            self._start(participant, self.cases[self.cases.index(case) :])
        if key in self.lost:
            raise WorkerError(self.lost[key].kind, str(self.lost[key]))
        return self.workers[key]

    def _start(self, wanted: Participant, cases: Sequence[Case]) -> None:
        """Start it, and at first everyone at once: to load a library takes longest, and nothing is timed meanwhile."""
        taking_part = {each.key: each for case in cases for each in self.plan.taking_part(case)}
        starting = [wanted] if self.workers else list(taking_part.values())
        for participant in starting:
            with self._or_lost(participant):
                self._launch(participant, cases)
        for participant in starting:
            if participant.key not in self.lost:
                with self._or_lost(participant):
                    self._hear(participant)

    def _launch(self, participant: Participant, cases: Sequence[Case]) -> None:
        mine = [case for case in cases if participant.unsupported(case) is None]
        log = self.folder / "logs" / f"{participant.key}.log"
        self._require_unchanged(participant)
        layout = participant.layout or drawn_layout(self.plan.seed, self.generation, participant.key)
        worker = Worker(participant, mine, cases[0].threads, compile_caches_of(participant, self.work), log, layout)
        self.workers[participant.key] = self.stack.enter_context(worker)

    def _hear(self, participant: Participant) -> None:
        worker = self.workers[participant.key]
        report = worker.started(Started, self.plan.timeout_seconds)
        about = {"participant": participant.key, "generation": self.generation, "layout": asdict(worker.layout)}
        self.journal.write("started", **about, **msgspec.structs.asdict(report))

    @contextmanager
    def _or_lost(self, participant: Participant) -> Iterator[None]:
        """One that cannot be started is lost, and the others start."""
        try:
            yield
        except WorkerError as error:
            self.lost[participant.key] = error

    def _require_unchanged(self, participant: Participant) -> None:
        """Raise `WorkerError` for a kernel file that is not what it was when the run was planned."""
        source = by_name(self.plan.kernels).get(participant.row.name)
        if source is not None and source.has_changed(Path(participant.row.module)):
            raise WorkerError("error", f"{participant.row.module} has changed since the run began; time it anew")


def compile_caches_of(participant: Participant, folder: Path) -> Path:
    """Where what a participant compiles is kept for the run: cold in the first generation, warm later."""
    return folder / "caches" / participant.key
