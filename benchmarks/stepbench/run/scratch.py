"""The case at hand, made ready: its problem and what a step must give, on disk for the workers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.cases.problem_files import save_problem
from stepbench.run.provenance import Source, by_name
from stepbench.worker.expectations import random_point, save_expectations
from stepkernels.agreement import Traits
from stepkernels.problem import Config, Problem, ProblemError


@dataclass(frozen=True, slots=True)
class ReadyCase:
    """A case whose problem is in `data`; `traits` are the kinds of arithmetic that are judged."""

    case: Case
    data: Path
    problem: Problem
    config: Config
    traits: Sequence[Traits]

    def expectations_before(self, seed: int) -> Path:
        """What a row must give to be timed. Cases that share their data and optimizer share the file."""
        path = self.data / f"{self.case.optimizer}-before.npz"
        if not path.exists():
            self._expect(path, seed)
        return path

    def expectations_after(self, seed: int) -> Path:
        """What a row must give once it was timed, from a point drawn only then."""
        path = self.data / "after.npz"
        self._expect(path, seed)
        return path

    def _expect(self, path: Path, seed: int) -> None:
        point = random_point(self.problem, self.config, seed)
        save_expectations(path, self.problem, self.config, point, self.traits)


@dataclass(slots=True)
class Scratch:
    """Holds the problem of the latest data on disk and in the runner's memory; earlier ones are removed.

    `folder` is its own; `sources` are the files that data come from.
    """

    folder: Path
    seed: int
    sources: Sequence[Source] = ()
    _key: tuple[object, ...] | None = None
    _problem: Problem | None = None

    def ready(self, case: Case, traits: Sequence[Traits]) -> ReadyCase:
        """The case with its problem on disk. Cases in order share their data."""
        key = (case.dataset, case.m, case.n, case.dtype)
        path = self.folder / "-".join(map(str, key))
        if self._key != key or self._problem is None:
            self.clear()
            self._require_unchanged(case.dataset)
            self._problem = make_problem(case.dataset, case.m, case.n, case.dtype, self.seed)
            save_problem(path, self._problem)
            self._key = key
        return ReadyCase(case, path, self._problem, case.config(self._problem), traits)

    def _require_unchanged(self, dataset: str) -> None:
        """Raise `ProblemError` for a file of data that is not what it was when the run was planned."""
        source = by_name(self.sources).get(dataset)
        if source is not None and source.has_changed():
            raise ProblemError(f"{source.file} has changed since the run began; time it anew.")

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._key = self._problem = None
