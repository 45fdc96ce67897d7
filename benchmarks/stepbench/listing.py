"""What the command line shows of rows and plans."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from stepbench.checking.verdicts import RowReport
from stepbench.run.plan import Plan
from stepkernels.interface import Implementation, Op
from stepkernels.probe import library_version
from stepreports.telling.text import duration


def row_facts(row: Implementation) -> dict[str, Any]:
    """A row as JSON: what it declares, and whether it can run here."""
    reason = row.unavailable()
    return {
        "name": row.name,
        "library": row.library,
        "library_version": None if reason else library_version(row.library),
        "technique": row.technique,
        "device": row.device,
        "ops": list(row.ops),
        "dtypes": list(row.dtypes),
        "optimizers": list(row.optimizers),
        "passes_over_x": row.passes_over_x,
        "deterministic": row.deterministic,
        "summary": row.summary,
        "available": reason is None,
        "reason": reason,
    }


def row_table(facts: list[dict[str, Any]]) -> RenderableType:
    """The rows as a table for a terminal, narrow enough for eighty columns."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("row", "device", "ops", "bits"):
        table.add_column(column, no_wrap=True)
    table.add_column("here", overflow="fold")
    for fact in facts:
        here = Text("available", style="green") if fact["available"] else Text(fact["reason"], style="yellow")
        operations = "".join(op[0].upper() if op in fact["ops"] else "·" for op in Op)
        bits = " ".join(dtype.removeprefix("float") for dtype in fact["dtypes"])
        table.add_row(Text(fact["name"]), fact["device"], operations, bits, here)
    legend = ", ".join(f"{op[0].upper()} {op}" for op in Op)
    return Group(table, Text(f"\nops: {legend}. `stepbench show ROW` tells more of one.", style="dim"))


ANSWERED = ("size", "dtype", "fastest", "time of a step")


def answer_table(lines: Sequence[Mapping[str, str]]) -> Table:
    """The fastest row at each size; the ratios are in the report, which has the room."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    heads = [head for head in ANSWERED if lines and head in lines[0]]
    for head in heads:
        table.add_column(head, no_wrap=head != "fastest")
    for line in lines:
        table.add_row(*(Text(line[head].replace("`", "")) for head in heads))
    return table


def row_source(row: Implementation) -> RenderableType:
    """A row's facts, docstring and source. Loads the row's library only when there is no other way to the source."""
    import importlib.util

    spec = importlib.util.find_spec(row.module)
    source = "" if spec is None or spec.loader is None else inspect.cleandoc(spec.loader.get_source(row.module) or "")  # type: ignore[attr-defined]
    facts = row_facts(row)
    lines = [
        f"**{row.name}** — {row.technique}. {row.summary}",
        f"- device: {row.device}; operations: {', '.join(row.ops)}",
        f"- dtypes: {', '.join(row.dtypes)}; optimizers: {', '.join(row.optimizers)}",
        f"- reads X {row.passes_over_x} time(s) per gradient; sums {row.accumulation}; residual {row.residual}",
        f"- {'the same bits every run' if row.deterministic else 'the last bits may differ from run to run'}",
        f"- here: {facts['reason'] or 'available'}",
    ]
    return Group(Markdown("\n".join(lines)), Syntax(source, "python", theme="ansi_dark", word_wrap=True))


def verdict_line(report: RowReport) -> Text:
    """What a check found of a row, in its colour."""
    style = {"agrees": "green", "disagrees": "bold red"}.get(report.verdict, "yellow")
    return Text.assemble((f"{report.row}: ", "bold"), (str(report.verdict), style), f"  {report.summary}")


def plan_table(plan: Plan) -> RenderableType:
    """What a run would do, before it does it."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("case", "rows", "memory"):
        table.add_column(column, justify="left" if column == "case" else "right")
    for case in plan.cases:
        rows = sum(participant.role == "row" for participant in plan.taking_part(case))
        table.add_row(Text(case.name), str(rows), f"{plan.memory_bytes(case) / 2**20:,.0f} MiB")
    absent = [Text(f"{skip.row}: {skip.reason}", style="yellow") for skip in plan.skips if skip.case is None]
    capped = sum(skip.case is not None for skip in plan.skips)
    summary = (
        f"{len(plan.cases)} cases, {plan.generations} generation(s) of {plan.turns} turns, "
        f"{len(plan.participants)} processes at a time; about {duration(plan.seconds())}"
        + (f"; {capped} combinations of row and case are left out with a reason" if capped else "")
    )
    return Group(table, Text(summary, style="bold"), *absent)
