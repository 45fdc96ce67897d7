"""What can be asked of a training, and what is refused of it before any data are read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stepbench.cases.reading import AS_IT_LOOKS, Reading
from stepkernels.classifier.choice import AUTO
from stepkernels.classifier.hyperparameters import OF_ALL_ROWS
from stepkernels.problem import DTYPES, ProblemError
from stepkernels.problem.storage import require_storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What the user asked for. `steps` are epochs where rows come in batches; None means the default."""

    target: str | None = None
    row: str = AUTO
    optimizer: str = AUTO
    steps: int | None = None
    learning_rate: float | None = None
    l2: float = 1e-3
    tol: float = 1e-4
    batch_size: int | None = None
    dtype: str | None = None
    storage: str | None = None
    held_out: float = 0.25
    standardize: bool = True
    on_disk: bool | None = None
    seed: int = 0
    reading: Reading = AS_IT_LOOKS


def require_sensible(wanted: Training) -> None:
    """Raise `ProblemError` for what the classifier does not check itself."""
    if not 0.0 < wanted.held_out < 1.0:
        raise ProblemError(f"The share held out is {wanted.held_out}; it must lie between 0 and 1.")
    for name, value in (("steps", wanted.steps), ("batch_size", wanted.batch_size)):
        if value is not None and value < 1:
            raise ProblemError(f"{name} is {value}; it must be at least 1.")
    if not 0 <= wanted.seed < 2**32:
        raise ProblemError(f"seed is {wanted.seed}; it must be at least 0 and below 2³².")
    if not math.isfinite(wanted.tol):
        raise ProblemError(f"tol is {wanted.tol}; it must be a finite number.")
    if wanted.dtype is not None and wanted.dtype not in DTYPES:
        raise ProblemError(f"There is no dtype called {wanted.dtype!r}; choose {' or '.join(DTYPES)}.")
    if wanted.storage is not None:
        require_storage(wanted.storage, wanted.dtype or "float32")
    if wanted.learning_rate is not None and wanted.optimizer in OF_ALL_ROWS:
        raise ProblemError(
            "lbfgs and newton-cholesky find their own steps, and take no learning rate; gd and adam do (--optimizer)."
        )
