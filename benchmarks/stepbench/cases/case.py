"""What is timed: cases, the presets that choose them, and what a case costs at the very least."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from stepbench.cases.datasets import SYNTHETIC, is_known, shape_of
from stepkernels.interface import Implementation, Op
from stepkernels.problem import GD, OPTIMIZERS, Adam, Config, Optimizer, Problem, ProblemError, safe_learning_rate

TIMED_L2 = 1e-3  # with lr < 1/L, thousands of timed steps settle at a finite optimum: no saturation, no subnormals
TRAIN_STEPS = 2_000
WARM, COLD = "warm", "cold"
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

    @property
    def flops(self) -> int:
        """The fewest multiplications and additions with X: 2mn for Xw, 2mn for Xᵀr; an update, those of its vectors."""
        products = {Op.FORWARD: 2, Op.BACKWARD: 2, Op.UPDATE: 0}.get(self.op, 4)
        update = {GD.name: 2, Adam.name: 12}[self.optimizer] * (self.n + 1)
        return self.steps * (products * self.m * self.n + (update if self.op in (Op.UPDATE, Op.STEP, Op.TRAIN) else 0))

    def config(self, problem: Problem) -> Config:
        """The configuration timed: lr below 1/L and a little l2."""
        rate = safe_learning_rate(problem, TIMED_L2)
        optimizer: Optimizer = GD(learning_rate=rate) if self.optimizer == GD.name else Adam(learning_rate=1e-3)
        return Config(dtype=self.dtype, optimizer=optimizer, l2=TIMED_L2)

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
        if not (m.isdecimal() and n.isdecimal() and int(m) > 0 and int(n) > 0):
            raise ProblemError(f"{text!r} is not a size; write rows and columns, as in 1000x20.")
        return cls(m=int(m), n=int(n))

    @classmethod
    def of(cls, dataset: str) -> Size:
        m, n = shape_of(dataset)
        return cls(m=m, n=n, dataset=dataset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cases of a preset: every op at every size, in every dtype, with every optimizer. Sizes are texts.

    train_steps is k of train(k).
    """

    ops: Sequence[Op]
    sizes: Sequence[str]
    dtypes: Sequence[str] = ("float64",)
    optimizers: Sequence[str] = (GD.name,)
    train_steps: int = TRAIN_STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How much to measure."""

    name: str
    generations: int
    turns: int
    groups: Sequence[Group]
    slow_to_compile: bool = False  # whether rows that compile for seconds per shape take part


REAL = "breast-cancer"
BOTH = ("float32", "float64")
PHASES = (Op.FORWARD, Op.BACKWARD, Op.GRADIENT, Op.UPDATE)

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="quick",
            generations=1,
            turns=40,
            groups=[Group(ops=[Op.STEP], sizes=[REAL, "20000x50", "100000x100"])],
        ),
        Preset(
            name="standard",
            generations=2,
            turns=40,
            groups=[
                Group(ops=[Op.STEP], sizes=[REAL, "1000x20", "20000x50", "100000x100", "1000000x20"], dtypes=BOTH),
                Group(ops=PHASES, sizes=["1000x20", "100000x100"]),
                Group(ops=[Op.TRAIN], sizes=[REAL], train_steps=200),  # the slow rows take 0.1 ms a step
            ],
        ),
        Preset(
            name="full",
            generations=4,
            turns=40,
            slow_to_compile=True,
            groups=[
                Group(
                    ops=[Op.STEP],
                    sizes=[
                        REAL, "100x30", "1000x20", "20000x50", "100000x100", "1000000x20",
                        "100000x1000", "1000000x100", "4000000x100",
                    ],
                    dtypes=BOTH,
                ),
                Group(ops=[Op.STEP], sizes=[REAL, "100000x100"], dtypes=BOTH, optimizers=[Adam.name]),
                Group(ops=PHASES, sizes=["1000x20", "100000x100", "1000000x20"], dtypes=BOTH),
                Group(ops=[Op.TRAIN], sizes=[REAL], dtypes=BOTH, optimizers=[GD.name, Adam.name]),
            ],
        ),
        Preset(
            name="marks",
            generations=2,
            turns=40,
            slow_to_compile=True,
            groups=[
                Group(ops=[Op.STEP], sizes=[REAL, "20000x50", "1000000x20", "100000x1000"]),
                Group(ops=[Op.STEP], sizes=["1000000x100"], dtypes=BOTH),
                Group(ops=[Op.STEP, Op.TRAIN], sizes=["1000x20"]),
                Group(ops=[Op.TRAIN], sizes=[REAL], dtypes=BOTH),
                Group(ops=[Op.TRAIN], sizes=[REAL], optimizers=[Adam.name]),
            ],
        ),
    )
}  # fmt: skip


def cases_of(
    groups: Iterable[Group],
    threads: Sequence[int],
    *,
    caches: Sequence[str] = (WARM,),
) -> list[Case]:
    """Every case of the groups once, those that share their data next to one another."""
    found = dict.fromkeys(
        Case(
            op=op, dtype=dtype, m=size.m, n=size.n, dataset=size.dataset, optimizer=optimizer, threads=budget,
            steps=group.train_steps if op == Op.TRAIN else 1, cache=cache,
        )
        for budget in threads
        for cache in caches
        for group in groups
        for size in map(parse_size, group.sizes)
        for dtype in group.dtypes
        for optimizer in group.optimizers
        for op in group.ops
    )  # fmt: skip
    return sorted(found, key=lambda case: (case.threads, case.m * case.n, case.dataset, case.dtype))


def parse_size(text: str) -> Size:
    """A size written as 1000x20, or the name of a data set."""
    return Size.parse(text) if text[:1].isdigit() and not is_known(text) else Size.of(text)


def parse_choices(what: str, text: str, known: Iterable[str]) -> list[str]:
    """The comma-separated choices in `text`. Raises `ProblemError` naming the known ones."""
    known = list(known)
    chosen = [item.strip() for item in text.split(",") if item.strip()]
    for item in chosen:
        if item not in known:
            raise ProblemError(f"There is no {what} called {item!r}. Choose from {', '.join(known)}.")
    if not chosen:
        raise ProblemError(f"No {what} was given. Choose from {', '.join(known)}.")
    return chosen


def parse_ops(text: str) -> list[Op]:
    return [Op(name) for name in parse_choices("operation", text, list(Op))]


def parse_optimizers(text: str) -> list[str]:
    return parse_choices("optimizer", text, OPTIMIZERS)
