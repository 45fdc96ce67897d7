"""Small runs of the command line in a process of their own, and what they recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from stepbench.machine.children import environment_of_child

ROOT = Path(__file__).parents[1]
KERNELS = Path(__file__).parent / "kernel_files"
SMALL = ("run", "--sizes", "37x5,64x3", "--threads", "1", "--rows", "numpy-blas,python-loop")  # one: no parallel read
OF_TESTS = ("OMP_WAIT_POLICY", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK")  # conftest's; scikit-learn's, once imported


def environment(**more: str) -> dict[str, str]:
    """That of a user: what tests set for themselves alone is left out."""
    inherited = environment_of_child()
    for name in OF_TESTS:
        inherited.pop(name, None)
    return inherited | more


COMMAND, WITH_FEW_TURNS = ("-m", "stepbench"), ("-m", "few_turns")


def stepbench(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command line, run to its end."""
    return _run(COMMAND, arguments, variables)


def brief(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command line with few turns, run to its end."""
    return _run(WITH_FEW_TURNS, arguments, variables)


def start_stepbench(*arguments: object) -> subprocess.Popen[bytes]:
    """The command line, running."""
    return _start(COMMAND, arguments)


def start_brief(*arguments: object) -> subprocess.Popen[bytes]:
    """The command line with few turns, running."""
    return _start(WITH_FEW_TURNS, arguments)


def _run(
    program: tuple[str, ...], arguments: tuple[object, ...], variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *program, *map(str, arguments)],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _start(program: tuple[str, ...], arguments: tuple[object, ...]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *program, *map(str, arguments)],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def benchmarks(folder: Path) -> list[dict]:
    return json.loads((folder / "benchmark.json").read_text())["benchmarks"]


def failures(folder: Path) -> list[dict]:
    return json.loads((folder / "failures.json").read_text())["failures"]


def coverage(folder: Path) -> set[tuple]:
    """What was timed: every row, case, generation and turn."""
    found = set()
    for entry in benchmarks(folder):
        info = entry["extra_info"]
        found |= {(entry["name"], g, t) for g, t in zip(info["generation"], info["turn"], strict=True)}
    return found
