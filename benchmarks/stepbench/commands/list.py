"""list: every row of the catalogue, and whether it can run here, which is tried."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepbench.commands.terminal import console, errors, sentences, write_data

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stepbench.machine.loading import Standing
    from stepkernels.interface import Implementation

STYLES = {"available": "green", "unavailable": "yellow", "error": "bold red"}


@sentences
def list_rows(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with more of what a row declares.")] = False,
) -> None:
    """Every row: device, operations, dtypes, and whether it can run here or why not.

    Unavailable: its library or device is not here. Error: what it needs is here, and it cannot be loaded.
    """
    from stepbench.machine.loading import standings_of
    from stepkernels.catalog import CATALOG

    with errors.status("Loading each library"):
        standings = standings_of(list(CATALOG.values()))
    facts = [row_facts(row, standings[row.name]) for row in CATALOG.values()]
    if as_json:
        write_data(json.dumps({"rows": facts}, indent=1) + "\n")
    else:
        console.print(row_table(facts))


def row_facts(row: Implementation, standing: Standing) -> dict[str, Any]:
    """A row as JSON: what it declares, and whether it can run here."""
    from stepkernels.probe import library_version

    return {
        "name": row.name,
        "library": row.library,
        "library_version": None if standing.reason else library_version(row.library),
        "technique": row.technique,
        "device": row.device,
        "ops": list(row.ops),
        "dtypes": list(row.dtypes),
        "optimizers": list(row.optimizers),
        "passes_over_x": row.passes_over_x,
        "deterministic": row.deterministic,
        "summary": row.summary,
        "available": standing.word == "available",
        "here": standing.word,
        "reason": standing.reason,
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
        here = Text(": ".join(filter(None, (fact["here"], fact["reason"]))), style=STYLES[fact["here"]])
        operations = "".join(op[0].upper() if op in fact["ops"] else "·" for op in Op)
        bits = " ".join(dtype.removeprefix("float") for dtype in fact["dtypes"])
        table.add_row(Text(fact["name"]), fact["device"], operations, bits, here)
    legend = ", ".join(f"{op[0].upper()} {op}" for op in Op)
    return Group(table, Text(f"\nops: {legend}. `stepbench show ROW` tells more of one.", style="dim"))
