"""What a process did beside its rounds, seen from outside: each a way to be timed for less than the work.

A finding is a sentence, the reason why a row that agrees has no time. It rests on the samples of all generations, and
on their spread: on a shared machine any of them may be off by a scheduler's whim, and where they scatter nothing is
found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import mean, median, stdev, variance
from typing import Any

import numpy as np
from scipy.special import stdtr

LEAST_SAMPLES = 5
SURE = 1e-4  # the chance of a finding where there is nothing, by a t-test: thousands of records are looked at
LATE_SHARE = 0.04  # of an operation, done when a snapshot asks for it
LATE_SECONDS = 5e-6  # below which it may be the caches: after an operation, a first snapshot finds nothing in them
LATE_SNAPSHOTS = 0.5  # likewise of a snapshot: what a library finds out about an array when it is first looked at
FRESH_SHARE = 0.25  # likewise of an operation at a point that it has not seen
FRESH_SECONDS = 5e-5  # and up to as long again: what leads there takes its code and data out of the caches
HOLDING_SHARE = 0.05  # of a round, done when the state is asked for
HOLDING_SECONDS = 1e-4
FORGED_SHARE = 1.5  # of the seconds that a clock told, seen by the runner
PROCESSORS_SLACK = 1.1  # clocks of processes and of the wall are read a moment apart
GROWTH_BYTES = 2**20  # of memory: less than this may be a cache that fills
GROWTH_IS_STEADY = 0.98  # the correlation with the operations made: memory that is lost, and no cache
GROWTH_BYTES_PER_OPERATION = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What loops beside the rounds showed.

    operation_seconds  of an operation of the case, waited for
    late_seconds       of it, done when a snapshot asked for it: how much longer a first snapshot takes than a second
    fresh_seconds      an operation at a point not seen before; None where the operation moves on anyway
    idle_seconds       telling what it holds, with nothing done before
    snapshot_seconds   a snapshot in the kernel's own process, after another; None of a journal of before
    changed            what it changed of how its process runs, in words
    """

    operation_seconds: float
    late_seconds: float
    fresh_seconds: float | None
    idle_seconds: float
    changed: str | None
    snapshot_seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Conduct:
    """What was seen of one participant on one case, over all generations.

    on_host  whether its state is in the host's memory, so that telling it is a copy of some hundred bytes
    rounds   told, seen and processor seconds, calls and resident bytes of each
    holding  seconds of telling what it holds after those rounds that were judged
    """

    threads: int
    on_host: bool = True
    rounds: list[dict[str, Any]] = field(default_factory=list)
    holding: list[float] = field(default_factory=list)
    watched: list[Watched] = field(default_factory=list)

    def findings(self) -> list[str]:
        """All that is wrong, in sentences; empty for an honest row."""
        looks: Iterable[Callable[[], str | None]] = (
            self._changed, self._clock, self._processors, self._left_for_later, self._left_for_snapshots,
            self._remembers, self._grows,
        )  # fmt: skip
        return [finding for look in looks if (finding := look())]

    def _changed(self) -> str | None:
        return next((each.changed for each in self.watched if each.changed), None)

    def _clock(self) -> str | None:
        """A clock that tells of less than the runner saw, by far, and than the processors worked."""
        forged = [
            each
            for each in self.rounds
            if each["seen_seconds"] > FORGED_SHARE * each["told_seconds"]
            and each["processor_seconds"] > PROCESSORS_SLACK * self.threads * each["told_seconds"]
        ]
        if not forged or len(forged) <= len(self.rounds) / 2:
            return None
        told, seen = (_median_of(forged, name) for name in ("told_seconds", "seen_seconds"))
        return f"its own clock told {told * 1e3:.3g} ms a round where the runner's told {seen * 1e3:.3g} ms"

    def _processors(self) -> str | None:
        used, wall = (sum(each[name] for each in self.rounds) for name in ("processor_seconds", "seen_seconds"))
        if used <= PROCESSORS_SLACK * self.threads * wall:
            return None
        return f"it used {used:.3g} s of processor time in {wall:.3g} s, on a budget of {_threads(self.threads)}"

    def _left_for_later(self) -> str | None:
        """Work that begins when the state is asked for: it takes longer after a round than after nothing."""
        idle = [each.idle_seconds for each in self.watched]
        if len(self.holding) < 2 or len(idle) < LEAST_SAMPLES:
            return None
        round_seconds = _median_of(self.rounds, "seen_seconds")
        allowed = max(HOLDING_SHARE * round_seconds, HOLDING_SECONDS)
        if not _surely_more(self.holding, np.add(idle, allowed).tolist()):
            return None
        return (
            f"to tell what it holds took {(median(self.holding) - median(idle)) * 1e3:.3g} ms more after a round of "
            f"{round_seconds * 1e3:.3g} ms than after none: the work is not done when synchronize returns"
        )

    def _left_for_snapshots(self) -> str | None:
        if not _surely_positive([each.late_seconds - self._allowed_late(each) for each in self.watched]):
            return None
        share = median(each.late_seconds / each.operation_seconds for each in self.watched)
        return (
            f"{share:.0%} of an operation is done when a snapshot asks for it, and not when it is called: a first "
            "snapshot takes so much longer than a second"
        )

    def _allowed_late(self, look: Watched) -> float:
        """A slow snapshot may differ from the next by more, and one of a kernel's own is told beside its time.

        From a device the first copies take longer than the next, by up to what telling takes with nothing done.
        """
        usual = max(LATE_SHARE * look.operation_seconds, LATE_SECONDS, LATE_SNAPSHOTS * (look.snapshot_seconds or 0.0))
        return usual if self.on_host else max(usual, look.idle_seconds)

    def _remembers(self) -> str | None:
        pairs = [(each.fresh_seconds, each.operation_seconds) for each in self.watched]
        known = [(new, old) for new, old in pairs if new is not None]
        if not _surely_positive([new - old - _allowed_fresh(old) for new, old in known]):
            return None
        times = median(new / old for new, old in known)
        return f"an operation takes {times:.3g} times as long at a point that it has not seen: it remembers its answer"

    def _grows(self) -> str | None:
        """By a straight line through what it held in the second half of a generation's rounds."""
        worst = max((_growth(rounds) for rounds in self._by_generation()), default=(0.0, 0.0))
        if worst[0] < GROWTH_BYTES or worst[1] < GROWTH_BYTES_PER_OPERATION:
            return None
        return f"its memory grew by {worst[0] / 2**20:.0f} MiB while it was timed, {worst[1]:,.0f} bytes an operation"

    def _by_generation(self) -> list[list[dict[str, Any]]]:
        numbers = dict.fromkeys(each["generation"] for each in self.rounds)
        return [[each for each in self.rounds if each["generation"] == number] for number in numbers]


def _growth(rounds: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Bytes grown over the rounds after the first quarter, and bytes an operation; by a fitted line."""
    later = [each for each in rounds[len(rounds) // 4 :] if each["resident_bytes"] is not None]
    if len(later) < LEAST_SAMPLES:
        return 0.0, 0.0
    operations = np.cumsum([each["calls"] for each in later], dtype=float)
    resident = np.array([each["resident_bytes"] for each in later], float)
    if np.ptp(resident) == 0.0 or np.corrcoef(operations, resident)[0, 1] < GROWTH_IS_STEADY:
        return 0.0, 0.0
    slope = float(np.polyfit(operations, resident, 1)[0])
    return slope * float(operations[-1] - operations[0]), slope


def _allowed_fresh(operation_seconds: float) -> float:
    """By how much longer an honest operation may take at a new point."""
    return max(FRESH_SHARE * operation_seconds, min(operation_seconds, FRESH_SECONDS), LATE_SECONDS)


def _median_of(rounds: Sequence[dict[str, Any]], name: str) -> float:
    return float(median(each[name] for each in rounds))


def _surely_positive(samples: Sequence[float]) -> bool:
    """By Student's t-test, or by a test of signs: all of so many are positive."""
    count = len(samples)
    if count < LEAST_SAMPLES:
        return False
    all_positive = min(samples) > 0.0 and 0.5**count < SURE
    return all_positive or _is_sure(mean(samples), stdev(samples) / count**0.5, count - 1)


def _surely_more(samples: Sequence[float], others: Sequence[float]) -> bool:
    """By Welch's t-test, the degrees of freedom no more than those of the fewer samples."""
    error = (variance(samples) / len(samples) + variance(others) / len(others)) ** 0.5
    return _is_sure(mean(samples) - mean(others), error, min(len(samples), len(others)) - 1)


def _is_sure(excess: float, standard_error: float, degrees_of_freedom: int) -> bool:
    if standard_error == 0.0:
        return excess > 0.0
    return bool(stdtr(degrees_of_freedom, -excess / standard_error) < SURE)


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"
