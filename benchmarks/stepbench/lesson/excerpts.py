"""The same step, five ways: the code of each technique, from its row's own files, none of them imported."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from stepbench.lesson.coloured_code import coloured
from stepbench.lesson.shown import EXCERPTS
from stepkernels.catalog import CATALOG
from stepkernels.sources import source_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A part of a row's source, as HTML, and the file it stands in."""

    row: str
    file: str
    code: Markup


def excerpts() -> list[Excerpt]:
    """The code of the five techniques."""
    return [_excerpt(row, names) for row, names in EXCERPTS.items()]


def _excerpt(row: str, names: Sequence[str]) -> Excerpt:
    """These functions and classes, from the first of a row's files that defines them all."""
    found = ((file, definitions(file)) for file in source_files(CATALOG[row]))
    file, code = next((file, code) for file, code in found if code.keys() >= set(names))
    return Excerpt(row=row, file=file.name, code=coloured("\n\n".join(code[name] for name in names)))


def definitions(file: Path) -> dict[str, str]:
    """The code of each function, class and constant of a file by its name, decorators included; or "Class.method"."""
    whole = file.read_text(encoding="utf-8")
    lines, found = whole.splitlines(), {}
    for node in ast.parse(whole).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = _code(node, lines)
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            found |= {f"{node.name}.{each.name}": _code(each, lines) for each in methods}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = _code(node, lines)
    return found


def _code(node: ast.FunctionDef | ast.ClassDef | ast.Assign, lines: Sequence[str]) -> str:
    decorators = [] if isinstance(node, ast.Assign) else node.decorator_list
    first = min([node.lineno, *(each.lineno for each in decorators)])
    return textwrap.dedent("\n".join(lines[first - 1 : node.end_lineno]))
