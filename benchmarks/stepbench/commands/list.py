"""list: every row of the catalogue, and whether it can run here, which is tried."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepbench.commands.terminal import between_words, errors, say, screen_columns, sentences, write_data

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stepbench.machine.loading import Standing
    from stepkernels.interface import Implementation

INDENT = "    "
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
        for line, style in row_lines(facts, screen_columns()):
            say(line, style=style)


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


def row_lines(facts: Sequence[dict[str, Any]], width: float) -> Iterator[tuple[str, str | None]]:
    """Each line of the table, and its style. A row is one line; a reason wider than the screen stands below its row."""
    from stepkernels.interface import Op

    cells = [("row", "device", "ops", "bits", "here"), *map(_cells, facts)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    yield lines[0], "bold"
    for line, fact in zip(lines[1:], facts, strict=True):
        style, reason = STYLES[fact["here"]], fact["reason"]
        if reason is None or len(line) + 2 + len(reason) <= width:
            yield ": ".join(filter(None, (line, reason))), style
        else:
            yield f"{line}:", style
            for part in between_words(reason, width - len(INDENT)).split("\n"):
                yield INDENT + part, style
    legend = ", ".join(f"{op[0].upper()} {op}" for op in Op)
    yield f"\nops: {legend}. `stepbench show ROW` tells more of one.", "dim"


def _cells(fact: dict[str, Any]) -> tuple[str, ...]:
    from stepkernels.interface import Op

    operations = "".join(op[0].upper() if op in fact["ops"] else "·" for op in Op)
    bits = " ".join(dtype.removeprefix("float") for dtype in fact["dtypes"])
    return fact["name"], fact["device"], operations, bits, fact["here"]
