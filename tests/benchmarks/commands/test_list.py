"""list: a line a row in a file or a pipe; on a screen, nothing wider than it."""

from __future__ import annotations

import math

import pytest

from runs import stepbench
from stepbench.commands.list import row_lines
from stepkernels.catalog import CATALOG

LONG = "cupy is not installed; python -m pip install 'stepbench[cuda13]' (or cuda12, as your driver supports)"


def fact(name, here, reason=None):
    return {"name": name, "device": "cpu", "ops": ["step"], "dtypes": ["float64"], "here": here, "reason": reason}


FACTS = [fact("numba-fused-parallel", "available"), fact("torch-compiled-cuda", "unavailable", LONG)]


def test_without_a_screen_a_row_is_a_line_with_its_whole_reason():
    head, first, second, *_ = (line for line, _ in row_lines(FACTS, math.inf))
    assert head.split() == ["row", "device", "ops", "bits", "here"]
    assert first.split()[0] == "numba-fused-parallel"
    assert second.startswith("torch-compiled-cuda")
    assert second.endswith(f"unavailable: {LONG}")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_on_a_screen_no_line_is_wider_and_no_word_is_lost(width):
    lines = [line for line, _ in row_lines(FACTS, width)][:-1]
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)
    assert " ".join(" ".join(lines).split()).endswith(f"unavailable: {LONG}")


def test_the_command_prints_every_row_on_a_line():
    lines = stepbench("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1 : 1 + len(CATALOG)]] == list(CATALOG)
