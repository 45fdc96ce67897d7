"""A case's problem on disk, written once by the runner and read by each worker into memory of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
