"""What the user asked for, and the plan it comes to: which rows, which cases, how often, and what is left out."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stepbench.cases.case import COLD, WARM, Case
from stepbench.cases.datasets import file_of
from stepbench.cases.presets import PRESETS, Group, Preset, cases_of
from stepbench.machine.environment import refuse_variables
from stepbench.machine.threads import default_budget
from stepbench.run.estimate import require_memory
from stepbench.run.participants import STORED_FOR, participants_of
from stepbench.run.plan import Plan, Skip, absent_rows, unsupported_cases
from stepbench.run.provenance import Source, fingerprint, kernel_source
from stepkernels.catalog import CATALOG
from stepkernels.interface import Implementation, Op
from stepkernels.problem import ProblemError
from stepkernels.problem.storage import require_storage

MOST_SECONDS = {"--timeout": 86_400.0, "--max-time": 31_622_400.0}  # a day to answer in, a year for all
MOST_SEED = 2**63 - 1
WITH_RANKS = ("standard", "full")  # the presets that rows with ranks take part in; stepbench scale is about them
WRONG = "disagreement"  # the kind of failure of a row that computes something else


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user asked for; None means the preset's own.

    named        whether the rows are those asked for by name, and not all there are
    required     the rows that have to be timed
    by_name      of those that take part, the ones asked for by their own names
    wrong        the rows found wrong already, each with the reason
    storages     narrower than float32, that rows keep X in besides; cases are then of float32, if nothing else is said
    """

    preset: Preset
    rows: Sequence[Implementation]
    named: bool
    required: Sequence[str] = ()
    by_name: Sequence[str] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)
    sizes: Sequence[str] | None = None
    ops: Sequence[Op] | None = None
    dtypes: Sequence[str] | None = None
    optimizers: Sequence[str] | None = None
    storages: Sequence[str] | None = None
    threads: Sequence[int] | None = None
    cold: bool = False
    seed: int = 0
    max_seconds: float | None = None
    timeout_seconds: float = 300.0


def plan_run(choices: Choices) -> Plan:
    """Settle what will run. Raises `ProblemError` for what cannot."""
    refuse_variables(os.environ)
    require_values(choices)
    preset, budgets = choices.preset, choices.threads or [default_budget()]
    require_threads(budgets)
    right = [row for row in choices.rows if row.name not in choices.wrong]
    wrong = [Skip(row=name, kind=WRONG, reason=reason, fault=True) for name, reason in choices.wrong.items()]
    taking_part, left_out = rows_of_preset(preset, right, named=choices.named)
    cases = cases_of(chosen_groups(choices), budgets, caches=(WARM, COLD) if choices.cold else (WARM,))
    absent = absent_rows(taking_part)
    present = [row for row in taking_part if row.name not in absent]
    storages = tuple(dict.fromkeys(choices.storages or preset.storages))
    for storage in storages:
        require_kept(storage, cases, taking_part, choices.by_name)
    plan = Plan(
        preset=preset.name,
        cases=tuple(cases),
        participants=tuple(participants_of(present, storages=storages)),
        skips=(*wrong, *left_out, *absent.values(), *unsupported_cases(present, cases)),
        generations=preset.generations,
        budget_seconds=preset.budget_seconds,
        turns=preset.turns,
        seed=choices.seed,
        timeout_seconds=choices.timeout_seconds,
        max_seconds=choices.max_seconds,
        named=tuple(choices.by_name),
        required=tuple(choices.required),
        kernels=tuple(kernel_source(row) for row in right if row.module.endswith(".py")),
        data=data_sources(cases),
    )
    require_memory(plan)
    return plan


def require_values(choices: Choices) -> None:
    """Raise `ProblemError` for what is no value of an option, whatever it is to be used for."""
    require_seconds(choices.timeout_seconds, choices.max_seconds)
    if not 0 <= choices.seed <= MOST_SEED:
        raise ProblemError(f"{choices.seed} is no seed; --seed takes a whole number from 0 to {MOST_SEED}.")
    for option in ("rows", "sizes", "ops", "dtypes", "optimizers", "storages", "threads"):
        if getattr(choices, option) is not None and not getattr(choices, option):
            raise ProblemError(f"Of the {option} asked for there is none; name one, or leave the option out.")


def require_seconds(timeout: float | None, most: float | None) -> None:
    """Raise `ProblemError` for a time that is none; None was not given."""
    for option, seconds in (("--timeout", timeout), ("--max-time", most)):
        limit = MOST_SECONDS[option]
        if seconds is not None and not (math.isfinite(seconds) and 0 < seconds <= limit):
            raise ProblemError(
                f"{option} is no time to wait: it must be more than 0, and at most {limit:,.0f} seconds."
            )


def data_sources(cases: Sequence[Case]) -> tuple[Source, ...]:
    """The files among the data of the cases."""
    files = {name: found for name in dict.fromkeys(case.dataset for case in cases) if (found := file_of(name))}
    return tuple(
        Source(name=name, file=str(path.resolve()), sha256=fingerprint(path), target=target, reading=reading)
        for name, (path, target, reading) in files.items()
    )


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
            dtypes=choices.dtypes or ([STORED_FOR] if choices.storages else group.dtypes),
            optimizers=choices.optimizers or group.optimizers,
            train_steps=group.train_steps,
        )
        for group in groups
    ]


def require_kept(storage: str, cases: Sequence[Case], rows: Sequence[Implementation], by_name: Sequence[str]) -> None:
    """Raise `ProblemError` for a storage that is none, or that no row keeps which was asked for."""
    require_storage(storage, STORED_FOR)
    if not any(case.dtype == STORED_FOR for case in cases):
        raise ProblemError(f"An X in {storage} is computed with in {STORED_FOR}; add it to --dtypes.")
    keeping = [row.name for row in CATALOG.values() if storage in row.storages]
    if not any(storage in row.storages for row in rows if not by_name or row.name in by_name):
        raise ProblemError(f"None of the rows asked for keeps X in {storage}. Rows that do: {', '.join(keeping)}.")


def rows_of_preset(
    preset: Preset, rows: Sequence[Implementation], *, named: bool
) -> tuple[list[Implementation], list[Skip]]:
    """Rows that a preset leaves out sit out of it, unless they were asked for by name."""
    reasons = {row.name: None if named else _left_out_of(preset, row) for row in rows}
    skips = [Skip(row=name, kind="preset", reason=reason) for name, reason in reasons.items() if reason]
    return [row for row in rows if not reasons[row.name]], skips


def _left_out_of(preset: Preset, row: Implementation) -> str | None:
    """Why the row is not in the preset, or None."""
    if preset.device not in (None, row.device):
        return f"not on {preset.device}, whose rows --preset {preset.name} is for. Name it with --rows"
    if preset.storages and not row.storages:
        return f"keeps X as it is, which --preset {preset.name} is not about. Name it with --rows"
    if row.has_ranks and preset.name not in WITH_RANKS:
        told = f"starts processes of its own; not in --preset {preset.name}"
        return f"{told}. Name it with --rows, or see stepbench scale"
    if row.compiles_per_shape and not preset.slow_to_compile:
        return f"compiles anew for each shape; not in --preset {preset.name}. Name it with --rows, or use --preset full"
    return None


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
