"""What a run will do, settled before it starts: who takes part, which cases, how often; what is left out, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from stepbench.cases.case import Case
from stepbench.run.participants import Participant, Role, limits_here, participants_of
from stepkernels.agreement import Traits
from stepkernels.interface import Implementation
from stepkernels.problem import ProblemError

WORKER_BYTES = 2**28  # libraries and compiled code: 0.1 to 0.5 GiB a process, as measured; a mean
HOLD_X_TWICE = 5  # rows at most: in another order, or in a compiler's own memory; the others hold it once
VECTORS = 8  # of length m, beside X

# For the estimate of a run's length alone: rough means over the CPU rows on two cores, read off journals.
AROUND_SECONDS = 8.0  # the command, the machine's limits before the run and the report after it
START_SECONDS = 0.65  # a process and its imports
COMPILE_SECONDS = 1.3  # a row's first bind in a dtype, with a cold cache
SHAPE_SECONDS = 5.0  # likewise of each case, for a row that compiles for every shape
READ_BYTES_PER_SECOND = 8e9  # what a two-pass row gets through
ROUND_OVERHEAD_SECONDS = 0.0075

LARGE_BYTES = 24 * 1024**2  # to read in one operation: a round is hardly more than one, and the warm-up as long again
MOST_TURNS_OF_LARGE_DATA = 12

TIME_BUDGET = "time-budget"  # the kind of failure that --max-time makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A row, or one of its cases, that will not run: announced, recorded, never silent."""

    row: str
    kind: str
    reason: str
    case: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run, before it runs."""

    preset: str
    cases: tuple[Case, ...]
    participants: tuple[Participant, ...]
    skips: tuple[Skip, ...]
    generations: int
    turns: int
    seed: int
    timeout_seconds: float
    max_seconds: float | None

    @property
    def budgets(self) -> list[int]:
        """The thread budgets, in the order of the cases."""
        return list(dict.fromkeys(case.threads for case in self.cases))

    def number_of_turns(self, case: Case) -> int:
        """In each generation."""
        is_large = case.reads_x * case.data_bytes > LARGE_BYTES
        return min(self.turns, MOST_TURNS_OF_LARGE_DATA) if is_large else self.turns

    @property
    def traits(self) -> list[Traits]:
        """The kinds of arithmetic to be judged."""
        return list(dict.fromkeys(Traits.of(each.row) for each in self.participants if each.role is Role.ROW))

    def taking_part(self, case: Case) -> list[Participant]:
        return [each for each in self.participants if case.unsupported_by(each.row) is None]

    def memory_bytes(self, case: Case) -> int:
        """What the processes of a case and their runner may hold at once. A record has what its process held."""
        processes = len(self.taking_part(case))
        vectors = VECTORS * case.m * case.itemsize
        copies_of_x = processes + min(processes, HOLD_X_TWICE)
        data = case.copies * (copies_of_x * case.data_bytes + processes * vectors)
        return processes * WORKER_BYTES + data + case.data_bytes

    def seconds(self) -> float:
        """How long the run takes, roughly."""
        start = len(self.budgets) * len(self.participants) * START_SECONDS
        cases = sum(self._case_seconds(case) for case in self.cases)
        return AROUND_SECONDS + self._compile_seconds() + self.generations * (start + cases)

    def _compile_seconds(self) -> float:
        """Caches are cold in the first generation alone."""
        each_shape = sum(each.row.compiles_per_shape for each in self.participants)
        dtypes = len({case.dtype for case in self.cases})
        each_dtype = (len(self.participants) - each_shape) * dtypes
        return each_dtype * COMPILE_SECONDS + each_shape * len(self.cases) * SHAPE_SECONDS

    def _case_seconds(self, case: Case) -> float:
        operation = 2 * case.reads_x * case.data_bytes / READ_BYTES_PER_SECOND
        # A round of at least one operation, and one to warm up.
        return len(self.taking_part(case)) * (
            self.number_of_turns(case) * (ROUND_OVERHEAD_SECONDS + 2 * operation) + 0.1 + 8 * operation
        )

    def to_json(self) -> dict[str, Any]:
        """What a resumed run needs to do exactly the same."""
        return {
            "preset": self.preset,
            "cases": [case.to_json() for case in self.cases],
            "participants": [each.to_json() for each in self.participants],
            "skips": [
                {"row": skip.row, "kind": skip.kind, "reason": skip.reason, "case": skip.case} for skip in self.skips
            ],
            "generations": self.generations,
            "turns": self.turns,
            "seed": self.seed,
            "timeout_seconds": self.timeout_seconds,
            "max_seconds": self.max_seconds,
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Plan:
        return cls(
            **{
                **fields,
                "cases": tuple(map(Case.from_json, fields["cases"])),
                "participants": tuple(map(Participant.from_json, fields["participants"])),
                "skips": tuple(Skip(**skip) for skip in fields["skips"]),
            }
        )


def make_plan(
    rows: Sequence[Implementation],
    cases: Sequence[Case],
    *,
    preset: str,
    generations: int,
    turns: int,
    seed: int,
    timeout_seconds: float,
    max_seconds: float | None,
    skips: Sequence[Skip] = (),
) -> Plan:
    """Leave out, with the reason, every row that cannot run here and every case a row does not take."""
    reasons = {row.name: row.unavailable() for row in rows}
    present = [row for row in rows if reasons[row.name] is None]
    absent = [Skip(row=name, kind="unavailable", reason=reason) for name, reason in reasons.items() if reason]
    unsupported = [
        Skip(row=row.name, kind=why[0], reason=why[1], case=case.name)
        for row in present
        for case in cases
        if (why := case.unsupported_by(row))
    ]
    return Plan(
        preset=preset,
        cases=tuple(cases),
        participants=tuple(participants_of(present, limits_here())),
        skips=(*skips, *absent, *unsupported),
        generations=generations,
        turns=turns,
        seed=seed,
        timeout_seconds=timeout_seconds,
        max_seconds=max_seconds,
    )


def require_memory(plan: Plan, available_bytes: int | None = None) -> None:
    """Raise `ProblemError`, before anything is allocated, when a case does not fit in memory."""
    available = psutil.virtual_memory().available if available_bytes is None else available_bytes
    for case in plan.cases:
        needed, processes = plan.memory_bytes(case), len(plan.taking_part(case))
        if needed > available:
            raise ProblemError(
                f"{case.name} may need {needed / 2**30:.1f} GiB, for {processes} processes at once, each with its "
                f"library and X once or twice; {available / 2**30:.1f} GiB are available. Choose a smaller size with "
                "--sizes, or fewer --rows."
            )
