"""The case at hand, made ready: its problem on disk for the workers, and in the runner, which judges."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.cases.problem_files import save_problem
from stepbench.machine.threads import default_budget
from stepbench.proof.judging import Judge
from stepbench.run.provenance import Source, by_name
from stepkernels.agreement import Traits
from stepkernels.problem import Config, Problem, ProblemError

if TYPE_CHECKING:
    from stepbench.proof.compiled_truth import CompiledTruth


@dataclass(frozen=True, slots=True)
class ReadyCase:
    """A case whose problem is in `data`, with what judges it."""

    data: Path
    problem: Problem
    config: Config
    judge: Judge


@dataclass(slots=True)
class Scratch:
    """Holds the problem of the latest data on disk and in the runner's memory; earlier ones are removed.

    And the same as narrower storages hold it, for those that are asked for.

    `folder` is its own; `sources` are the files that data come from. No truth is on disk: a worker could read it.
    """

    folder: Path
    seed: int
    sources: Sequence[Source] = ()
    _key: tuple[object, ...] | None = None
    _truths: dict[str | None, CompiledTruth] = field(default_factory=dict)

    def ready(self, case: Case, traits: Sequence[Traits], storage: str | None = None) -> ReadyCase:
        """The case with its problem on disk; `traits` are those judged. Cases in order share their data.

        Where nobody is judged, the data carry no evidence: it would change what a training has to do.
        Raises `ProblemError` for data that the storage does not hold.
        """
        key = (case.dataset, case.m, case.n, case.dtype)
        if self._key != key:
            self.clear()
            self._require_unchanged(case.dataset)
            self._key = key
        if storage not in self._truths:
            self._keep(storage, make_problem(*key, self.seed, storage, evidence=bool(traits)))
        truth = self._truths[storage]
        config = replace(case.config(truth.problem), storage=storage)
        judge = Judge(case, truth.problem, config, truth, list(traits))
        return ReadyCase(self._path(storage), truth.problem, config, judge)

    def _keep(self, storage: str | None, problem: Problem) -> None:
        from stepbench.proof.compiled_truth import CompiledTruth  # with it a compiler, which a plan does not need

        save_problem(self._path(storage), problem)
        self._truths[storage] = CompiledTruth(problem, default_budget())

    def _path(self, storage: str | None) -> Path:
        return self.folder / (storage or "as-it-is")

    def _require_unchanged(self, dataset: str) -> None:
        """Raise `ProblemError` for a file of data that is not what it was when the run was planned."""
        source = by_name(self.sources).get(dataset)
        if source is not None and source.has_changed():
            raise ProblemError(f"{source.file} has changed since the run began; time it anew.")

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._key = None
        self._truths.clear()
