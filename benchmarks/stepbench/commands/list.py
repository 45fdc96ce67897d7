"""list: every row of the catalogue, and whether it can run here."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepbench.commands.terminal import console, sentences

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stepkernels.interface import Implementation


@sentences
def list_rows(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Every row: device, operations, dtypes, and whether it can run here or why not."""
    from stepkernels.catalog import CATALOG

    facts = [row_facts(row) for row in CATALOG.values()]
    if as_json:
        sys.stdout.write(json.dumps({"rows": facts}, indent=1) + "\n")
    else:
        console.print(row_table(facts))


def row_facts(row: Implementation) -> dict[str, Any]:
    """A row as JSON: what it declares, and whether it can run here."""
    from stepkernels.probe import library_version

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
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from stepkernels.interface import Op

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
