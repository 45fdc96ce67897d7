"""run: check, time and report rows on cases, in turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepbench.commands.choice_of_rows import asked_by_name, kernels_of_files, required_rows, rows_to_time
from stepbench.commands.options import (
    DATA_FILES,
    CountedFromZero,
    Dtypes,
    Header,
    KeepIndex,
    KernelFiles,
    Ops,
    Optimizers,
    Require,
    Rows,
    Sizes,
    Storages,
    Target,
    Threads,
    ZeroBased,
    chosen_cases,
    reading_of,
)
from stepbench.commands.places import folder_given, require_writable
from stepbench.commands.planted_check import disagreeing
from stepbench.commands.run_told import render, tell_marks, tell_plan, write_asked
from stepbench.commands.terminal import (
    errors,
    options_of,
    progress_bar,
    say,
    sentences,
    split_list,
)
from stepbench.commands.tune import tune_what_is_not, untuned_sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stepbench.run.choices import Choices
    from stepbench.run.plan import Plan

FAILED = 1
WITH_RESUME = ("resume", "anyway", "kernel", "data", "max_time", "timeout", "open_report", "json_path", "markdown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be asked of a run."""

    preset: Annotated[
        str,
        typer.Option(help="quick, standard, full; marks, marks-cuda, marks-narrow (what the fused rows are held to)."),
    ] = "quick"
    rows: Rows = None
    sizes: Sizes = None
    data: Annotated[
        str | None, typer.Option(help=f"Real data, comma-separated: breast-cancer, digits-parity, or {DATA_FILES}.")
    ] = None
    target: Target = None
    header: Header = None
    keep_index: KeepIndex = None
    zero_based: ZeroBased = CountedFromZero.AUTO
    ops: Ops = None
    dtypes: Dtypes = None
    optimizer: Optimizers = None
    storage: Storages = None
    threads: Threads = None
    cold: Annotated[bool, typer.Option("--cold", help="Time each case also with its data out of every cache.")] = False
    max_time: Annotated[
        float | None, typer.Option(help="Minutes after which nothing further is begun; --resume goes on.")
    ] = None
    timeout: Annotated[
        float | None, typer.Option(help="Seconds a row may take to answer before it is ended. Default: 300.")
    ] = None
    seed: Annotated[int, typer.Option(help="Seed of the data and of the order of turns.")] = 0
    kernel: KernelFiles = None
    require: Require = ""
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the cases, memory and time it would take.")] = False
    resume: Annotated[str | None, typer.Option(help="Finish this interrupted run.")] = None
    anyway: Annotated[
        bool, typer.Option("--anyway", help="With --resume: also where versions or the code are others by now.")
    ] = False
    out: Annotated[str | None, typer.Option(help="The run's folder. Default: a new one under reports/runs.")] = None
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the ranking here, as JSON.")
    ] = None
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append the ranking to this file, as tables in Markdown.")
    ] = None
    open_report: Annotated[bool, typer.Option("--open", help="Open the report when done.")] = False


@options_of(Options)
@sentences
def run(asked: Options) -> None:
    """Check, time, report: every row on every case, in turns, into a folder with a report.

    No timing without agreement: a row whose numbers are wrong is recorded as wrong, never timed.
    Exit status 0: everything ran. 1: a row failed, or a required one was missing. 2: bad usage.
    """
    from stepbench.run.session import RunEndedError

    for path in filter(None, (asked.json_path, asked.markdown)):
        require_writable(path)
    try:
        (_resume if asked.resume is not None else _start)(asked)
    except RunEndedError as error:
        say(str(error), style="red", on=errors)
        raise typer.Exit(FAILED) from None


def _start(asked: Options) -> None:
    """Plan a new run, carry it out and tell of it."""
    from stepbench.cases.datasets import notes_on, register_files
    from stepbench.run import session
    from stepbench.run.choices import plan_run
    from stepbench.run.outcome import cannot_be_met
    from stepbench.run.run_folder import new_folder
    from stepkernels.problem import ProblemError

    if asked.anyway:
        raise ProblemError("--anyway belongs to --resume, and there is none.")
    datasets = register_files(split_list(asked.data), asked.target, reading_of(asked))
    for note in notes_on(datasets):
        say(note)
    choices = _choices(asked, datasets)
    plan = plan_run(choices)
    if asked.dry_run:
        tell_plan(plan)
        for reason in (unmet := cannot_be_met(plan)):
            say(reason.replace(" did not run", " cannot run"), style="red", on=errors)
        raise typer.Exit(FAILED if unmet else 0)
    folder = new_folder(folder_given("--out", asked.out))
    if wrong := disagreeing([row for row in choices.rows if row.module.endswith(".py")], asked.seed):
        plan = plan_run(replace(choices, wrong=wrong))
        _require_a_reason_to_go_on(asked, choices, wrong)
    if plan.is_worth_tuning:
        tune_what_is_not([each.row for each in plan.participants])
    with _stopped_softly(folder, plan):
        session.start(plan, folder, progress_bar)
    _finish(folder, plan, asked)


def _require_a_reason_to_go_on(asked: Options, choices: Choices, wrong: Mapping[str, str]) -> None:
    """End a run whose kernels are all wrong, and in which the other rows were to stand beside them."""
    others = [row for row in choices.rows if row.name not in wrong]
    if others and (asked.rows is not None or any(row.module.endswith(".py") for row in others)):
        return
    for name, reason in wrong.items():
        say(f"{name}: {reason}", style="red", on=errors)
    say("Nothing was timed. `stepbench check --kernel FILE.py` says all that is wrong.", style="red", on=errors)
    raise typer.Exit(FAILED)


def _resume(asked: Options) -> None:
    """Finish an interrupted run and tell of it. Raises `ProblemError` for what its plan has settled."""
    from stepbench.run import session
    from stepbench.run.resuming import Again
    from stepkernels.problem import ProblemError

    folder = folder_given("--resume", asked.resume) or Path()
    without = Options()
    settled = [each.name for each in fields(Options) if each.name not in (*WITH_RESUME, "require")]
    if changed := [name for name in settled if getattr(asked, name) != getattr(without, name)]:
        raise ProblemError(f"--resume goes on with the run's own plan; leave out {', '.join(map(_option, changed))}.")
    again = Again(
        anyway=asked.anyway,
        kernels=kernels_of_files(asked.kernel or []),
        data=[Path(source) for source in split_list(asked.data)],
        timeout_seconds=asked.timeout,
        max_seconds=_seconds(asked.max_time),
    )
    with _stopped_softly(folder, None):
        plan = session.resume(folder, progress_bar, again)
    required = required_rows(asked.require, [each.row for each in plan.participants])
    _finish(folder, replace(plan, required=tuple(dict.fromkeys((*plan.required, *required)))), asked)


@contextmanager
def _stopped_softly(folder: Path, plan: Plan | None) -> Iterator[None]:
    """When it is stopped from outside, say what to do and show what there is."""
    from stepbench.run.stopping import Stopped, listen

    try:
        yield
    except Stopped as stopped:
        listen()
        if not (folder / "benchmark.json").exists():
            raise
        say(f"Stopped. What was measured is kept; go on with: {resume_command(folder, plan)}", on=errors, whole=True)
        render(folder)
        raise typer.Exit(stopped.exit_status) from None


def resume_command(folder: Path, plan: Plan | None) -> str:
    """What to type to finish a run, kernel files included: nothing is executed that is not named."""
    kernels = [f" --kernel {source.file}" for source in plan.kernels] if plan else []
    return f"stepbench run --resume {folder}{''.join(kernels)}"


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else 60.0 * minutes


def _choices(asked: Options, datasets: list[str]) -> Choices:
    """What was asked, validated. Raises `ProblemError`, or Typer's `BadParameter`."""
    from stepbench.run.choices import Choices, preset_named
    from stepreports.telling.text import listed

    chosen = rows_to_time(asked.rows, asked.kernel or [])
    if asked.kernel and asked.rows is None:
        beside = [row.name for row in chosen if not row.module.endswith(".py")]
        say(f"Beside your kernel: {listed(beside)}, the matrix form and the fastest fused row. --rows names others.")
    patience: dict[str, Any] = {} if asked.timeout is None else {"timeout_seconds": asked.timeout}
    sizes = None if asked.sizes is None and asked.data is None else [*split_list(asked.sizes), *datasets]
    return Choices(
        preset=preset_named(asked.preset),
        rows=chosen,
        named=asked.rows is not None or bool(asked.kernel),
        required=required_rows(asked.require, chosen),
        by_name=asked_by_name(asked.rows, asked.require, chosen),
        sizes=sizes,
        **chosen_cases(asked),
        storages=split_list(asked.storage) if asked.storage is not None else None,
        cold=asked.cold,
        seed=asked.seed,
        max_seconds=_seconds(asked.max_time),
        **patience,
    )


def _finish(folder: Path, plan: Plan, asked: Options) -> None:
    """Render, print the answer, and end with the exit status the records deserve."""
    from stepbench.run.outcome import exit_status, left_out

    status, reasons = exit_status(folder, plan)
    page = render(folder)
    tell_marks(folder, plan)
    for hint in untuned_sentences([each.row for each in plan.participants]) if plan.goes_by_what_is_tuned else []:
        say(hint)
    if sentence := left_out(folder, resume_command(folder, plan)):
        say(sentence, style="yellow")
    write_asked(folder, asked.json_path, asked.markdown)
    for reason in reasons:
        say(reason, style="red", on=errors)
    if asked.open_report:
        typer.launch(str(page))
    raise typer.Exit(status)
