"""The files of a row in reading order, found from the row itself: its technique first, then what that is made of."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.machinery import ModuleSpec
from pathlib import Path

from stepkernels.interface import Implementation


def source_files(row: Implementation) -> list[Path]:
    """Every source file of a row, each before those it uses: of a folder its `__init__.py` first, C++ last.

    The row's module is not imported, so its library need not be there.
    """
    main = _main_file(row)
    files = _in_reading_order(main, row.module) if main.name == "__init__.py" else [main]
    return [*files, *(main.with_name(name) for name in (row.cuda_source, row.cpp_source) if name is not None)]


def _main_file(row: Implementation) -> Path:
    """The file that has the row's bind. Raises `ModuleNotFoundError` for a module that does not exist."""
    if row.module.endswith(".py"):
        return Path(row.module)
    spec: ModuleSpec | None = importlib.util.find_spec(row.module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{row.name}: there is no module {row.module}.")
    return Path(spec.origin)


def _in_reading_order(main: Path, package: str) -> list[Path]:
    """The modules of a folder, importers before what they import, otherwise as the first file mentions them.

    What it does not mention comes after what it does.
    """
    story, order = main.read_text(encoding="utf-8"), []
    unread = TopologicalSorter(_importers(main, package))
    unread.prepare()
    ready: list[Path] = []
    while unread.is_active():
        ready = sorted([*ready, *unread.get_ready()], key=lambda file: _place(story, f"`{file.name}`"))
        order.append(ready.pop(0))
        unread.done(order[-1])
    return order


def _place(story: str, name: str) -> int:
    """Where the story mentions a name; its end for one that it does not."""
    return story.find(name) if name in story else len(story)


def _importers(main: Path, package: str) -> dict[Path, set[Path]]:
    """The modules of a folder that can be reached from its first, each with those that import it."""
    importers: dict[Path, set[Path]] = {main: set()}
    pending = [main]
    while pending:
        file = pending.pop()
        for imported in _imported(file, package):
            if imported not in importers:
                pending.append(imported)
            importers.setdefault(imported, set()).add(file)
    return importers


def _imported(file: Path, package: str) -> Iterator[Path]:
    """The modules of `package` that a file of its folder imports by `from package.module import …`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{package}."):
            yield file.with_name(f"{node.module.removeprefix(f'{package}.')}.py")
