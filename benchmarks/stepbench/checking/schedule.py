"""Which trials a row goes through, on which scenes: the schedule of `check`, and that of the fuzzer.

A schedule is made before the row is loaded, from its catalogue entry and a seed. The quick and telling trials come
first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from stepbench.checking import scenes
from stepbench.checking.scenes import Random
from stepbench.checking.scheduled_trial import ScheduledTrial
from stepbench.checking.trajectory import SHAPE
from stepbench.checking.trials import (
    ALLOCATION,
    DIFFERENCE,
    EXTREMES,
    LONG_RUN,
    MARGINS,
    NOTHING_PUT_OFF,
    ONE_STEP,
    PHASES,
    REPETITION,
    RUNNING_SUM,
    SETTINGS,
    SNAPSHOTS_COPY,
    STATEFUL,
    STEPS_TRIAL,
    Trial,
)
from stepbench.checking.trials.of_declarations import ROWS_OF_A_RUNNING_SUM, WARM_UPS
from stepkernels import Implementation, Op

Shape = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which trials: those of a check, or so many `problems` of the fuzzer's; few and small ones for a simulator.

    planted   the cheap ones alone, where a fault that large data hide shows itself: before a kernel is timed
    storages  those alone in which X is kept so; empty for every trial
    """

    seed: int
    problems: int | None = None
    simulated: bool = False
    planted: bool = False
    storages: tuple[str, ...] = ()


def schedule_of(row: Implementation, plan: Plan) -> list[ScheduledTrial]:
    """The same for whoever asks: the judge follows it, and the check knows what has to come back."""
    found = _whole_schedule(row, plan)
    return [trial for trial in found if trial.storage in plan.storages] if plan.storages else found


def _whole_schedule(row: Implementation, plan: Plan) -> list[ScheduledTrial]:
    if plan.problems is not None:
        return fuzz_schedule(row, plan.seed, plan.problems, simulated=plan.simulated)
    if plan.planted:
        return planted_schedule(row, plan.seed)
    return simulated_schedule(row, plan.seed) if plan.simulated else check_schedule(row, plan.seed)


def check_schedule(row: Implementation, seed: int) -> list[ScheduledTrial]:
    """Everything `check` does to a row."""
    if row.compiles_per_shape:
        return compiling_schedule(row, seed)
    pairs = [pair for dtype in row.dtypes for pair in _pairs(row, dtype, seed)]
    narrow = [each for pair in pairs for storage in row.storages for each in pair.kept_in(storage)]
    return [
        *(each for pair in pairs for each in pair.basics()),
        *narrow,
        *(each for pair in pairs for each in pair.sweep()),
    ]


def planted_schedule(row: Implementation, seed: int) -> list[ScheduledTrial]:
    """Every way of taking a step on small planted data, and the margins: seconds, of the minutes that a check takes."""
    _, small, middle = scenes.FEW
    schedule = []
    for pair in (pair for dtype in row.dtypes for pair in _pairs(row, dtype, seed)):
        schedule.append(pair.trial(STEPS_TRIAL, "planted rows", middle))
        schedule.append(pair.trial(STEPS_TRIAL, "a common offset", small))
        if not row.compiles_per_shape:
            schedule.append(pair.trial(PHASES, "planted rows", middle))
            schedule.append(pair.trial(MARGINS, "ordinary data", (1, 1)))
        if not row.compiles_per_shape and pair.affords(12, scenes.MANY_PLANTED):
            schedule.append(pair.trial(STEPS_TRIAL, "planted rows", scenes.MANY_PLANTED))
        schedule += pair.few_narrow(middle)
    return schedule


def fuzz_schedule(row: Implementation, seed: int, problems: int, *, simulated: bool = False) -> list[ScheduledTrial]:
    """So many problems of random kind, size, dtype and optimizer, each stepped from two places."""
    shapes = scenes.TINY if simulated else scenes.FEW if row.compiles_per_shape else None
    random = np.random.default_rng([seed, problems])
    schedule = []
    for k in range(problems):
        dtype, optimizer = str(random.choice(row.dtypes)), str(random.choice(row.optimizers))
        shape = shapes[random.integers(len(shapes))] if shapes else _random_shape(random)
        kind = str(random.choice(list(scenes.KINDS)))
        schedule.append(ScheduledTrial(STEPS_TRIAL, kind, shape, dtype, optimizer, (seed, k)))
    return schedule


def _random_shape(random: Random) -> Shape:
    m, n = (int(2.0 ** random.uniform(0.0, 11.5)) for _ in range(2))
    return (m, n) if m * n <= 2**15 else (m, max(1, 2**15 // m))


@dataclass(frozen=True)
class _Pair:
    """A row in one dtype with one optimizer, and the trials it goes through as such."""

    row: Implementation
    dtype: str
    optimizer: str
    seed: int

    def trial(self, trial: Trial, kind: str, shape: Shape) -> ScheduledTrial:
        label = f"{trial.name}{kind}{shape}{self.dtype}{self.optimizer}"
        return ScheduledTrial(trial, kind, shape, self.dtype, self.optimizer, (self.seed, *label.encode()))

    def basics(self) -> Iterator[ScheduledTrial]:
        yield self.trial(STEPS_TRIAL, "ordinary data", (33, 7))
        yield self.trial(STEPS_TRIAL, "planted rows", (257, 33))
        yield self.trial(MARGINS, "ordinary data", (1, 1))
        yield self.trial(SETTINGS, "columns of zeros", (33, 7))
        yield self.trial(EXTREMES, "ordinary data", (33, 7))
        yield from self.states("ordinary data", (33, 7))
        yield from self.states("planted rows", (257, 33))
        yield self.trial(LONG_RUN, "ordinary data", SHAPE)
        yield self.trial(NOTHING_PUT_OFF, "ordinary data", (257, 33))
        yield from self.once((33, 7))

    def states(self, kind: str, shape: Shape) -> Iterator[ScheduledTrial]:
        """What a row is put through besides steps."""
        return (self.trial(trial, kind, shape) for trial in STATEFUL if trial.needs <= {*self.row.ops, Op.STEP})

    def kept_in(self, storage: str) -> Iterator[ScheduledTrial]:
        """In float32, with X in a narrower storage: around every edge of columns, and on data that each can hold."""
        if self.dtype != "float32":
            return
        trials = [
            self.trial(STEPS_TRIAL, "planted rows", (257, 33)),
            self.trial(EXTREMES, "ordinary data", (33, 7)),
            *self.states("ordinary data", (33, 7)),
            *(self.trial(STEPS_TRIAL, kind, scenes.ENOUGH) for kind in scenes.NARROW_KINDS[self.share]),
            *(
                self.trial(STEPS_TRIAL, "ordinary data", shape)
                for shape in scenes.edge_sizes(self.random())[self.share]
            ),
            self.trial(ONE_STEP, "planted rows", scenes.LARGE[0]),
            self.trial(ONE_STEP, "planted rows", scenes.LARGE[-1]),
        ]
        yield from (_kept(trial, storage) for trial in trials)

    def few_narrow(self, shape: Shape) -> list[ScheduledTrial]:
        """One trial in each storage that the row keeps X in, where many would take too long."""
        storages = self.row.storages if self.dtype == "float32" else ()
        return [_kept(self.trial(STEPS_TRIAL, "planted rows", shape), storage) for storage in storages]

    def sweep(self) -> Iterator[ScheduledTrial]:
        """Every kind of data, around every edge; the optimizers share the edges, since they share the gradient."""
        random = self.random()
        kinds = shuffled_kinds(random)
        for k, shape in enumerate([*scenes.SQUARE, *scenes.edge_sizes(random)[self.share]]):
            yield self.trial(STEPS_TRIAL, kinds[k % len(kinds)], shape)
        for (
            kind
        ) in kinds:  # around an edge a kind may have fallen to a single column or row, where there is little of it
            yield self.trial(STEPS_TRIAL, kind, scenes.ENOUGH)
        repeated, *large = scenes.LARGE
        yield self.repetition(repeated)
        for shape in large if self.optimizer == self.row.optimizers[0] else ():
            if self.affords(4, shape):
                yield self.trial(ONE_STEP, "planted rows", shape)

    def once(self, small: Shape) -> Iterator[ScheduledTrial]:
        """What is asked in one dtype alone, that with most digits: what the row declares, and what a snapshot takes."""
        if self.dtype != max(self.row.dtypes) or self.optimizer != self.row.optimizers[0]:
            return
        on_host = self.row.device == "cpu"  # a GPU's memory is handed out by pools that nobody can ask
        if on_host and not self.row.allocates and self.affords(4 * (WARM_UPS + 1), scenes.ALLOCATING):
            yield self.trial(ALLOCATION, "ordinary data", scenes.ALLOCATING)
        if not self.row.compiles_per_shape and self.affords(30, scenes.TIMED):
            yield self.trial(SNAPSHOTS_COPY, "ordinary data", scenes.TIMED)
        if self.row.accumulation == "sequential" and self.affords(1, (ROWS_OF_A_RUNNING_SUM, 1)):
            yield self.trial(RUNNING_SUM, "ordinary data", small)
        if self.row.residual == "difference":
            yield self.trial(DIFFERENCE, "confident rows", small)

    def repetition(self, shape: Shape) -> ScheduledTrial:
        return self.trial(REPETITION, "ordinary data", shape if self.affords(24, shape) else (257, 33))

    def affords(self, passes: int, shape: Shape) -> bool:
        """Whether so much is not too much work: a slow row is spared the largest."""
        return passes * math.prod(shape) <= (self.row.max_work or math.inf)

    def random(self) -> Random:
        """Of the dtype alone: its optimizers draw the same, and share it."""
        return np.random.default_rng([self.seed, *self.dtype.encode()])

    @property
    def share(self) -> slice:
        """What falls to this optimizer of what they do between them, since they share the gradient."""
        return slice(self.row.optimizers.index(self.optimizer), None, len(self.row.optimizers))


def _pairs(row: Implementation, dtype: str, seed: int) -> list[_Pair]:
    return [_Pair(row, dtype, optimizer, seed) for optimizer in row.optimizers]


def _kept(trial: ScheduledTrial, storage: str) -> ScheduledTrial:
    """The trial with X in a storage, and random numbers of its own."""
    return trial._replace(storage=storage, seed=(*trial.seed, *storage.encode()))


def shuffled_kinds(random: Random) -> list[str]:
    kinds: list[str] = random.permutation(list(scenes.KINDS)).tolist()
    return kinds


def compiling_schedule(row: Implementation, seed: int) -> list[ScheduledTrial]:
    """For a row that compiles, seconds at a time, for every shape and setting: as few of them as show everything.

    Each dtype with each optimizer is tried on planted rows, in a batch that is timed, and on its share of the kinds of
    data. The states, the settings and the long run, and the margins with a repetition on large data, are visited by as
    many of these pairs as leave out no dtype and no optimizer: where there are two of each, by the two on a diagonal.
    """
    schedule: list[ScheduledTrial] = []
    sweep: list[ScheduledTrial] = []
    turns = min(len(row.dtypes), len(row.optimizers))
    _, small, middle = scenes.FEW
    for d, dtype in enumerate(row.dtypes):
        large = scenes.LONG_AND_WIDE[d % 2]
        for o, pair in enumerate(_pairs(row, dtype, seed)):
            visits_states, visits_large = (d - o) % turns == 0, (d - o) % turns == turns - 1
            schedule += _compiling_basics(pair, states=visits_states, large=large if visits_large else None)
            sweep += _compiling_sweep(pair, [middle, small] if visits_states else [middle])
            sweep += pair.few_narrow(middle)
    return schedule + sweep


def _compiling_basics(pair: _Pair, *, states: bool, large: Shape | None) -> Iterator[ScheduledTrial]:
    single, small, middle = scenes.FEW
    yield pair.trial(STEPS_TRIAL, "planted rows", middle)
    if states:
        yield pair.trial(STEPS_TRIAL, "ordinary data", small)
        yield from pair.states("ordinary data", small)
        yield pair.trial(SETTINGS, "columns of zeros", small)
        yield pair.trial(EXTREMES, "ordinary data", small)
        yield pair.trial(LONG_RUN, "ordinary data", SHAPE)
    if large:
        yield pair.trial(MARGINS, "ordinary data", single)
        yield pair.repetition(large)
    yield pair.trial(NOTHING_PUT_OFF, "ordinary data", middle)
    yield from pair.once(small)


def _compiling_sweep(pair: _Pair, shapes: Sequence[Shape]) -> Iterator[ScheduledTrial]:
    for k, kind in enumerate(shuffled_kinds(pair.random())[pair.share]):
        yield pair.trial(STEPS_TRIAL, kind, shapes[k % len(shapes)])


def simulated_schedule(row: Implementation, seed: int) -> list[ScheduledTrial]:
    """Little, for a simulator that takes milliseconds an element: every kind of data in each dtype, then the states."""
    schedule = []
    for shift, dtype in enumerate(row.dtypes):
        pairs = _pairs(row, dtype, seed)
        for k, kind in enumerate(scenes.KINDS):
            shape = scenes.TINY[(k + shift) % len(scenes.TINY)]
            schedule.append(pairs[k % len(pairs)].trial(STEPS_TRIAL, kind, shape))
        schedule += pairs[-1 - shift % len(pairs)].states("ordinary data", (7, 3))
        schedule += [trial for pair in pairs for trial in pair.few_narrow(scenes.TINY[-1])]
    return schedule


def sanitized_schedule(row: Implementation, seed: int) -> list[ScheduledTrial]:
    """Every way that a kernel goes through X, and every operation: each dtype, with the optimizers in turn."""
    schedule = []
    for shift, dtype in enumerate(row.dtypes):
        pairs = _pairs(row, dtype, seed)
        for k, shape in enumerate(scenes.SANITIZED):
            schedule.append(pairs[(k + shift) % len(pairs)].trial(STEPS_TRIAL, "ordinary data", shape))
        schedule += pairs[-1 - shift % len(pairs)].states("ordinary data", (37, 5))
    return schedule
