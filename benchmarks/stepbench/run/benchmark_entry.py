"""One benchmark of `benchmark.json`: pytest-benchmark's own format, with all that is ours in its extra_info."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from pytest_benchmark.stats import Stats

from stepbench.cases.case import Case
from stepbench.run.attempts import Timing
from stepbench.run.participants import Participant, Role
from stepkernels.interface import Op
from stepreports.records.journal import SCHEMA, Event
from stepreports.statistics import intervals

TIMER = "stepbench.worker.measure.Clock"  # what records call the clock of a worker, whichever file it is in
AGREEMENT_FIELDS = ("J", "gw", "gb", "w", "b")

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkEntry:
    """A participant on a case.

    starts  the starts of its processes, one a generation
    limit   the read limit of its device on the case; empty without one
    alone   what a process found that did nothing but this case; empty where none did
    distance  of an X in a narrower storage, how far its truth is from that of the unrounded one; empty otherwise
    """

    run_id: str
    seed: int
    participant: Participant
    case: Case
    timing: Timing
    starts: list[Event]
    limit: Timing
    alone: Mapping[str, Any] = field(default_factory=dict)
    distance: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> Fields:
        key, case = self.participant.key, self.case
        name = f"{case.op}[{key}-{case.name}]"
        return {
            "group": case.name,
            "name": name,
            "fullname": f"stepbench/suite::{name}",
            "params": {"row": key, "case": case.name},
            "param": f"{key}-{case.name}",
            "extra_info": self._extra_info(),
            "options": {"timer": TIMER, "disable_gc": True},
            "stats": self._stats(),
        }

    def _extra_info(self) -> Fields:
        return {
            "schema": SCHEMA,
            "run_id": self.run_id,
            **self._row(),
            **self.case.to_json(),
            **self._storage(),
            "train_as_steps": self.case.op == Op.TRAIN and Op.TRAIN not in self.participant.row.ops,
            **self._rounds(),
            **self._least_cost(),
            "agreement": self._worst_agreement(),
            **self._proof(),
            **self._seconds_before_the_rounds(),
            **self._layouts(),
            **self._state_of_the_machine(),
            "memory": self._memory(),
            "energy": self.alone.get("energy"),
            "implausible": self.participant.role is Role.ROW and self._beats_its_limit(),
        }

    def _row(self) -> Fields:
        row = self.participant.row
        return {
            "role": str(self.participant.role),
            "row": row.name,
            "replica": self.participant.replica,
            "library": row.library,
            "library_version": self.starts[-1]["library_version"] if self.starts else "unknown",
            "technique": row.technique,
            "summary": row.summary,
            "device": row.device,
            "own_kernel": row.module.endswith(".py"),
        }

    def _storage(self) -> Fields:
        """What X is kept in, where that is narrower than the dtype, and what that costs in accuracy."""
        told = {"storage": self.participant.storage, "distance": self.distance or None}
        return told if self.participant.is_narrow else {}

    def _rounds(self) -> Fields:
        """Who was where when, a value a round."""
        rounds = self.timing.rounds
        return {
            "pools": self._bound[-1]["pools"],
            "generation": [event["generation"] for event in rounds],
            "turn": [event["turn"] for event in rounds],
            "order": [event["order"] for event in rounds],
            "calls": [event.get("calls") for event in rounds],
            "processors_used": processors_used(rounds),
            "seed": self.seed,
        }

    def _least_cost(self) -> Fields:
        """What the operation must read and compute, and the time in which this machine could."""
        limit = self.limit.seconds
        return {
            "passes_over_x": self.participant.row.passes_over_x,
            "bytes": self.case.bytes_of(self.participant.storage),
            "flops": self.case.flops,
            "limit_seconds": median(limit) if limit else None,
        }

    def _worst_agreement(self) -> dict[str, float | None]:
        """The worst error of each field over every check of the case, in units of its bound; None: not computed."""
        checks = [event["agreement"] for event in self.timing.events if event.get("agreement")]
        return {
            name: max((check[name] for check in checks if name in check), default=None) for name in AGREEMENT_FIELDS
        }

    def _proof(self) -> Fields:
        """What was held to the truth, and what could be hidden from it.

        judged_rounds     of the rounds themselves
        unseen_steps      the most of a round that could be missing unseen
        snapshot_seconds  of a snapshot, in which as much could be done
        """
        judged = self.timing.of("judged")
        unseen = [event["unseen_steps"] for event in judged if event.get("unseen_steps") is not None]
        taken = [event["snapshot_seconds"] for event in self.timing.of("watched") if event.get("snapshot_seconds")]
        return {
            "judged_rounds": len(judged),
            "unseen_steps": max(unseen, default=None),
            "snapshot_seconds": median(taken) if taken else None,
        }

    def _seconds_before_the_rounds(self) -> Fields:
        """One a generation. A CPU row reads X where it lies: it has no copies."""
        return {
            "import_seconds": [event["import_seconds"] for event in self.starts],
            "bind_seconds": [event["bind_seconds"] for event in self._bound],
            "first_call_seconds": [event["first_call_seconds"] for event in self._bound],
            "plan": [event.get("plan") for event in self._bound],
            "copy_to_device_seconds": _all_or_none(self._bound, "copy_to_device_seconds"),
        }

    def _layouts(self) -> Fields:
        """Where things lay in the memory of its processes, one a generation; None of a journal of before."""
        layouts = [event.get("layout") or {} for event in self.starts]
        return {name: [layout.get(name) for layout in layouts] for name in ("padding_bytes", "x_offset_bytes")}

    def _state_of_the_machine(self) -> Fields:
        """By the device's own clock, one a round; its clocks and temperature; the memory of the process."""
        states = (event["device_state"] for event in self.timing.events if event.get("device_state"))
        peaks = (event["peak_memory_bytes"] for event in self.timing.of("left"))
        return {
            "device_seconds": _all_or_none(self.timing.rounds, "device_seconds"),
            "device_state": next(states, None),
            "peak_memory_bytes": max((peak for peak in peaks if peak is not None), default=None),
        }

    def _memory(self) -> Fields | None:
        """Bytes beyond X, y and the libraries, and how much of X was copied; None where not measured.

        peak_bytes, held_bytes  at most, and once the row was at work
        fixed_bytes             at most, in another process on little data: code, and whatever else does not grow
        copies_of_x             what grows, at most, as a multiple of X and y
        """
        large, small = _beyond(self.alone), _beyond(self.alone.get("small") or {})
        if large is None:
            return None
        fixed = small["peak_bytes"] if small else None
        grown = self.case.data_bytes - self.alone["small"]["data_bytes"] if small else 0
        copies = (large["peak_bytes"] - fixed) / grown if fixed is not None and grown > 0 else None
        return {**large, "fixed_bytes": fixed, "copies_of_x": copies}

    def _beats_its_limit(self) -> bool:
        """Whether it is faster than the limit over the whole interval of the within-turn ratio: it cannot be."""
        ratio = intervals.ratio(self.timing.turns, self.limit.turns)
        return ratio is not None and ratio.high < 1.0

    def _stats(self) -> Fields:
        stats = Stats()
        for seconds in self.timing.seconds:
            stats.update(seconds)
        return {**stats.as_dict(), "data": stats.data, "iterations": self._bound[-1]["iterations"]}

    @property
    def _bound(self) -> list[Event]:
        return self.timing.of("bound")


def processors_used(rounds: list[Event]) -> float | None:
    """How many processors the process kept busy in its rounds, by the runner's clocks; None where it cannot know."""
    found = [
        event["processor_seconds"] / event["seen_seconds"]
        for event in rounds
        if event.get("processor_seconds") and event.get("seen_seconds")
    ]
    return median(found) if found else None


def _beyond(alone: Mapping[str, Any]) -> dict[str, int] | None:
    """What a process held beyond its libraries and the data."""
    before, data, *rest = (alone.get(f"{name}_bytes") for name in ("before", "data", "peak", "held"))
    if before is None or data is None or None in rest:
        return None
    peak, held = (max(0, value - before - data) for value in rest if value is not None)
    return {"peak_bytes": peak, "held_bytes": held}


def _all_or_none(events: list[Event], name: str) -> list[float] | None:
    """The values of all events; None where any has none."""
    values = [event[name] for event in events]
    return None if None in values else values
