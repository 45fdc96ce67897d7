"""The house: few names at the top, each folder says what lives in it, files and functions stay readable.

Who may import whom is held by the contracts in pyproject.toml (`nox -s lint`).
"""

import ast
from collections import defaultdict
from statistics import median

import pytest

from runs import ROOT

PACKAGES = [ROOT / place for place in ("kernels/stepkernels", "benchmarks/stepbench", "reports/stepreports")]
FILES = sorted(file for package in PACKAGES for file in package.rglob("*.py"))
FOLDERS = sorted({file.parent for file in FILES})
MOST_NAMES, MOST_LINES, MOST_LINES_OF_A_FUNCTION = 12, 300, 60
WHAT_PYTHON_ASKS_FOR = {"__init__.py", "__main__.py", "__pycache__", "py.typed"}

# Names that stand twice and mean one thing: a command is called as the room that it is the door of.
SHARED_NAMES = {"history", "journal", "run"}


def named(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("package", PACKAGES, ids=named)
def test_a_package_has_at_most_a_dozen_names_at_its_top(package):
    names = {path.name for path in package.iterdir()} - WHAT_PYTHON_ASKS_FOR
    assert len(names) <= MOST_NAMES, sorted(names)


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_folder_says_what_lives_in_it(folder):
    told = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
    assert told, f"{named(folder)}/__init__.py has no docstring"
    assert told.splitlines()[0].endswith((".", "?", ":"))


@pytest.mark.parametrize("file", FILES, ids=named)
def test_a_file_is_read_in_one_sitting(file):
    assert len(file.read_text("utf-8").splitlines()) <= MOST_LINES


def test_a_function_is_seen_at_a_glance():
    lengths = {
        f"{named(file)}: {node.name}": node.end_lineno - node.lineno + 1
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert [name for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION] == []
    assert median(lengths.values()) <= 10


def test_a_name_means_one_thing():
    places = defaultdict(list)
    for path in [*FILES, *FOLDERS]:
        if path.name not in WHAT_PYTHON_ASKS_FOR and path not in PACKAGES:
            places[path.stem].append(named(path))
    twice = {name: found for name, found in places.items() if len(found) > 1 and name not in SHARED_NAMES}
    assert twice == {}
