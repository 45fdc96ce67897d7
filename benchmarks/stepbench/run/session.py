"""A run from the command line's point of view: a folder, a plan, the timing, the records, the report."""

from __future__ import annotations

import datetime
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepbench.cases.case import COLD, WARM
from stepbench.cases.presets import PRESETS, Group, Preset, cases_of
from stepbench.machine.description import describe_commit, describe_machine
from stepbench.machine.measured import measured_limits
from stepbench.machine.simulators import refuse_simulators
from stepbench.machine.threads import default_budget
from stepbench.run.attempts import finished_pairs
from stepbench.run.journal import Journal
from stepbench.run.plan import Plan, Skip, make_plan, require_memory
from stepbench.run.progress import TerminalProgress
from stepbench.run.results import write_results
from stepbench.run.runner import Runner
from stepkernels.interface import Implementation, Op
from stepkernels.problem import ProblemError
from stepreports.records.files import RecordError
from stepreports.records.journal import NAME as JOURNAL_NAME
from stepreports.records.journal import SCHEMA, read_events

ProgressFactory = Callable[[int], AbstractContextManager[TerminalProgress]]


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
    rows, skips = rows_of_preset(preset, choices.rows, named=choices.named)
    plan = make_plan(
        rows,
        cases_of(chosen_groups(choices), budgets, caches=(WARM, COLD) if choices.cold else (WARM,)),
        preset=preset.name,
        generations=preset.generations,
        turns=preset.turns,
        seed=choices.seed,
        timeout_seconds=choices.timeout_seconds,
        max_seconds=choices.max_seconds,
        skips=skips,
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


def create_folder(out: Path | None) -> Path:
    """The folder of a new run. Raises `ProblemError` when it is taken or cannot be written."""
    folder = out or default_folder()
    if (folder / JOURNAL_NAME).exists():
        raise ProblemError(
            f"{folder} already holds a run. Continue it with --resume {folder}, or choose another --out."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ProblemError(
            f"{folder} cannot be written ({error.strerror}). Choose another folder with --out."
        ) from None
    return folder


def default_folder() -> Path:
    """reports/runs/… in a checkout, ./stepbench-runs/… elsewhere."""
    in_checkout = Path("reports/stepreports").is_dir() and Path("noxfile.py").is_file()
    runs = Path("reports/runs" if in_checkout else "stepbench-runs")
    moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    return runs / f"{moment}-{secrets.token_hex(2)}"


def start(plan: Plan, folder: Path, progress: ProgressFactory) -> None:
    """Time a new plan into `folder`. What was measured is kept whatever ends it."""
    _carry_out(plan, folder, progress, frozenset(), "run", _header(plan, folder))


def resume(folder: Path, progress: ProgressFactory) -> Plan:
    """Finish an interrupted run from its journal, redoing what is missing or failed. Raises `RecordError`."""
    refuse_simulators(dict(os.environ))
    events = read_events(folder)
    plan = Plan.from_json(events[0]["plan"])
    begun_on = events[0]["machine"]["cpu"]
    if begun_on != describe_machine()["cpu"]:
        raise RecordError(f"{folder} was begun on another machine ({begun_on}); resume it there.")
    _carry_out(plan, folder, progress, finished_pairs(events), "resumed", {})
    return plan


def _carry_out(
    plan: Plan,
    folder: Path,
    progress: ProgressFactory,
    done: frozenset[tuple[int, str]],
    event: str,
    fields: dict[str, Any],
) -> None:
    """Time what is not done, after noting the event; then turn whatever the journal holds into records."""
    try:
        with Journal(folder) as journal, progress(plan.generations * len(plan.cases) - len(done)) as bar:
            journal.write(event, **fields)
            Runner(plan, folder, journal, bar).run(done)
    finally:
        write_results(folder, read_events(folder))
        shutil.rmtree(folder / "caches", ignore_errors=True)


def _header(plan: Plan, folder: Path) -> dict[str, Any]:
    largest = max(case.data_bytes for case in plan.cases)
    return {
        "schema": SCHEMA,
        "run_id": folder.resolve().name,
        "datetime": datetime.datetime.now(datetime.UTC).isoformat(),
        "machine": {**describe_machine(), "limits": measured_limits(max(plan.budgets), largest)},
        "commit": describe_commit(Path(__file__).parent),
        "plan": plan.to_json(),
    }


def preset_named(name: str) -> Preset:
    """Raises `ProblemError` for an unknown preset."""
    if name not in PRESETS:
        raise ProblemError(f"There is no preset called {name!r}. Presets: {', '.join(PRESETS)}.")
    return PRESETS[name]
