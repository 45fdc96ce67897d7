"""Which trials a row goes through, on which scenes: the plan of `check`, and that of the fuzzer.

A plan is made before the row is loaded, from its catalogue entry and a seed; planned trials are made one at a time,
since their data is. The quick and telling ones come first.
"""

from __future__ import annotations

import math
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stepbench.checking import scenes
from stepbench.checking.bound_row import Rejected
from stepbench.checking.draws import draw_config
from stepbench.checking.scenes import Random, Scene
from stepbench.checking.tally import Tally
from stepbench.checking.trials import (
    LONG_RUN,
    MARGINS,
    ONE_STEP,
    REPETITION,
    STATEFUL,
    STEPS_TRIAL,
    Setup,
    Trial,
)
from stepbench.checking.verdicts import Disagreement
from stepkernels import Config, Implementation, Op, Problem, interface

_OURS = (str(Path(__file__).parent), interface.__file__)


class Planned(NamedTuple):
    """A trial to come: its scene, dtype and optimizer, and the random numbers it will draw."""

    trial: Trial
    kind: str
    shape: tuple[int, int]
    dtype: str
    optimizer: str
    seed: tuple[int, ...]

    def __str__(self) -> str:
        m, n = self.shape
        return f"{self.trial.name}; {self.kind}, {m} × {n}, {self.dtype}, {self.optimizer}"

    def run(self, row: Implementation, tally: Tally) -> Disagreement | None:
        """Examine the row; what it raises is a disagreement too."""
        random = np.random.default_rng(self.seed)
        scene = scenes.scene(self.kind, *self.shape, self.dtype, random)
        config, other = self._configs(row, scene, random)
        setup = Setup(row, scene, config, other, random, tally)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.trial.run(setup)
                for bound_row in setup.bound_rows:
                    bound_row.finish()
        except Rejected as rejected:
            return self._disagreement(scene, rejected.field, rejected.error, str(rejected))
        except Exception as error:
            return self._disagreement(scene, "", math.inf, described(error, row))
        return None

    def _configs(self, row: Implementation, scene: Scene, random: Random) -> tuple[Config, Config]:
        """Two configurations of this trial's own; or the check's own, for a row that would compile others anew."""
        problem: Problem | None = scene.problem
        if row.compiles_per_shape:
            random, problem = np.random.default_rng([self.seed[0], *f"{self.dtype}{self.optimizer}".encode()]), None
        first, second = (draw_config(random, problem, self.dtype, self.optimizer) for _ in range(2))
        return first, second

    def _disagreement(self, scene: Scene, field: str, error: float, sentence: str) -> Disagreement:
        data = f"{scene}, {self.dtype}, {self.optimizer}"
        return Disagreement(trial=self.trial.name, data=data, field=field, error=error, sentence=sentence)


def described(error: BaseException, row: Implementation) -> str:
    """An exception with the line that raised it: in the row's own file, or else outside of the judge."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_OURS)]
    source = row.module if row.module.endswith(".py") else row.module.replace(".", "/") + ".py"
    frames = [f for f in frames if f.filename.endswith(source)] or frames
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def check_plan(row: Implementation, seed: int) -> list[Planned]:
    """Everything `check` does to a row."""
    if row.compiles_per_shape:
        return compiling_plan(row, seed)
    makers = [_Maker(row, dtype, optimizer, seed) for dtype in row.dtypes for optimizer in row.optimizers]
    plan = [planned for maker in makers for planned in maker.basics()]
    for maker in makers:
        plan += maker.sweep()
    return plan


def fuzz_plan(row: Implementation, seed: int, problems: int, *, simulated: bool = False) -> list[Planned]:
    """So many problems of random kind, size, dtype and optimizer, each stepped from two places."""
    shapes = scenes.TINY if simulated else scenes.FEW if row.compiles_per_shape else None
    random = np.random.default_rng([seed, problems])
    plan = []
    for k in range(problems):
        dtype, optimizer = str(random.choice(row.dtypes)), str(random.choice(row.optimizers))
        shape = shapes[random.integers(len(shapes))] if shapes else _random_shape(random)
        kind = str(random.choice(list(scenes.KINDS)))
        plan.append(Planned(STEPS_TRIAL, kind, shape, dtype, optimizer, (seed, k)))
    return plan


def _random_shape(random: Random) -> tuple[int, int]:
    m, n = (int(2.0 ** random.uniform(0.0, 11.5)) for _ in range(2))
    return (m, n) if m * n <= 2**15 else (m, max(1, 2**15 // m))


@dataclass(frozen=True)
class _Maker:
    """The trials of a row in one dtype with one optimizer."""

    row: Implementation
    dtype: str
    optimizer: str
    seed: int

    def basics(self) -> Iterator[Planned]:
        yield self.planned(STEPS_TRIAL, "ordinary data", (33, 7))
        yield self.planned(STEPS_TRIAL, "planted rows", (257, 33))
        yield self.planned(MARGINS, "ordinary data", (1, 1))
        yield from self.states("ordinary data", (33, 7))
        yield from self.states("planted rows", (257, 33))
        yield self.planned(LONG_RUN, "ordinary data", (257, 33))

    def states(self, kind: str, shape: tuple[int, int]) -> Iterator[Planned]:
        """What a row is put through besides steps."""
        return (self.planned(trial, kind, shape) for trial in STATEFUL if trial.needs <= {*self.row.ops, Op.STEP})

    def sweep(self) -> Iterator[Planned]:
        """Every kind of data, around every edge; the optimizers share the edges, since they share the gradient."""
        random = np.random.default_rng([self.seed, *self.dtype.encode()])
        kinds = random.permutation(list(scenes.KINDS)).tolist()
        for k, shape in enumerate([*scenes.SQUARE, *scenes.edge_sizes(random)[self.share]]):
            yield self.planned(STEPS_TRIAL, kinds[k % len(kinds)], shape)
        repeated, *large = scenes.LARGE
        yield self.planned(REPETITION, "ordinary data", repeated if self.affords(24, repeated) else (257, 33))
        for shape in large if self.optimizer == self.row.optimizers[0] else ():
            if self.affords(4, shape):
                yield self.planned(ONE_STEP, "planted rows", shape)

    def affords(self, passes: int, shape: tuple[int, int]) -> bool:
        """Whether so much is not too much work: a slow row is spared the largest."""
        return passes * math.prod(shape) <= (self.row.max_work or math.inf)

    @property
    def share(self) -> slice:
        """What falls to this optimizer of what they do between them, since they share the gradient."""
        return slice(self.row.optimizers.index(self.optimizer), None, len(self.row.optimizers))

    def planned(self, trial: Trial, kind: str, shape: tuple[int, int]) -> Planned:
        label = f"{trial.name}{kind}{shape}{self.dtype}{self.optimizer}"
        return Planned(trial, kind, shape, self.dtype, self.optimizer, (self.seed, *label.encode()))


def compiling_plan(row: Implementation, seed: int) -> list[Planned]:
    """For a row that compiles, seconds at a time, for every shape and setting: as few of them as show everything.

    Each dtype with each optimizer is examined on planted rows, in a long run, and on its share of the kinds of data.
    The states, and the margins with a repetition on large data, are visited by as many of these pairs as leave out no
    dtype and no optimizer: where there are two of each, by the two pairs on a diagonal.
    """
    plan, sweep = [], []
    turns = min(len(row.dtypes), len(row.optimizers))
    single, small, middle = scenes.FEW
    for d, dtype in enumerate(row.dtypes):
        kinds = np.random.default_rng([seed, *dtype.encode()]).permutation(list(scenes.KINDS)).tolist()
        for o, optimizer in enumerate(row.optimizers):
            maker, shapes = _Maker(row, dtype, optimizer, seed), [middle]
            plan.append(maker.planned(STEPS_TRIAL, "planted rows", middle))
            if (d - o) % turns == 0:
                plan += [maker.planned(STEPS_TRIAL, "ordinary data", small), *maker.states("ordinary data", small)]
                shapes.append(small)
            if (d - o) % turns == turns - 1:
                large = scenes.LONG_AND_WIDE[d % 2]
                plan.append(maker.planned(MARGINS, "ordinary data", single))
                plan.append(maker.planned(REPETITION, "ordinary data", large if maker.affords(24, large) else middle))
            plan.append(maker.planned(LONG_RUN, "ordinary data", middle))
            for k, kind in enumerate(kinds[maker.share]):
                sweep.append(maker.planned(STEPS_TRIAL, kind, shapes[k % len(shapes)]))
    return plan + sweep


def simulated_plan(row: Implementation, seed: int) -> list[Planned]:
    """Little, for a simulator that takes milliseconds an element: every kind of data in each dtype, then the states."""
    plan = []
    for shift, dtype in enumerate(row.dtypes):
        makers = [_Maker(row, dtype, optimizer, seed) for optimizer in row.optimizers]
        for k, kind in enumerate(scenes.KINDS):
            shape = scenes.TINY[(k + shift) % len(scenes.TINY)]
            plan.append(makers[k % len(makers)].planned(STEPS_TRIAL, kind, shape))
        plan += makers[-1 - shift % len(makers)].states("ordinary data", (7, 3))
    return plan


def sanitized_plan(row: Implementation, seed: int) -> list[Planned]:
    """Every way that a kernel goes through X, and every operation: each dtype, with the optimizers in turn."""
    plan = []
    for shift, dtype in enumerate(row.dtypes):
        makers = [_Maker(row, dtype, optimizer, seed) for optimizer in row.optimizers]
        for k, shape in enumerate(scenes.SANITIZED):
            plan.append(makers[(k + shift) % len(makers)].planned(STEPS_TRIAL, "ordinary data", shape))
        plan += makers[-1 - shift % len(makers)].states("ordinary data", (37, 5))
    return plan
