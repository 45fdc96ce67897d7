"""What `run` tells: before it what it would do, after it who was the fastest where, and in which files it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stepbench.commands.terminal import console, say, screen_columns

if TYPE_CHECKING:
    from stepbench.run.plan import Plan


def tell_plan(plan: Plan) -> None:
    """Print what a run would do, before it does it."""
    from rich.table import Table
    from rich.text import Text

    from stepbench.run.estimate import memory_bytes, run_seconds
    from stepbench.run.participants import Role
    from stepreports.telling.text import counted, duration

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("case", "rows", "memory"):
        table.add_column(column, justify="left" if column == "case" else "right")
    for case in plan.cases:
        rows = sum(participant.role is Role.ROW for participant in plan.taking_part(case))
        table.add_row(Text(case.name), str(rows), f"{memory_bytes(plan, case) / 2**20:,.0f} MiB")
    capped = sum(skip.case is not None for skip in plan.skips)
    budget = plan.budget_seconds if plan.max_seconds is None else plan.budget_seconds and plan.max_seconds
    summary = (
        f"{counted(len(plan.cases), 'case')}, {counted(plan.generations, 'generation')} of {plan.turns} turns, "
        f"{len(plan.participants)} processes at a time; about {duration(run_seconds(plan))}"
        + (f", and more generations until ratios are narrow, up to {duration(budget)}" if budget else "")
        + (f"; {capped} combinations of row and case are left out with a reason" if capped else "")
    )
    console.print(table)
    say(summary, style="bold")
    for line in _left_out(plan):
        say(line, style="yellow")


def _left_out(plan: Plan) -> list[str]:
    """The rows that take no part, those of one reason together."""
    names: dict[str, list[str]] = {}
    for skip in plan.skips:
        if skip.case is None:
            names.setdefault(skip.reason, []).append(skip.row)
    return [f"{', '.join(rows)}: {reason}" for reason, rows in names.items()]


def render(folder: Path) -> Path:
    """Write the report of whatever was recorded; print its answer, and what the run's time went to.

    Raises `RunEndedError` where the report cannot be written.
    """
    import stepreports
    from stepbench.commands.ranking_table import ranking_lines
    from stepbench.run.session import RunEndedError

    try:
        page = stepreports.write_report(folder)
    except OSError as error:
        raise RunEndedError(
            f"The report could not be written: {error.strerror or error}. Everything that was measured is recorded; "
            f"make room, and write it with: stepbench report {folder}"
        ) from error
    for told in ranking_lines(stepreports.ranking(folder), screen_columns()):
        console.print(told, soft_wrap=True)
    for line in stepreports.answer_lines(folder):
        say(line.replace("`", ""))
    if overhead := stepreports.overhead_sentence(folder):
        say(overhead)
    say(f"Report: {page}")
    return page


def tell_marks(folder: Path, plan: Plan) -> None:
    """How the fused rows stand against what they are held to, where the preset was chosen for that."""
    from stepbench.evidence.declared import GROUPS

    if plan.preset not in GROUPS.values():
        return
    from stepbench.evidence.marks import groups_of, lines
    from stepreports.statistics.runs import load_run

    run = load_run(folder)
    for group in groups_of(run):
        for line in lines(run, group):
            say(f"{line['case']}: {line['measured']} of {line['against']}, held to {line['mark']}: {line['']}")


def write_asked(folder: Path, json_path: Path | None, markdown: Path | None) -> None:
    """The files that were asked for beside the run's own."""
    import stepreports
    from stepreports.records.files import append_whole, write_json

    if json_path:
        write_json(json_path, stepreports.run_as_json(folder))
    if markdown:
        append_whole(markdown, stepreports.run_in_markdown(folder))
