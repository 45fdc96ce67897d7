"""What the project is held to, as data: the marks, and every row and opponent that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stepbench.cases.presets import TRAIN_STEPS, TRAIN_STEPS_ON_GPU
from stepkernels.catalog import CATALOG
from stepkernels.problem import STORAGES

DEVICES = ("cpu", "cuda")
NARROW = "narrow"
GROUPS = {"cpu": "marks", "cuda": "marks-cuda", NARROW: "marks-narrow"}  # the preset that times each
OURS = {
    device: tuple(name for name, row in CATALOG.items() if row.device == device and row.passes_over_x == 1)
    for device in DEVICES
}
BEST_OTHER = "the best other row"
LIMIT = "the read limit"
ITSELF = "our float32"
SKLEARN, AUTOGRAD = "scikit-learn", "torch-autograd-cpu"  # what trainings are timed against
AUTOGRAD_ON_GPU = "torch-autograd-cuda"
SELF_TESTED = "numba-fused"  # the row that the harness times against itself


@dataclass(frozen=True, slots=True)
class Mark:
    """At a case, our time against an opponent's: at least `times` as fast as it (of a limit: that share of it).

    storage  what our row keeps X in, where that is narrower than the dtype
    ours     the rows of which the fastest counts; None for all fused ones of the device
    """

    op: str
    m: int
    n: int
    dtype: str
    opponent: str
    times: float
    optimizer: str = "gd"
    device: str = "cpu"
    storage: str | None = None
    ours: tuple[str, ...] | None = None

    @property
    def group(self) -> str:
        """Of the marks that one preset times."""
        return NARROW if self.storage else self.device

    @property
    def rows(self) -> tuple[str, ...]:
        return OURS[self.device] if self.ours is None else self.ours

    @property
    def case(self) -> str:
        steps = TRAIN_STEPS if self.device == "cpu" else TRAIN_STEPS_ON_GPU
        training = f", {steps:,} steps" if self.op == "train" else ""
        kept = f"X in {self.storage}" if self.storage else self.dtype
        return f"{self.m:,} × {self.n:,} {self.op}, {kept}, {self.optimizer}{training}"


_STEPS = tuple(
    (m, n, dtype)
    for m, n in ((1_000_000, 100), (100_000, 1_000), (1_000_000, 20), (100_000, 100), (20_000, 50))
    for dtype in ("float64", "float32")
)
_IN_NUMBA = tuple(name for name in OURS["cpu"] if CATALOG[name].library == "numba")
IN_CPP = "cpp-fused-parallel"

MARKS = (
    *(Mark("step", m, n, dtype, LIMIT, 0.9 if m * n >= 10**8 else 0.95) for m, n, dtype in _STEPS),
    Mark("step", 1_000_000, 100, "float64", BEST_OTHER, 2.2),
    Mark("step", 1_000_000, 100, "float32", BEST_OTHER, 2.4),
    Mark("step", 1_000_000, 20, "float64", BEST_OTHER, 3.5),
    Mark("step", 100_000, 1_000, "float64", BEST_OTHER, 1.9),
    Mark("step", 20_000, 50, "float64", BEST_OTHER, 3.5),
    Mark("step", 569, 30, "float64", BEST_OTHER, 8.0),
    Mark("train", 569, 30, "float64", "numpy-blas", 10.0),
    Mark("train", 569, 30, "float64", "jax-jit-cpu", 5.0),
    Mark("train", 569, 30, "float64", AUTOGRAD, 50.0, optimizer="adam"),
    *(Mark("step", m, n, dtype, IN_CPP, 0.95, ours=_IN_NUMBA) for m, n, dtype in _STEPS),
    *(Mark(op, 569, 30, "float64", IN_CPP, 0.95, ours=_IN_NUMBA) for op in ("step", "train")),
    *(Mark("step", 1_000_000, 100, "float32", ITSELF, 1.8, storage=storage) for storage in ("float16", "bfloat16")),
    Mark("step", 1_000_000, 100, "float32", ITSELF, 2.5, storage="int8"),
    *(Mark("step", 1_000_000, 20, "float32", ITSELF, 1.4, storage=storage) for storage in ("float16", "bfloat16")),
    *(Mark("step", 20_000, 50, "float32", ITSELF, 0.95, storage=storage) for storage in STORAGES),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerMarks:
    """What `fit` is held to beside other libraries'.

    gradient       the largest element of the gradient of J that is to be left, by every fit alike
    times          by (m, n), how many times as fast as the fastest peer that leaves such a gradient, in both dtypes
    memory_share   of the bytes of X, that the process of a fit may hold beyond it at most
    """

    gradient: float = 1e-8
    times: Mapping[tuple[int, int], float]
    memory_share: float = 0.05


PEER_MARKS = PeerMarks(times=MappingProxyType({(569, 30): 1.5, (100_000, 50): 2.0, (1_000_000, 100): 2.0}))
