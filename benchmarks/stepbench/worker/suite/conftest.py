"""The suite on its own, without the runner: `pytest benchmarks/stepbench/worker/suite [--row ROW …] [--size MxN …]`.

Every case is bound, checked and timed as in a run, but the rows follow one another in one process and take no
turns: it shows that everything works, and compares nothing.
"""

from __future__ import annotations

import pytest

from stepbench.cases.presets import Group, cases_of
from stepbench.machine.threads import default_budget
from stepbench.worker.suite.plugin import Assignment, SuitePlugin
from stepkernels.catalog import CATALOG, rows_named
from stepkernels.interface import Op
from stepkernels.problem import DTYPES, OPTIMIZERS

TINY = ("1x1", "37x5", "1000x20")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("stepbench")
    group.addoption("--row", action="append", default=[], help="a row to time; all that can run by default")
    group.addoption("--size", action="append", default=[], help=f"a size, as 1000x20; {', '.join(TINY)} by default")


def pytest_configure(config: pytest.Config) -> None:
    if not any(isinstance(plugin, SuitePlugin) for plugin in config.pluginmanager.get_plugins()):
        # Only then: a row's own process judges nothing, and loads nothing that does.
        from stepbench.worker.suite.alone import LocalTurnstile

        config.pluginmanager.register(SuitePlugin(_assignments(config), LocalTurnstile()))


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
