"""`python -O` drops assertions and `-OO` docstrings: neither may carry what the packages do."""

import ast
import subprocess
import sys

import pytest

from runs import ROOT, environment

FILES = sorted(
    file
    for package in ("kernels/stepkernels", "benchmarks/stepbench", "reports/stepreports")
    for file in (ROOT / package).rglob("*.py")
)
COMMANDS = [
    ("stepbench", "--help"),
    *(("stepbench", command, "--help") for command in ("list", "show", "check", "run", "report", "doctor", "learn")),
    ("stepbench.checking.fuzz", "--help"),
    ("stepbench.evidence.marks", "--help"),
    ("stepbench.evidence.training_marks", "--help"),
    ("stepbench.evidence.peers", "--help"),
    ("stepreports.publish", "--help"),
]


def nodes(kind):
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, kind):
                yield file.relative_to(ROOT).as_posix(), node


def test_no_assertion_calls_anything():
    """What only a type checker needs may be asserted; what is called there would not happen."""
    called = [
        f"{file}, line {node.lineno}"
        for file, node in nodes(ast.Assert)
        if any(isinstance(each, ast.Call) for each in ast.walk(node.test))
    ]
    assert called == []


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_needs_no_docstring(command):
    finished = subprocess.run(
        [sys.executable, "-OO", "-m", *command],
        env=environment(PYTHONOPTIMIZE="2"), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert "usage" in finished.stdout.lower()
