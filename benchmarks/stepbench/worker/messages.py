"""What the runner and a worker say to one another: pickled pairs (kind, fields) over one socket.

The runner asks one question at a time, and the worker gives one answer:

orders  its row and its cases                    started  the row is loaded
bind    a case, its data and what it must give   bound    the row agrees, and can be timed
round                                            round    one round, timed
judge   what another point must give             judged   the row agrees still

or, to any of them, `failed`. What is answered goes into the journal as it is, under the kind's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:  # a worker imports this before it has its thread budget, so nothing is loaded here
    from collections.abc import Sequence
    from pathlib import Path

    from stepbench.cases.case import Case
    from stepkernels.problem import Config

Question = Literal["orders", "bind", "round", "judge"]
ANSWERS: dict[Question, str] = {"orders": "started", "bind": "bound", "round": "round", "judge": "judged"}
FAILED = "failed"

Errors = dict[str, float]  # of each field, in units of its bound


class Orders(TypedDict):
    row: dict[str, Any]  # of `Implementation.to_json`
    cases: Sequence[Case]


class Bind(TypedDict):
    case: str  # its name
    data: Path  # of `save_problem`
    config: Config
    before: Path | None  # of `save_expectations`; None for what is not judged
    rounds: int


class Judge(TypedDict):
    after: Path | None  # as `before`


class Started(TypedDict):
    import_seconds: float
    library_version: str


class Bound(TypedDict):
    bind_seconds: float
    first_call_seconds: float
    copy_to_device_seconds: float | None
    iterations: int  # of the operation in a round
    pools: dict[str, int]
    agreement: Errors | None


class Round(TypedDict):
    seconds: float  # of one iteration
    device_seconds: float | None


class Judged(TypedDict):
    agreement: Errors | None
    device_state: dict[str, Any] | None
    peak_memory_bytes: int


class Failed(TypedDict):
    kind: str
    reason: str
