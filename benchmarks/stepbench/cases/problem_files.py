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
    """X and y are mapped from the files: to be timed on, they are copied into memory."""
    start, X, y = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("start", "X", "y"))
    return Problem(X, y, w0=start[:-1].copy(), b0=float(start[-1])).astype(dtype)
