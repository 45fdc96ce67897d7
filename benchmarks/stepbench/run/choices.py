"""What the user asked for, and the plan it comes to: which rows, which cases, how often, and what is left out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from stepbench.cases.case import COLD, WARM
from stepbench.cases.presets import PRESETS, Group, Preset, cases_of
from stepbench.machine.simulators import refuse_simulators
from stepbench.machine.threads import default_budget
from stepbench.run.estimate import require_memory
from stepbench.run.participants import participants_of
from stepbench.run.plan import Plan, Skip, absent_rows, unsupported_cases
from stepkernels.interface import Implementation, Op
from stepkernels.problem import ProblemError


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user asked for; None means the preset's own."""

    preset: Preset
    rows: Sequence[Implementation]
    named: bool
    sizes: Sequence[str] | None = None
    ops: Sequence[Op] | None = None
    dtypes: Sequence[str] | None = None
    optimizers: Sequence[str] | None = None
    threads: Sequence[int] | None = None
    cold: bool = False
    seed: int = 0
    max_seconds: float | None = None
    timeout_seconds: float = 300.0


def plan_run(choices: Choices) -> Plan:
    """Settle what will run. Raises `ProblemError` for what cannot."""
    refuse_simulators(dict(os.environ))
    preset, budgets = choices.preset, choices.threads or [default_budget()]
    require_threads(budgets)
    taking_part, left_out = rows_of_preset(preset, choices.rows, named=choices.named)
    cases = cases_of(chosen_groups(choices), budgets, caches=(WARM, COLD) if choices.cold else (WARM,))
    absent = absent_rows(taking_part)
    present = [row for row in taking_part if row.name not in absent]
    plan = Plan(
        preset=preset.name,
        cases=tuple(cases),
        participants=tuple(participants_of(present)),
        skips=(*left_out, *absent.values(), *unsupported_cases(present, cases)),
        generations=preset.generations,
        turns=preset.turns,
        seed=choices.seed,
        timeout_seconds=choices.timeout_seconds,
        max_seconds=choices.max_seconds,
    )
    require_memory(plan)
    return plan


def chosen_groups(choices: Choices) -> Sequence[Group]:
    """The preset's groups; one group of the user's making as soon as sizes or operations are given."""
    groups = choices.preset.groups
    if choices.sizes is not None or choices.ops is not None:
        first = groups[0]
        groups = [Group(ops=choices.ops or [Op.STEP], sizes=choices.sizes or first.sizes, dtypes=first.dtypes)]
    return [
        Group(
            ops=group.ops,
            sizes=group.sizes,
            dtypes=choices.dtypes or group.dtypes,
            optimizers=choices.optimizers or group.optimizers,
            train_steps=group.train_steps,
        )
        for group in groups
    ]


def rows_of_preset(
    preset: Preset, rows: Sequence[Implementation], *, named: bool
) -> tuple[list[Implementation], list[Skip]]:
    """Rows that compile for each shape sit out of the short presets, unless they were asked for by name."""
    if named or preset.slow_to_compile:
        return list(rows), []
    taking_part = [row for row in rows if not row.compiles_per_shape]
    reason = f"compiles anew for each shape; not in --preset {preset.name}. Name it with --rows, or use --preset full"
    skips = [Skip(row=row.name, kind="preset", reason=reason) for row in rows if row.compiles_per_shape]
    return taking_part, skips


def require_threads(budgets: Sequence[int]) -> None:
    """Raise `ProblemError` for a budget this machine cannot give."""
    most = default_budget()
    for budget in budgets:
        if not 1 <= budget <= most:
            raise ProblemError(f"{budget} threads cannot be given: this process may use 1 to {most}.")


def preset_named(name: str) -> Preset:
    """Raises `ProblemError` for an unknown preset."""
    if name not in PRESETS:
        raise ProblemError(f"There is no preset called {name!r}. Presets: {', '.join(PRESETS)}.")
    return PRESETS[name]
