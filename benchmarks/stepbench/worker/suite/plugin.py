"""The pytest plugin of the suite: which rows take which cases, in which order, and how one is measured."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from stepbench.cases.case import Case
from stepbench.worker.clock import Clock
from stepbench.worker.faults import kind_of, reason_of
from stepbench.worker.measure import Pedantic, measure
from stepbench.worker.turnstile import Turnstile
from stepkernels.interface import Implementation

ASSIGNMENT = "assignment"

Assignment = tuple[Implementation, Case]


class SuitePlugin:
    """Measures the assignments in the order given, at the pace of a turnstile, and tells it what fails."""

    def __init__(self, assignments: Sequence[Assignment], turnstile: Turnstile) -> None:
        self.assignments, self.turnstile = list(assignments), turnstile

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if ASSIGNMENT in metafunc.fixturenames:
            mine = [(row, case) for row, case in self.assignments if case.op in metafunc.module.OPS]
            metafunc.parametrize(ASSIGNMENT, mine, ids=[f"{row.name}-{case.name}" for row, case in mine])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The order of the assignments, whatever file a benchmark is in; a file with none of them is left out."""
        place = {(row.name, case): index for index, (row, case) in enumerate(self.assignments)}
        assigned = [(place[key], item) for item in items if (key := _key(item)) is not None]
        items[:] = [item for _, item in sorted(assigned, key=lambda pair: pair[0])]

    @pytest.fixture
    def measure_case(self, request: pytest.FixtureRequest, assignment: Assignment) -> Callable[[], None]:
        """A call that measures the assignment, with a clock of its own as pytest-benchmark's timer."""
        row, case = assignment

        def pedantic(clock: Clock) -> Pedantic:
            request.node.add_marker(pytest.mark.benchmark(timer=clock, group=case.name))
            benchmark: Any = request.getfixturevalue("benchmark")
            benchmark.extra_info.update(case.to_json(), row=row.name)
            return benchmark.pedantic  # type: ignore[no-any-return]

        return lambda: measure(row, case, self.turnstile, pedantic)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Any:
        report = yield
        if call.excinfo is not None:
            error = call.excinfo.value
            traceback.clear_frames(error.__traceback__)  # Python keeps the last traceback, and with it a case's data
            self.turnstile.failed(kind_of(error), reason_of(error))
        return report


def _key(item: pytest.Item) -> tuple[str, Case] | None:
    """What an item measures; None for a benchmark that got no assignment, which pytest keeps to skip."""
    assignment = item.callspec.params.get(ASSIGNMENT) if hasattr(item, "callspec") else None
    return (assignment[0].name, assignment[1]) if isinstance(assignment, tuple) else None
