"""The rows are a ladder: each module's docstring is a rung, read here as text, so that no library need be there."""

import ast
import re

import pytest

from stepkernels.catalog import CATALOG
from stepkernels.sources import source_files

pytestmark = pytest.mark.parametrize("row", CATALOG.values(), ids=CATALOG)  # also those that cannot run here

MODULES = tuple(dict.fromkeys(row.module for row in CATALOG.values()))


def rung_of(row):
    """The docstring of a row's module, on one line."""
    text = source_files(row)[0].read_text(encoding="utf-8")
    return " ".join((ast.get_docstring(ast.parse(text)) or "").split())


def test_rungs_are_numbered_without_gaps_in_the_order_of_the_catalogue(row):
    assert re.match(rf"Rung {MODULES.index(row.module) + 1}, [^:]+: ", rung_of(row))


def test_a_rung_says_how_often_x_is_read_and_the_catalogue_agrees(row):
    said = set(re.findall(r"X is read (once|twice)", rung_of(row)))
    assert said == {{1: "once", 2: "twice"}[row.passes_over_x]}


def test_a_rung_says_what_bounds_it(row):
    assert re.search(r"\bbound\b", rung_of(row))


def test_a_rung_is_compared_with_a_lower_one_by_its_file(row):
    lower = [module.rpartition(".")[2] for module in MODULES[: MODULES.index(row.module)]]
    named = re.findall(r"\w+(?=\.py\b|/)", rung_of(row))
    assert not lower or set(lower) & set(named)


def test_a_row_has_a_summary(row):
    assert row.summary
