"""How much to measure: the presets, each some groups of cases, and the cases that groups come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stepbench.cases.case import WARM, Case
from stepbench.cases.parsing import parse_size
from stepkernels.interface import Op
from stepkernels.problem import DTYPES, GD, STORAGES, Adam

TRAIN_STEPS = 2_000
TRAIN_STEPS_ON_GPU = 100  # where a step that is many launches takes milliseconds


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
    """How much to measure.

    generations     of fresh processes, for every case; where there is a budget, the fewest
    budget_seconds  in which a case may have more of them, until its intervals are narrow
    """

    name: str
    generations: int
    turns: int
    groups: Sequence[Group]
    slow_to_compile: bool = False  # whether rows that compile for seconds per shape take part
    device: str | None = None  # whose rows alone take part
    storages: Sequence[str] = ()  # narrower than float32; the rows that can keep X in one alone take part
    budget_seconds: float | None = None


BREAST_CANCER = "breast-cancer"
PASSES = (Op.FORWARD, Op.BACKWARD, Op.GRADIENT)  # over X
PHASES = (*PASSES, Op.UPDATE)

# Of a generation, where there are several: a process tells little more in its fortieth turn than in its twelfth, and
# what processes differ by among themselves is told by another process alone.
TURNS = 12

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="quick",
            generations=1,
            turns=40,
            groups=[Group(ops=[Op.STEP], sizes=[BREAST_CANCER, "20000x50", "100000x100"])],
        ),
        Preset(
            name="standard",
            generations=3,
            turns=TURNS,
            budget_seconds=6 * 60.0,
            groups=[
                Group(
                    ops=[Op.STEP],
                    sizes=[BREAST_CANCER, "1000x20", "20000x50", "100000x100", "1000000x20"],
                    dtypes=DTYPES,
                ),
                Group(ops=PASSES, sizes=["20000x50"]),
                Group(ops=[Op.UPDATE], sizes=["100x50"]),  # which costs the same, however many rows X has
                Group(ops=[Op.TRAIN], sizes=[BREAST_CANCER], train_steps=200),  # the slow rows take 0.1 ms a step
            ],
        ),
        Preset(
            name="full",
            generations=4,
            turns=TURNS,
            budget_seconds=3 * 3600.0,
            slow_to_compile=True,
            groups=[
                Group(
                    ops=[Op.STEP],
                    sizes=[
                        BREAST_CANCER, "100x30", "1000x20", "20000x50", "100000x100", "1000000x20",
                        "100000x1000", "1000000x100", "4000000x100",
                    ],
                    dtypes=DTYPES,
                ),
                Group(ops=[Op.STEP], sizes=[BREAST_CANCER, "100000x100"], dtypes=DTYPES, optimizers=[Adam.name]),
                Group(ops=PASSES, sizes=["1000x20", "100000x100", "1000000x20"], dtypes=DTYPES),
                Group(ops=[Op.UPDATE], sizes=["100x20", "100x100"], dtypes=DTYPES),
                Group(ops=[Op.TRAIN], sizes=[BREAST_CANCER], dtypes=DTYPES, optimizers=[GD.name, Adam.name]),
            ],
        ),
        Preset(
            name="marks",
            generations=3,
            turns=TURNS,
            budget_seconds=30 * 60.0,
            slow_to_compile=True,
            groups=[
                Group(ops=[Op.STEP], sizes=[BREAST_CANCER]),
                Group(
                    ops=[Op.STEP],
                    sizes=["20000x50", "100000x100", "1000000x20", "100000x1000", "1000000x100"],
                    dtypes=DTYPES,
                ),
                Group(ops=[Op.STEP, Op.TRAIN], sizes=["1000x20"]),
                Group(ops=[Op.TRAIN], sizes=[BREAST_CANCER], optimizers=[GD.name, Adam.name]),
            ],
        ),
        Preset(
            name="marks-narrow",
            generations=3,
            turns=TURNS,
            budget_seconds=10 * 60.0,
            storages=STORAGES,
            groups=[
                Group(
                    ops=[Op.STEP],
                    sizes=[BREAST_CANCER, "20000x50", "1000000x20", "1000000x100"],
                    dtypes=["float32"],
                )
            ],
        ),
        Preset(
            name="marks-cuda",
            generations=1,
            turns=40,
            slow_to_compile=True,
            device="cuda",
            groups=[
                Group(ops=[Op.STEP], sizes=["4000000x100"], dtypes=DTYPES),
                Group(ops=[Op.TRAIN], sizes=[BREAST_CANCER], train_steps=TRAIN_STEPS_ON_GPU),
            ],
        ),
    )
}  # fmt: skip


def cases_of(groups: Iterable[Group], threads: Sequence[int], *, caches: Sequence[str] = (WARM,)) -> list[Case]:
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
