"""The data of a run's cases on disk, made once by the runner and read by each worker into memory of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepkernels.problem import Problem


def save_problem(folder: Path, problem: Problem) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "X.npy", problem.X)
    np.save(folder / "y.npy", problem.y)
    np.save(folder / "start.npy", np.append(problem.w0, problem.b0).astype(problem.dtype))


def load_problem(folder: Path, dtype: str) -> Problem:
    """Read into fresh arrays, not mapped: NumPy asks for huge pages for large ones, and rows are timed on them."""
    start = np.load(folder / "start.npy")
    problem = Problem(np.load(folder / "X.npy"), np.load(folder / "y.npy"), w0=start[:-1], b0=float(start[-1]))
    return problem.astype(dtype)


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
