"""What a run will do, settled before it starts: who takes part, which cases, how often; what is left out, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from stepbench.cases.case import Case
from stepbench.cases.file_names import shown_name
from stepbench.run.participants import Participant, Role
from stepbench.run.provenance import Source
from stepkernels.agreement import Traits
from stepkernels.interface import Implementation
from stepreports.records.turn_order import TURNS_APART, turns_of_large_data

TUNED_BYTES = 2**24  # smaller data are copied into tiles by the rows that are tuned, and need no plan
LARGE_BYTES = 24 * 1024**2  # to read in one operation: a round is hardly more than one, and the warm-up as long again
SLOW_SHARE = 0.1  # of the work that a row is capped at, from which on a round of it takes as long as ten of others
LEAST_TURNS = 9  # of such a row, in all: its ratio to others is in the hundreds, and nine turns tell it
WATCHED_TURNS, FEWEST_WATCHED = 15, 5  # in all generations, and in each

QUICK = "quick"  # the preset that is over in a minute: nothing is measured after its turns
TIME_BUDGET = "time-budget"  # the kind of failure that --max-time makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A row, or one of its cases, that will not run: announced, recorded, never silent.

    fault  whether the row is at fault, as one that was found wrong before anything was timed
    """

    row: str
    kind: str
    reason: str
    case: str | None = None
    fault: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run, before it runs.

    generations     of every case; where there is a budget, the fewest
    budget_seconds  in which cases may have more of them, until their intervals are narrow; None for no more
    named           the rows that were asked for by name: each has a record of every case, or the run has failed
    required        the rows that have to be timed, on whatever cases they take
    kernels         the files of rows that are none of the catalogue's
    data            the files that are timed on
    """

    preset: str
    cases: tuple[Case, ...]
    participants: tuple[Participant, ...]
    skips: tuple[Skip, ...]
    generations: int
    turns: int
    seed: int
    timeout_seconds: float
    max_seconds: float | None
    named: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    kernels: tuple[Source, ...] = ()
    data: tuple[Source, ...] = ()
    budget_seconds: float | None = None

    @property
    def is_worth_tuning(self) -> bool:
        """Whether half a minute more is little beside what it takes, and tuning matters to it."""
        return self.budget_seconds is not None and self.goes_by_what_is_tuned

    @property
    def goes_by_what_is_tuned(self) -> bool:
        """Whether data lie where rows that are tuned to a machine go by that."""
        return any(case.data_bytes > TUNED_BYTES for case in self.cases)

    @property
    def budgets(self) -> list[int]:
        """The thread budgets, in the order of the cases."""
        return list(dict.fromkeys(case.threads for case in self.cases))

    def number_of_turns(self, case: Case) -> int:
        """In each generation."""
        is_large = case.reads_x * case.data_bytes > LARGE_BYTES
        return turns_of_large_data(self.turns, self.generations) if is_large else self.turns

    def turns_of(self, participant: Participant, case: Case) -> range:
        """The turns of a generation that it takes part in, the last among them: all, or of a slow row one in four."""
        turns, cap = self.number_of_turns(case), participant.row.max_work
        is_slow = cap is not None and case.work > SLOW_SHARE * cap
        apart = TURNS_APART if is_slow and self.generations * turns >= TURNS_APART * LEAST_TURNS else 1
        return range((turns - 1) % apart, turns, apart)

    @property
    def watched_turns(self) -> int:
        """In how many turns of a generation each row is looked at beside its rounds, as long as it is not enough."""
        return max(FEWEST_WATCHED, math.ceil(WATCHED_TURNS / self.generations))

    @property
    def binds_at_once(self) -> int:
        """How many participants bind at a time, before any is timed. Beside another, what it takes is told too long."""
        return 2 if self.preset == QUICK else 1

    @property
    def traits(self) -> list[Traits]:
        """The kinds of arithmetic to be judged."""
        return list(dict.fromkeys(Traits.of(each.row) for each in self.participants if each.role is Role.ROW))

    def taking_part(self, case: Case) -> list[Participant]:
        return [each for each in self.participants if each.unsupported(case) is None]

    def storages(self, case: Case) -> list[str | None]:
        """What X is kept in by those that take the case, None for its dtype, which comes first."""
        return [None, *dict.fromkeys(each.storage for each in self.taking_part(case) if each.storage)]

    def without_places(self) -> Plan:
        """The same as a record has it: where data, and versions of kernels, lie is nobody's business."""
        rows = (replace(each.row, module=_without_place(each.row.module)) for each in self.participants)
        return replace(
            self,
            participants=tuple(replace(each, row=row) for each, row in zip(self.participants, rows, strict=True)),
            kernels=tuple(replace(each, file=_without_place(each.file)) for each in self.kernels),
            data=tuple(source.without_place() for source in self.data),
        )

    def to_json(self) -> dict[str, Any]:
        """What a resumed run needs to do exactly the same."""
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "cases": [case.to_json() for case in self.cases],
            "participants": [each.to_json() for each in self.participants],
            "skips": [asdict(skip) for skip in self.skips],
            "kernels": [source.to_json() for source in self.kernels],
            "data": [source.to_json() for source in self.data],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Plan:
        return cls(
            **{
                **stored,
                "cases": tuple(map(Case.from_json, stored["cases"])),
                "participants": tuple(map(Participant.from_json, stored["participants"])),
                "skips": tuple(Skip(**skip) for skip in stored["skips"]),
                **{name: tuple(stored.get(name, ())) for name in ("named", "required")},
                **{
                    name: tuple(Source.from_json(each) for each in stored.get(name, ())) for name in ("kernels", "data")
                },
            }
        )


def _without_place(module: str) -> str:
    """A kernel file that is named from the working folder stays so: there the user has put it."""
    return shown_name(Path(module)) if Path(module).is_absolute() else module


def absent_rows(rows: Sequence[Implementation]) -> dict[str, Skip]:
    """The rows that cannot run here, by name, each with the reason."""
    reasons = {row.name: row.unavailable() for row in rows}
    return {name: Skip(row=name, kind="unavailable", reason=reason) for name, reason in reasons.items() if reason}


def unsupported_cases(rows: Sequence[Implementation], cases: Sequence[Case]) -> list[Skip]:
    """The cases that a row does not take, each with the reason."""
    return [
        Skip(row=row.name, kind=why[0], reason=why[1], case=case.name)
        for row in rows
        for case in cases
        if (why := case.unsupported_by(row))
    ]
