"""The case at hand, made ready: its problem on disk for the workers, and in the runner, which judges."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
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

    `folder` is its own; `sources` are the files that data come from. No truth is on disk: a worker could read it.
    """

    folder: Path
    seed: int
    sources: Sequence[Source] = ()
    _key: tuple[object, ...] | None = None
    _truth: CompiledTruth | None = None

    def ready(self, case: Case, traits: Sequence[Traits]) -> ReadyCase:
        """The case with its problem on disk; `traits` are those judged. Cases in order share their data."""
        key = (case.dataset, case.m, case.n, case.dtype)
        path = self.folder / "-".join(map(str, key))
        if self._key != key or self._truth is None:
            self.clear()
            self._require_unchanged(case.dataset)
            problem = make_problem(case.dataset, case.m, case.n, case.dtype, self.seed)
            save_problem(path, problem)
            from stepbench.proof.compiled_truth import CompiledTruth  # with it a compiler, which a plan does not need

            self._truth = CompiledTruth(problem, default_budget())
            self._key = key
        problem = self._truth.problem
        config = case.config(problem)
        return ReadyCase(path, problem, config, Judge(case, problem, config, self._truth, list(traits)))

    def _require_unchanged(self, dataset: str) -> None:
        """Raise `ProblemError` for a file of data that is not what it was when the run was planned."""
        source = by_name(self.sources).get(dataset)
        if source is not None and source.has_changed():
            raise ProblemError(f"{source.file} has changed since the run began; time it anew.")

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._key = self._truth = None
