"""What is timed: an operation on a problem of some size, and what it costs at the very least."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from stepbench.cases.datasets import SYNTHETIC, shape_of
from stepkernels.interface import Implementation, Op
from stepkernels.problem import GD, Adam, Config, Optimizer, Problem, ProblemError, safe_learning_rate
from stepkernels.problem.storage import BITS

TIMED_L2 = 1e-3  # with lr < 1/L, thousands of timed steps settle at a finite optimum: no saturation, no subnormals
WARM, COLD = "warm", "cold"
MOST_DIGITS = 15  # of a size: beyond, no machine is large enough, and no float exact
ROUND_SECONDS = 3e-3  # of the timed loop, at least
FASTEST_CALL_SECONDS = 0.5e-6  # of a step, and of reading: faster than any row or machine, which only makes lr smaller
FASTEST_READ_BYTES_PER_SECOND = 1e11
FARTHEST_ADAM = 0.3  # how far a parameter goes in a round of Adam, each step going about lr
COLD_BYTES = 2**29  # a cold case rotates through so much data: beyond any last-level cache, a host's or a GPU's


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One operation on one problem; a row times it. `steps` is k of train(k), otherwise 1."""

    op: Op
    dtype: str
    m: int
    n: int
    dataset: str = SYNTHETIC
    optimizer: str = GD.name
    steps: int = 1
    threads: int = 1
    cache: str = WARM

    @property
    def name(self) -> str:
        """Unique within a run, readable in a table."""
        data = f"{self.m}x{self.n}" if self.dataset == SYNTHETIC else f"{self.dataset}-{self.m}x{self.n}"
        op = f"{self.op}{self.steps}" if self.op == Op.TRAIN else str(self.op)
        return f"{op}-{data}-{self.dtype}-{self.optimizer}-{self.threads}t-{self.cache}"

    @property
    def itemsize(self) -> int:
        return np.dtype(self.dtype).itemsize

    @property
    def data_bytes(self) -> int:
        """X and y."""
        return (self.m * self.n + self.m) * self.itemsize

    @property
    def copies(self) -> int:
        """Copies of the problem that take turns, so that each is out of every cache when its turn comes."""
        return 1 if self.cache == WARM else 1 + math.ceil(COLD_BYTES / self.data_bytes)

    @property
    def work(self) -> float:
        """Elements of X an operation visits: the measure of `Implementation.max_work`."""
        return float(self.m) * self.n * self.steps

    @property
    def reads_x(self) -> int:
        """The fewest times the operation must read X."""
        return 0 if self.op == Op.UPDATE else self.steps

    @property
    def bytes(self) -> int:
        """The fewest bytes the operation must move: X and y once a step; an update, its own vectors."""
        vectors = {GD.name: 3, Adam.name: 7}[self.optimizer]  # read and written
        return self.reads_x * self.data_bytes + self.steps * vectors * (self.n + 1) * self.itemsize

    def bytes_of(self, storage: str | None) -> int:
        """The same with X kept in a narrower storage; None for its dtype."""
        saved = 0 if storage is None else self.itemsize - np.dtype(BITS[storage]).itemsize
        return self.bytes - self.reads_x * self.m * self.n * saved

    @property
    def flops(self) -> int:
        """The fewest multiplications and additions with X: 2mn for Xw, 2mn for Xᵀr; an update, those of its vectors."""
        products = {Op.FORWARD: 2, Op.BACKWARD: 2, Op.UPDATE: 0}.get(self.op, 4)
        update = {GD.name: 2, Adam.name: 12}[self.optimizer] * (self.n + 1)
        return self.steps * (products * self.m * self.n + (update if self.op in (Op.UPDATE, Op.STEP, Op.TRAIN) else 0))

    def config(self, problem: Problem) -> Config:
        """The configuration timed: lr below 1/L and a little l2; lr so small that a round of steps does not arrive.

        A step that moves nothing could be left out unseen. Of descent, a step of rate 1/L, with L by the trace, takes a
        usual direction 1/(n + 1) of its way; so 2·(n + 1) such steps go most of it, and no round may go further.
        """
        most = self.most_steps
        optimizer: Optimizer
        if self.optimizer == GD.name:
            optimizer = GD(learning_rate=safe_learning_rate(problem, TIMED_L2) * min(1.0, 2.0 * (self.n + 1) / most))
        else:
            optimizer = Adam(learning_rate=min(1e-3, FARTHEST_ADAM / most))
        return Config(dtype=self.dtype, optimizer=optimizer, l2=TIMED_L2)

    @property
    def most_steps(self) -> int:
        """As many as a row could take in a round, were it as fast as any machine reads."""
        step_seconds = max(FASTEST_CALL_SECONDS, self.data_bytes / FASTEST_READ_BYTES_PER_SECOND)
        return max(self.steps, math.ceil(ROUND_SECONDS / step_seconds))

    def unsupported_by(self, row: Implementation) -> tuple[str, str] | None:
        """(kind, reason) why `row` is not asked to run this case, or None."""
        if self.dtype not in row.dtypes or self.optimizer not in row.optimizers:
            return "unsupported", f"{row.name} does not do {self.dtype} with {self.optimizer}"
        if self.op not in row.ops and self.op != Op.TRAIN:
            return "unsupported", f"{row.name} has no {self.op}"
        if row.max_work is not None and self.work > row.max_work:
            return (
                "too-much-work",
                f"{self.work:,.0f} elements of X per operation; {row.name} is timed up to {row.max_work:,.0f}",
            )
        return None

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, object]) -> Case:
        return cls(**{**fields, "op": Op(str(fields["op"]))})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A problem size: synthetic m × n, or a named data set."""

    m: int
    n: int
    dataset: str = SYNTHETIC

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read "1000x20". Raises `ProblemError`."""
        m, _, n = text.lower().replace("_", "").partition("x")
        fits = max(len(m), len(n)) <= MOST_DIGITS
        if not (fits and m.isdecimal() and n.isdecimal() and int(m) > 0 and int(n) > 0):
            raise ProblemError(f"{text[:80]!r} is not a size; write rows and columns, as in 1000x20.")
        return cls(m=int(m), n=int(n))

    @classmethod
    def of(cls, dataset: str) -> Size:
        m, n = shape_of(dataset)
        return cls(m=m, n=n, dataset=dataset)
