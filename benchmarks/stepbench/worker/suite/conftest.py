"""The suite on its own, without the runner: `pytest benchmarks/stepbench/worker/suite [--row ROW …] [--size MxN …]`.

Every case is bound, checked and timed as in a run, but the rows follow one another in one process and take no
turns: it shows that everything works, and compares nothing.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.cases.presets import Group, cases_of
from stepbench.machine.threads import default_budget
from stepbench.worker.expectations import random_point, save_expectations
from stepbench.worker.messages import Bound, Judged
from stepbench.worker.suite.plugin import Assignment, SuitePlugin
from stepbench.worker.turnstile import Task
from stepkernels.agreement import Traits
from stepkernels.catalog import CATALOG, rows_named
from stepkernels.interface import Op
from stepkernels.problem import DTYPES, OPTIMIZERS

TINY = ("1x1", "37x5", "1000x20")
TRAITS = list({Traits.of(row) for row in CATALOG.values()})


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("stepbench")
    group.addoption("--row", action="append", default=[], help="a row to time; all that can run by default")
    group.addoption("--size", action="append", default=[], help=f"a size, as 1000x20; {', '.join(TINY)} by default")


def pytest_configure(config: pytest.Config) -> None:
    if not any(isinstance(plugin, SuitePlugin) for plugin in config.pluginmanager.get_plugins()):
        folder = Path(config.stash.setdefault(_FOLDER, tempfile.TemporaryDirectory()).name)
        config.pluginmanager.register(SuitePlugin(_assignments(config), LocalTurnstile(folder)))


def pytest_unconfigure(config: pytest.Config) -> None:
    if folder := config.stash.get(_FOLDER, None):
        folder.cleanup()


_FOLDER: pytest.StashKey[tempfile.TemporaryDirectory[str]] = pytest.StashKey()


class LocalTurnstile:
    """Waits for nobody: makes its own problems and expectations, and takes two rounds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def next_task(self, case: Case) -> Task:
        problem = make_problem(case.dataset, case.m, case.n, case.dtype, seed=0)
        before = self.folder / "before.npz"
        self.task = Task(case=case, problem=problem, config=case.config(problem), before=before, rounds=2)
        self._expect(before, seed=1)
        return self.task

    def bound(self, report: Bound) -> None: ...
    def wait(self) -> None: ...
    def round_done(self, seconds: float, device_seconds: float | None) -> None: ...

    def fresh_expectations(self) -> Path:
        after = self.folder / "after.npz"
        self._expect(after, seed=2)
        return after

    def judged(self, report: Judged) -> None: ...
    def failed(self, kind: str, reason: str) -> None: ...

    def _expect(self, path: Path, seed: int) -> None:
        point = random_point(self.task.problem, self.task.config, seed)
        save_expectations(path, self.task.problem, self.task.config, point, TRAITS)


def _assignments(config: pytest.Config) -> list[Assignment]:
    """Every row, operation and dtype at every size; where each shape is compiled, two configurations of one size."""
    rows = rows_named(config.getoption("row") or CATALOG)
    sizes = config.getoption("size") or TINY
    groups = [
        Group(ops=(Op.FORWARD, Op.BACKWARD, Op.GRADIENT), sizes=sizes, dtypes=DTYPES),  # the same with every optimizer
        Group(
            ops=(Op.UPDATE, Op.STEP, Op.TRAIN), sizes=sizes, dtypes=DTYPES, optimizers=list(OPTIMIZERS), train_steps=5
        ),
    ]
    cases = cases_of(groups, [default_budget()])
    few = {(cases[-1].m, cases[-1].n, *pair) for pair in zip(DTYPES, OPTIMIZERS, strict=True)}
    return [
        (row, case)
        for row in rows
        if row.unavailable() is None
        for case in cases
        if case.unsupported_by(row) is None
        and (not row.compiles_per_shape or (case.m, case.n, case.dtype, case.optimizer) in few)
    ]
