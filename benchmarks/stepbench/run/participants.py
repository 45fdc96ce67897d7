"""Who takes turns: the rows, one of them twice (the A/A control), and the read kernel that is each device's limit.

A row that keeps X in a narrower storage does so in a process of its own, in the turns of its float32 self.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from stepbench.cases.case import Case
from stepbench.machine.children import Home
from stepbench.run.memory_layout import MemoryLayout
from stepkernels.interface import Implementation, Op
from stepkernels.problem import STORAGES

_READS = (Op.FORWARD, Op.BACKWARD, Op.GRADIENT, Op.STEP, Op.TRAIN)

LIMITS = (
    Implementation(
        name="read-limit",
        module="stepbench.machine.read_limit",
        library="numba",
        technique="reads X once and does nothing else",
        summary="The time in which this machine can read X: no implementation can be faster.",
        ops=_READS,
        storages=STORAGES,
        passes_over_x=1,
    ),
    Implementation(
        name="read-limit-cuda",
        module="stepbench.machine.read_limit_cuda",
        library="cupy",
        device="cuda",
        technique="reads X once and does nothing else",
        summary="The time in which this GPU can read X: no implementation can be faster.",
        ops=_READS,
        passes_over_x=1,
        cuda_source="read_limit.cu",
    ),
)


STORED_FOR = "float32"  # what an X in a narrower storage is computed with


class Role(StrEnum):
    """What a participant takes turns for."""

    ROW = "row"  # its numbers are judged, and its time is told
    LIMIT = "limit"  # it reads X and computes nothing: what no row can be faster than
    UNJUDGED = "unjudged"  # what it computes is no step, or is known: only its time is wanted


@dataclass(frozen=True, slots=True)
class Participant:
    """A process of a generation. Replica 1 is the second copy of the control row.

    storage  what it keeps X in, where that is narrower than what it computes with
    layout   where things lie in its memory; None, as in every run, for what is drawn
    home     where a version of the kernels lies that it imports in place of ours; no record says where
    """

    row: Implementation
    replica: int = 0
    role: Role = Role.ROW
    storage: str | None = None
    layout: MemoryLayout | None = None
    home: Home | None = None

    @property
    def key(self) -> str:
        return "#".join(map(str, filter(None, (self.row.name, self.replica, self.storage))))

    @property
    def is_narrow(self) -> bool:
        return self.storage is not None

    def unsupported(self, case: Case) -> tuple[str, str] | None:
        """(kind, reason) why it is not asked to run the case, or None."""
        if self.storage is not None and case.dtype != STORED_FOR:
            return "unsupported", f"an X in {self.storage} is computed with in {STORED_FOR}, not in {case.dtype}"
        return case.unsupported_by(self.row)

    def to_json(self) -> dict[str, Any]:
        told = {"row": self.row.to_json(), "replica": self.replica, "role": str(self.role)}
        return told if self.storage is None else {**told, "storage": self.storage}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Participant:
        row, role = Implementation.from_json(fields["row"]), Role(fields["role"])
        return cls(row, fields["replica"], role, fields.get("storage"))


def can_run_here(row: Implementation) -> bool:
    return row.unavailable() is None


def participants_of(
    rows: Sequence[Implementation],
    can_run: Callable[[Implementation], bool] = can_run_here,
    storages: Sequence[str] = (),
) -> list[Participant]:
    """The processes of a generation: every row, the control's second copy, and the limit of each device in use.

    And of each row that keeps X in one of these storages, one more; so of the limit.

    The control is the first row without a work cap, which runs every case, of the CPU if there is one. `can_run` is
    asked of the limits alone, and only of those whose device is in use.
    """
    controls = sorted((row for row in rows if row.max_work is None), key=lambda row: row.device != "cpu")[:1]
    devices = {row.device for row in rows}
    limits = [limit for limit in LIMITS if limit.device in devices and can_run(limit)]
    return [
        *(Participant(row) for row in rows),
        *(Participant(row, replica=1) for row in controls),
        *(Participant(limit, role=Role.LIMIT) for limit in limits),
        *(Participant(row, storage=storage) for row in rows for storage in storages if storage in row.storages),
        *(
            Participant(limit, role=Role.LIMIT, storage=storage)
            for limit in limits
            for storage in storages
            if storage in limit.storages and any(storage in row.storages for row in rows if row.device == limit.device)
        ),
    ]


def with_control(participants: Sequence[Participant]) -> list[Participant]:
    """The same; where none is a second copy, as of rows that all have a work cap, with one of the first row."""
    rows = [each for each in participants if each.role is Role.ROW]
    second = [] if any(each.replica for each in rows) else [replace(each, replica=1) for each in rows[:1]]
    return [*participants, *second]
