"""The same step, five ways: the code from the rows' own source, and what a run of the suite found of them."""

from __future__ import annotations

import ast
import importlib.util
import textwrap
from dataclasses import dataclass

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from stepkernels.catalog import CATALOG
from stepreports.records.stored import Case
from stepreports.statistics.intervals import ratio
from stepreports.statistics.runs import Record, Run
from stepreports.telling import text

SIZE = (20_000, 50)

# What of each row's source shows its technique; the rows in the order of the text.
EXCERPTS: dict[str, tuple[str, ...]] = {
    "python-loop": ("forward", "backward"),
    "numpy-blas": ("forward", "backward"),
    "numba-loop": ("forward", "backward"),
    "torch-autograd-cpu": ("LogisticRegression", "cost", "Workspace.backward"),
    "numba-fused": ("accumulate_tiles",),
}
SOURCES = {row: CATALOG[row].module for row in EXCERPTS} | {"numba-fused": "stepkernels.rows.numba_fused.tiles"}
ROWS = (*EXCERPTS, "numba-fused-parallel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A part of a row's source, as HTML, and the file it stands in."""

    row: str
    file: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a step of a row costs here, how much faster that is than the loop, and its worst error in bounds."""

    row: str
    time: str
    interval: str
    speedup: str
    passes: int
    worst: str
    seconds: float


def excerpts() -> list[Excerpt]:
    """The code of the five techniques."""
    return [
        Excerpt(
            row=row,
            file=f"{SOURCES[row].rpartition('.')[2]}.py",
            code=coloured("\n\n".join(source(SOURCES[row], name) for name in names)),
        )
        for row, names in EXCERPTS.items()
    ]


def source(module: str, name: str) -> str:
    """A function or class of a module, decorators included, as it stands in its file; nothing is imported for it."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    whole = spec.loader.get_source(module)  # type: ignore[union-attr]
    node: ast.AST = ast.parse(whole)
    for part in name.split("."):
        node = next(each for each in ast.iter_child_nodes(node) if getattr(each, "name", None) == part)
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return textwrap.dedent("\n".join(whole.splitlines()[first - 1 : node.end_lineno]))


def coloured(code: str) -> str:
    """Python as HTML, its tokens in classes that the page's style sheet colours."""
    return str(highlight(code, PythonLexer(), HtmlFormatter(nowrap=True)))


def timed_case(run: Run) -> Case:
    """The case of a run that the lesson shows: a step in float64, as near to `SIZE` as there is."""
    steps = [case for case in run.cases if case.op == "step" and case.dtype == "float64"]
    return min(steps, key=lambda case: abs(case.m * case.n - SIZE[0] * SIZE[1]))


def costs(run: Run) -> list[Cost]:
    """The rows of the lesson that were timed, in its order."""
    records = run.cases[timed_case(run)]
    loop = records[ROWS[0]]
    return [_cost(records[row], loop) for row in ROWS if row in records]


def _cost(record: Record, loop: Record) -> Cost:
    gain = ratio(loop.turns, record.turns)
    return Cost(
        row=record.row.name,
        time=text.plain_seconds(record.seconds.value),
        interval=f"{text.plain_seconds(record.seconds.low)} – {text.plain_seconds(record.seconds.high)}",
        speedup=f"{text.significant(gain.value)}×" if gain and record is not loop else "–",
        passes=record.passes_over_x,
        worst=text.significant(max(record.agreement.values(), default=0.0)),
        seconds=record.seconds.value,
    )
