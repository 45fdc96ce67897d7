"""What `run` tells: before it what it would do, after it who was the fastest where, and in which files it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stepbench.commands.terminal import console, say, screen_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stepbench.run.plan import Plan


def tell_plan(plan: Plan) -> None:
    """Print what a run would do, before it does it."""
    from stepbench.run.estimate import run_seconds
    from stepreports.telling.text import counted, duration

    capped = sum(skip.case is not None for skip in plan.skips)
    budget = plan.budget_seconds if plan.max_seconds is None else plan.budget_seconds and plan.max_seconds
    summary = (
        f"{counted(len(plan.cases), 'case')}, {counted(plan.generations, 'generation')} of {plan.turns} turns, "
        f"{len(plan.participants)} processes at a time; about {duration(run_seconds(plan))}"
        + (f", and more generations until ratios are narrow, up to {duration(budget)}" if budget else "")
        + (f"; {capped} times a row is left out of a case, with a reason" if capped > 1 else "")
        + ("; a row is left out of a case, with a reason" if capped == 1 else "")
    )
    for line in case_lines(_cases(plan), screen_columns()):
        say(line)
    say(summary, style="bold")
    for line in _left_out(plan):
        say(line, style="yellow")


def _cases(plan: Plan) -> list[tuple[str, int, str]]:
    """Each case, how many rows it has, and the memory that it takes."""
    from stepbench.run.estimate import memory_bytes
    from stepbench.run.participants import Role

    return [
        (
            case.name,
            sum(participant.role is Role.ROW for participant in plan.taking_part(case)),
            f"{memory_bytes(plan, case) / 2**20:,.0f} MiB",
        )
        for case in plan.cases
    ]


def case_lines(cases: Sequence[tuple[str, int, str]], width: float) -> list[str]:
    """The cases as a table; where the screen has fewer columns than that, each on two lines."""
    from stepreports.telling.text import counted

    cells = [("case", "rows", "memory"), *((name, str(rows), memory) for name, rows, memory in cases)]
    name, rows, memory = (max(map(len, column)) for column in zip(*cells, strict=True))
    if name + rows + memory + 4 <= width:
        return [f"{a:{name}}  {b:>{rows}}  {c:>{memory}}" for a, b, c in cells]
    return [line for a, b, c in cases for line in (a, f"  {counted(b, 'row')}, {c}")]


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
