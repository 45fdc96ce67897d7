"""The code of the page is the rows' own: as it stands in the file that is named with it."""

from __future__ import annotations

import ast
import html
import inspect
import re
from pathlib import Path

import pytest

from stepbench.lesson.excerpts import definitions, excerpts
from stepbench.lesson.shown import EXCERPTS
from stepkernels.catalog import CATALOG
from stepkernels.rows import numpy_blas
from stepkernels.sources import source_files


def shown(excerpt):
    """The code of an excerpt without its colours."""
    return html.unescape(re.sub(r"<[^>]*>", "", excerpt.code)).strip()


def test_a_definition_is_the_code_as_it_stands_in_its_file():
    found = definitions(Path(numpy_blas.__file__))
    assert found["backward"] == inspect.getsource(numpy_blas.backward).strip()
    assert found["Workspace.step"].startswith("@undisturbed\ndef step(self)")


@pytest.mark.parametrize("excerpt", excerpts(), ids=lambda excerpt: excerpt.row)
def test_an_excerpt_is_its_rows_code_in_the_order_declared_from_the_file_it_names(excerpt):
    (file,) = (file for file in source_files(CATALOG[excerpt.row]) if file.name == excerpt.file)
    code = definitions(file)
    assert shown(excerpt) == "\n\n".join(code[name] for name in EXCERPTS[excerpt.row])


@pytest.mark.parametrize("excerpt", excerpts(), ids=lambda excerpt: excerpt.row)
def test_an_excerpt_shows_everything_of_its_file_that_it_calls(excerpt):
    """Whole enough to follow: what it uses is in it, a library's or a class's, but never elsewhere in the file."""
    (file,) = (file for file in source_files(CATALOG[excerpt.row]) if file.name == excerpt.file)
    used = {node.id for node in ast.walk(ast.parse(shown(excerpt))) if isinstance(node, ast.Name)}
    assert used & definitions(file).keys() <= set(EXCERPTS[excerpt.row])


def test_the_fused_code_is_the_plain_one_without_vectors_by_hand():
    fused = excerpts()[-1]
    assert fused.file == "numba_fused_simple.py"
    assert "simd" not in shown(fused)
