"""What a scaling says: each number of ranks beside the best single process, and what its step is made of.

Everything is held to the best that one process does on this machine with all its processors, as McSherry and others
ask for ("Scalability! But at what COST?", HotOS 2015), never to one rank of itself. Ratios are within turns. The model
is a plain one: a step takes as long as a rank reads its share, and what a step takes beside reading on this link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from stepreports.comparison.scaling_report.scale_records import Failed, Parts, ScaleRecord, Timed
from stepreports.records.turns import Turns
from stepreports.statistics.intervals import Estimate, Verdict, estimate, ratio, ratio_between_runs, verdict
from stepreports.statistics.many_looks import lasting_difference
from stepreports.statistics.margins import LEAST_MARGIN

NUMBER_BYTES = 8  # what travels is float64
NO_SECONDS = 1e-9  # what a difference of two times is at the least, so that it has a logarithm
MOST_PREDICTED = 1024  # ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What a step of so many ranks is made of. One process measured it, and the intervals are of that one alone.

    exposed    of its time, while no rank computes
    straggler  how many times as long the slowest rank computes as the median one, of two the faster
    model      seconds: reading a share, and a step beside it
    """

    exposed: Estimate
    straggler: Estimate
    reading: Estimate
    link: Estimate

    @property
    def model(self) -> float:
        return self.reading.value + self.link.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """So many ranks at a case.

    gain        how many times as fast as the best single process
    efficiency  the same for each processor: those that the ranks use, beside those that the single process does
    over_one    how many times as fast as one rank, on the same data
    received    bytes that come to each rank in a step
    """

    ranks: int
    seconds: Estimate
    gain: Estimate
    efficiency: Estimate
    verdict: Verdict
    over_one: Estimate | None
    received: int
    parts: Composition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What the model says of more ranks than were tried."""

    ranks: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledCase:
    """A size with everything that was timed there.

    best       the fastest single process, or of those that lie within the margin of it the one of fewest threads
    threads    how many times as fast as one process with the ranks' own row, of one thread: what threads gain here
    predicted  every number of ranks beyond the most that had a processor each, up to the fastest by the model
    """

    m: int
    n: int
    dtype: str
    shares: int
    best: str
    best_seconds: Estimate
    best_threads: int
    threads: Estimate | None
    margin: float
    points: Sequence[Point]
    predicted: Sequence[Predicted]

    @property
    def in_words(self) -> str:
        return f"{self.m:,} × {self.n}, {self.dtype}"

    @property
    def pays_from(self) -> int | None:
        """The fewest ranks tried that are faster than the best single process beyond doubt: the COST."""
        return min((each.ranks for each in self.points if each.verdict == Verdict.FASTER), default=None)

    @property
    def predicted_to_pay_from(self) -> int | None:
        """The same of ranks that were not tried, by the model."""
        slowest = self.best_seconds.value / (1 + self.margin)
        return next((each.ranks for each in self.predicted if each.seconds < slowest), None)

    @property
    def marked(self) -> list[Predicted]:
        """Of what is predicted, that which is shown: doublings, the first that pays, and the fastest."""
        shown = {self.predicted_to_pay_from, *(each.ranks for each in self.predicted[-1:])}
        return [each for each in self.predicted if each.ranks in shown or each.ranks.bit_count() == 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakPoint:
    """So many shares on as many ranks.

    one_share  the time of one share on one rank over this; measured at another moment, so with a wider interval. None
               where that was not timed
    """

    ranks: int
    case: ScaledCase
    point: Point
    one_share: Estimate | None


@dataclass(frozen=True)
class Scaled:
    """Everything that is told."""

    record: ScaleRecord
    cases: Sequence[ScaledCase]

    @property
    def failed(self) -> Sequence[Failed]:
        return self.record.failed

    @cached_property
    def series(self) -> list[list[WeakPoint]]:
        """In weak scaling, the cases that are made of shares of one size, by the number of ranks."""
        if not self.record.weak:
            return []
        shares: dict[tuple[int, int, str], list[ScaledCase]] = {}
        for case in self.cases:
            shares.setdefault((case.m // case.shares, case.n, case.dtype), []).append(case)
        return [found for each in shares.values() if (found := self._weak(each))]

    def _weak(self, cases: Sequence[ScaledCase]) -> list[WeakPoint]:
        turns = {case.shares: _of_ranks(self.record.timed, case, case.shares) for case in cases}
        one = turns.get(1)
        return [
            WeakPoint(
                ranks=case.shares,
                case=case,
                point=point,
                one_share=None if one is None else ratio_between_runs(one, own),
            )
            for case in cases
            for point in case.points
            if point.ranks == case.shares and (own := turns[case.shares]) is not None
        ]


def scaled(record: ScaleRecord) -> Scaled:
    """What the record says. A case without a single process, or without any ranks, says nothing and is left out."""
    keys = dict.fromkeys((each.m, each.n, each.dtype, each.shares) for each in record.timed)
    found = (_case(record, [each for each in record.timed if _key(each) == key]) for key in keys)
    return Scaled(record, [case for case in found if case is not None])


def _key(timed: Timed) -> tuple[int, int, str, int]:
    return timed.m, timed.n, timed.dtype, timed.shares


def _case(record: ScaleRecord, timed: Sequence[Timed]) -> ScaledCase | None:
    singles = {each.row: turns_of(each) for each in timed if each.ranks is None and not each.replica}
    groups = {each.ranks: turns_of(each) for each in timed if each.ranks is not None}
    if not singles or not groups:
        return None
    m, n, dtype, shares = _key(timed[0])
    times = {row: estimate(turns) for row, turns in singles.items()}
    margin = _margin(timed)
    threads_of = {each.row: each.threads for each in timed}
    near = min(each.value for each in times.values()) * (1 + margin)
    best = min((row for row in times if times[row].value <= near), key=lambda row: (threads_of[row], times[row].value))
    parts = {each.ranks: each for each in record.parts if (each.m, each.n, each.dtype) == (m, n, dtype)}
    points, everywhere = [], record.processors * record.hosts
    for ranks, turns in sorted(groups.items()):
        gain = ratio(singles[best], turns)
        if gain is None:
            continue
        points.append(
            Point(
                ranks=ranks,
                seconds=estimate(turns),
                gain=gain,
                efficiency=gain.scaled(threads_of[best] / min(ranks, everywhere)),
                verdict=verdict(gain.inverse(), margin),
                over_one=ratio(groups[1], turns) if 1 in groups else None,
                received=NUMBER_BYTES * (n + 2) * (ranks - 1),
                parts=composition_of(parts[ranks]) if ranks in parts else None,
            )
        )
    if not points:
        return None
    threads = ratio(singles[record.row], singles[best]) if record.row in singles else None
    return ScaledCase(
        m=m, n=n, dtype=dtype, shares=shares, best=best, best_seconds=times[best], best_threads=threads_of[best],
        threads=threads, margin=margin, points=points, predicted=_predicted(points, everywhere),
    )  # fmt: skip


def turns_of(timed: Timed) -> Turns:
    return {(generation, turn): seconds for generation, turn, seconds in timed.turns}


def _of_ranks(timed: Iterable[Timed], case: ScaledCase, ranks: int) -> Turns | None:
    key = (case.m, case.n, case.dtype, case.shares)
    return next((turns_of(each) for each in timed if each.ranks == ranks and _key(each) == key), None)


def _margin(timed: Sequence[Timed]) -> float:
    """How far a single process that is timed twice lies from itself; nothing closer is called different."""
    copies: dict[str, list[Turns]] = {}
    for each in timed:
        if each.ranks is None:
            copies.setdefault(each.row, []).append(turns_of(each))
    pairs = [(found[0], found[1]) for found in copies.values() if len(found) > 1]
    return max(LEAST_MARGIN, lasting_difference(pairs)) if pairs else LEAST_MARGIN


def composition_of(parts: Parts) -> Composition:
    step, slowest, middle = parts.step_seconds, parts.slowest_seconds, parts.middle_seconds
    return Composition(
        exposed=estimate(_each(step, slowest, lambda whole, rank: max(whole - rank, NO_SECONDS) / whole)),
        straggler=estimate(_each(slowest, middle, lambda most, usual: most / max(usual, NO_SECONDS))),
        reading=estimate(_each(parts.reading_seconds, parts.reading_seconds, lambda one, _: max(one, NO_SECONDS))),
        link=estimate(_each(parts.link_seconds, parts.link_seconds, lambda one, _: max(one, NO_SECONDS))),
    )


def _each(a: Sequence[Sequence[float]], b: Sequence[Sequence[float]], of: Callable[[float, float], float]) -> Turns:
    """A figure of each step. All rounds are of one process, and so of one generation: nothing was drawn anew."""
    pairs = zip(chain.from_iterable(a), chain.from_iterable(b), strict=True)
    return {(0, k): of(one, other) for k, (one, other) in enumerate(pairs)}


def _predicted(points: Sequence[Point], processors: int) -> list[Predicted]:
    """What the model says of more ranks, each with processors and memory of its own as those that were tried.

    From the largest number of ranks that had a processor each, and as much above or below the model as their step was:
    a share is read in less time as it is smaller, and the sums of every further rank take as long to come as those of
    each did. So the time falls to its least and then rises, which is left out; one number of ranks is told in any case.
    """
    tried = [each for each in points if 1 < each.ranks <= processors and each.parts is not None]
    if not tried or (parts := tried[-1].parts) is None:
        return []
    ranks, factor = tried[-1].ranks, tried[-1].seconds.value / parts.model
    hop = parts.link.value / (ranks - 1)
    found: list[Predicted] = []
    for count in range(ranks + 1, MOST_PREDICTED + 1):
        seconds = factor * (parts.reading.value * ranks / count + hop * (count - 1))
        if found and seconds > found[-1].seconds:
            break
        found.append(Predicted(ranks=count, seconds=seconds))
    return found
