"""What the project is held to, as data: the marks, and every row and opponent that they name."""

from __future__ import annotations

from dataclasses import dataclass

from stepbench.cases.presets import TRAIN_STEPS, TRAIN_STEPS_ON_GPU
from stepkernels.catalog import CATALOG

DEVICES = ("cpu", "cuda")
OURS = {
    device: tuple(name for name, row in CATALOG.items() if row.device == device and row.passes_over_x == 1)
    for device in DEVICES
}
BEST_OTHER = "the best other row"
LIMIT = "the read limit"
SKLEARN, AUTOGRAD = "scikit-learn", "torch-autograd-cpu"  # what trainings are timed against
AUTOGRAD_ON_GPU = "torch-autograd-cuda"
SELF_TESTED = "numba-fused"  # the row that the harness times against itself


@dataclass(frozen=True, slots=True)
class Mark:
    """At a case, our time against an opponent's: at least `times` as fast as it (of a limit: that share of it)."""

    op: str
    m: int
    n: int
    dtype: str
    opponent: str
    times: float
    optimizer: str = "gd"
    device: str = "cpu"

    @property
    def case(self) -> str:
        steps = TRAIN_STEPS if self.device == "cpu" else TRAIN_STEPS_ON_GPU
        training = f", {steps:,} steps" if self.op == "train" else ""
        return f"{self.m:,} × {self.n:,} {self.op}, {self.dtype}, {self.optimizer}{training}"


MARKS = (
    Mark("step", 1_000_000, 100, "float64", LIMIT, 0.9),
    Mark("step", 1_000_000, 100, "float64", "numpy-blas", 1.9),
    Mark("step", 1_000_000, 100, "float64", BEST_OTHER, 1.4),
    Mark("step", 1_000_000, 100, "float32", LIMIT, 0.9),
    Mark("step", 1_000_000, 100, "float32", "numpy-blas", 2.6),
    Mark("step", 1_000_000, 100, "float32", BEST_OTHER, 2.4),
    Mark("step", 1_000_000, 20, "float64", "numpy-blas", 4.5),
    Mark("step", 1_000_000, 20, "float64", BEST_OTHER, 2.8),
    Mark("step", 100_000, 1_000, "float64", "numpy-blas", 1.6),
    Mark("step", 100_000, 1_000, "float64", BEST_OTHER, 1.6),
    Mark("step", 20_000, 50, "float64", "numpy-blas", 3.5),
    Mark("step", 20_000, 50, "float64", BEST_OTHER, 2.3),
    Mark("step", 569, 30, "float64", "numpy-blas", 6.0),
    Mark("step", 569, 30, "float64", BEST_OTHER, 6.0),
    Mark("train", 569, 30, "float64", "jax-jit-cpu", 3.0),
    Mark("train", 569, 30, "float32", "jax-jit-cpu", 2.0),
    Mark("train", 569, 30, "float64", "numpy-blas", 10.0),
    Mark("train", 569, 30, "float64", AUTOGRAD, 50.0, optimizer="adam"),
    Mark("step", 4_000_000, 100, "float64", LIMIT, 0.9, device="cuda"),
    Mark("step", 4_000_000, 100, "float64", BEST_OTHER, 1.8, device="cuda"),
    Mark("step", 4_000_000, 100, "float32", LIMIT, 0.9, device="cuda"),
    Mark("step", 4_000_000, 100, "float32", BEST_OTHER, 1.8, device="cuda"),
    Mark("train", 569, 30, "float64", AUTOGRAD_ON_GPU, 20.0, device="cuda"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMark:
    """At a size, what one call of step may take beyond a step inside train."""

    row: str
    m: int
    n: int
    most_seconds: float


CALL = CallMark(row="numba-fused", m=1_000, n=20, most_seconds=3e-6)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMarks:
    """How many times as fast as its opponent a whole training is to be.

    equal_gradient        as scikit-learn on breast cancer, until the gradient is as small as it leaves
    equal_gradient_large  the same at a large size
    adam                  as the row that records its gradient, in steps of Adam on breast cancer
    """

    equal_gradient: float = 1.0
    equal_gradient_large: float = 2.0
    adam: float = 50.0


TRAINING_MARKS = TrainingMarks()
