"""The problem of the case at hand, on disk for the workers and in the runner's memory; one at a time."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.cases.problem_files import save_problem
from stepkernels.problem import Problem


@dataclass(slots=True)
class Scratch:
    """Holds the problem of the latest data on disk and in the runner's memory; earlier ones are removed."""

    folder: Path
    seed: int
    _key: tuple[object, ...] | None = None
    _problem: Problem | None = None

    def problem(self, case: Case) -> tuple[Path, Problem]:
        """The folder and the problem of a case. Cases in order share their data."""
        key = (case.dataset, case.m, case.n, case.dtype)
        path = self.folder / "-".join(map(str, key))
        if self._key != key or self._problem is None:
            self.clear()
            self._problem = make_problem(case.dataset, case.m, case.n, case.dtype, self.seed)
            save_problem(path, self._problem)
            self._key = key
        return path, self._problem

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._key = self._problem = None
