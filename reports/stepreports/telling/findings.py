"""What the records say: who is fastest where, by how much, what the GPU buys; each claim with its interval.

The claims are sentences with row names between backticks, so that the page, the summary and the terminal can each
set them in their own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise, takewhile

from stepreports.records.stored import Case
from stepreports.statistics.bootstrap import LEAST_GENERATIONS, reachable_confidence
from stepreports.statistics.costs import after_copying
from stepreports.statistics.intervals import (
    LEAST_CONFIDENCE,
    Estimate,
    Verdict,
    detectable_difference,
    ratio,
    ratios,
    verdict,
)
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import DEVICES, LOOP, MATRIX_FORM, View, shares_of_limit, views
from stepreports.telling import text
from stepreports.telling.bases import base_in_words
from stepreports.telling.doubts import circumstances
from stepreports.telling.margins_told import margin_in_words
from stepreports.telling.steadiness_told import time_of

CPU, GPU = (frozenset({device}) for device in DEVICES)


@dataclass(frozen=True)
class Standing:
    """The rows of one device at one case: those that cannot be told from the fastest, fastest first."""

    run: Run
    case: Case
    leaders: Sequence[Record]

    @property
    def fastest(self) -> Record:
        """The row with the smallest median."""
        return self.leaders[0]

    @property
    def names(self) -> frozenset[str]:
        """The leaders, which make two standings alike whatever their order."""
        return frozenset(record.row.name for record in self.leaders)


@lru_cache(maxsize=256)
def standings(view: View, devices: frozenset[str], most: int | None = None) -> list[Standing]:
    """Who leads among the rows of some devices, smallest size first; at the `most` largest sizes, or at all."""
    timed = [[r for r in view.run.cases[case].values() if r.row.device in devices] for case in view.cases]
    asked = list(filter(None, timed))[-most if most else 0 :]
    ranked = [sorted(records, key=lambda record: record.seconds.value) for records in asked]
    found = iter(ratios([(record.turns, records[0].turns) for records in ranked for record in records]))
    return [
        Standing(view.run, records[0].case, [r for r in records if not _is_slower(next(found), margin)])
        for records in ranked
        for margin in [view.run.margin_of(records[0].case)]
    ]


def _is_slower(over: Estimate | None, margin: float) -> bool:
    return over is not None and verdict(over, margin) == Verdict.SLOWER


@lru_cache(maxsize=8)
def headline(run: Run) -> list[str]:
    """Which row to use, in one short sentence a device."""
    found = views(run)
    if not found:
        return [f"Nothing was timed in this run: {_why_nothing(run)}."]
    cpu, gpu = (_recommendation(found[0], device) for device in DEVICES)
    return [cpu, _gpu_pays(found[0])] if cpu and gpu else [sentence for sentence in (cpu, gpu) if sentence]


def _why_nothing(run: Run) -> str:
    """Which of the reasons for an empty run are this one's. The second copy of a row is no row more."""
    failed = {each.row.partition("#")[0] for each in run.failures if not each.skipped}
    skipped = {each.row for each in run.failures if each.skipped} - failed
    implausible = {record.row.name for record in run.records if not record.is_limit}
    reasons = ((failed, "failed"), (skipped, "skipped"), (implausible, "faster than the limit, which cannot be"))
    told = [f"{text.counted(len(rows), 'row')} {reason}" for rows, reason in reasons if rows]
    return text.listed(told) if told else "its records hold no row at all"


@lru_cache(maxsize=8)
def answer(run: Run) -> list[str]:
    """Why: who leads at which size, by how much, what the GPU buys, and what the run could not have told."""
    found = views(run)
    if not found:
        return []
    view = found[0]
    leaders = [claim for device in DEVICES for claim in _leaders_by_size(view, device)]
    return [*leaders, *_gpu_against_cpu(view), *_over_the_loop(view), _resolution(view), *circumstances(run.machine)]


def stretches(view: View, device: str) -> list[list[Standing]]:
    """Stretches of sizes with the same leaders, the smallest sizes first."""
    return [
        list(group) for _, group in groupby(standings(view, frozenset({device})), key=lambda standing: standing.names)
    ]


def _gpu_pays(view: View) -> str:
    """From which size on the GPU is the better choice, and with which row."""
    paying = _paying(view)
    if not paying:
        return "The GPU does not pay at any size timed."
    where = "At every size timed" if len(paying) == len(view.cases) else f"From {paying[0][0].case.size} up"
    return f"{where} the GPU is faster: use {_named(standings(view, GPU)[-1])}."


def _recommendation(view: View, device: str) -> str | None:
    told = _use(view, device)
    if told is None:
        return None
    others = (other for other in views(view.run) if other is not view and _differs_in_dtype(view, other))
    differ = any(_use(other, device) not in (None, told) for other in others)
    return f"On the {DEVICES[device]}{f' in {view.dtype}' if differ else ''}, use {told}."


def _differs_in_dtype(view: View, other: View) -> bool:
    return replace(view, dtype=other.dtype).key == other.key


def _use(view: View, device: str) -> str | None:
    """Which row at which sizes; None where the device ran none."""
    found = stretches(view, device)
    if not found:
        return None
    names = [_named(stretch[-1]) for stretch in found]
    if len(found) == 1:
        return f"{names[0]} at {_every_size(found[0])}"
    if always := _never_beaten(found):
        return f"`{always}`: {_beside_whom(always, found)}"
    largest, second = found[-1], found[-2]
    where = f"from {second[0].case.size} to {second[-1].case.size}" if len(second) > 1 else f"at {second[0].case.size}"
    before = f"{names[-2]} {'below' if len(found) == 2 else where}"
    first = largest[0].case.size
    top = f"from {first} up" if len(largest) > 1 else f"at {first}"
    return f"{names[-1]} {top}, {before}"


def _never_beaten(found: Sequence[Sequence[Standing]]) -> str | None:
    """The row that leads everywhere, alone or not; of several, the fastest at the largest size."""
    everywhere = frozenset.intersection(*(stretch[0].names for stretch in found))
    return next((record.row.name for record in found[-1][-1].leaders if record.row.name in everywhere), None)


def _beside_whom(always: str, found: Sequence[Sequence[Standing]]) -> str:
    """Where the row that nothing beats is the fastest alone, and what it is tied with elsewhere."""
    small, large = found[0], found[-1]
    if len(found) > 2 or large[0].names != {always}:
        return "at every size timed the fastest, or tied with it"
    others = text.listed(sorted(f"`{name}`" for name in small[-1].names - {always}))
    first = large[0].case.size
    return f"the fastest {f'from {first} up' if len(large) > 1 else f'at {first}'}, tied with {others} below"


def _every_size(stretch: Sequence[Standing]) -> str:
    return "every size timed" if len(stretch) > 1 else stretch[0].case.size


def _leaders_by_size(view: View, device: str) -> list[str]:
    """A sentence for each stretch of sizes with the same leaders, the largest sizes first: they take the time."""
    found = stretches(view, device)
    claims = [_lead(stretch, _range_of_sizes(stretch, found)) for stretch in reversed(found)]
    return [f"On this machine's {DEVICES[device]}, {claims[0]}", *claims[1:]] if claims else []


def _range_of_sizes(stretch: Sequence[Standing], everything: Sequence[Sequence[Standing]]) -> str:
    first, last = stretch[0].case.size, stretch[-1].case.size
    if len(stretch) == 1:
        return f"at {first}"
    if len(everything) == 1:
        return "at every size"
    return f"from {first} up" if stretch is everything[-1] else f"from {first} to {last}"


def overtakings(view: View) -> list[str]:
    """Between which two sizes each leader gives way to the next, all devices together."""
    return [
        f"{_named(after)} overtakes {_named(before)} between {before.case.size} and {after.case.size}."
        for before, after in pairwise(standings(view, frozenset(DEVICES)))
        if before.names.isdisjoint(after.names)
    ]


def _named(standing: Standing) -> str:
    return text.listed((f"`{record.row.name}`" for record in standing.leaders), "or")


def _lead(stretch: Sequence[Standing], where: str) -> str:
    top = stretch[-1]
    names = text.listed(f"`{record.row.name}`" for record in top.leaders)
    claim = f"{names} is the fastest" if len(top.leaders) == 1 else f"{names} cannot be told apart and lead"
    at = f" at {top.case.size}" if len(stretch) > 1 else ""
    return f"{claim} {where}: {_how_fast(top, at)}."


def _how_fast(standing: Standing, at: str) -> str:
    """Its time at the case, against the matrix form and against the limit."""
    record, run = standing.fastest, standing.run
    words = [f"{time_of(record)} a step{at}"]
    matrix = run.row_of_technique(MATRIX_FORM)
    other = run.cases[standing.case].get(matrix.name) if matrix else None
    if other and other is not record and (gain := ratio(other.turns, record.turns)):
        words.append(f"{compared(gain, other.row.name, run.margin_of(other.case))} ({base_in_words(other)})")
    if share := shares_of_limit(run, [record])[0]:
        words.append(f"{text.percentage(share)} of the measured limit")
    return text.listed(words)


def compared(gain: Estimate, name: str, margin: float) -> str:
    """`2.1× numpy-blas [1.9, 2.2]`, or that it cannot be told."""
    match verdict(gain.inverse(), margin):
        case Verdict.UNKNOWN:
            seen = text.difference(detectable_difference(gain, margin))
            return f"not to be told from `{name}` ({text.times(gain)}; {seen} would have been seen)"
        case Verdict.SAME:
            return f"the same as `{name}` within {text.percent(margin)}"
        case _:
            return f"{text.number(gain.value, text.decimals(gain))}× `{name}` {text.interval(gain)}"


def _gpu_against_cpu(view: View) -> list[str]:
    """By how much the GPU pays with the data on it already, and after how many steps if it must be copied first."""
    paying = _paying(view)
    if not paying:
        return []
    cpu, gpu, gain = paying[-1]
    against = f"`{cpu.row.name}` ({base_in_words(cpu)})"
    claim = f"`{gpu.row.name}` is {text.times(gain)} as fast as {against} at {cpu.case.size}"
    return [f"The GPU pays from {paying[0][0].case.size} up: {claim}{_copied_first(gpu, cpu)}."]


def _paying(view: View) -> list[tuple[Record, Record, Estimate]]:
    """The sizes from which on the GPU's fastest row is told to be faster than the CPU's: both, and by how much."""
    gpus = {standing.case: standing.fastest for standing in standings(view, GPU)}
    pairs = [(s.fastest, gpus[s.case]) for s in standings(view, CPU) if s.case in gpus]
    over = ratios([(cpu.turns, gpu.turns) for cpu, gpu in pairs])
    gains = [(cpu, gpu, gain) for (cpu, gpu), gain in zip(pairs, over, strict=True)]
    told = takewhile(
        lambda pair: pair[2] is not None and pair[2].low > 1 + view.run.margin_of(pair[0].case), reversed(gains)
    )
    return [(cpu, gpu, gain) for cpu, gpu, gain in told if gain][::-1]


def _copied_first(gpu: Record, cpu: Record) -> str:
    """After how many steps the copy of the data to the device is paid for."""
    steps = after_copying(gpu, cpu)
    return f", and if the data must be copied first, after {text.counted(round(steps.value), 'step')}" if steps else ""


def _over_the_loop(view: View) -> list[str]:
    """What everything buys over the interpreted loop, at the largest size the loop ran."""
    loop = view.run.row_of_technique(LOOP)
    cases = [view.run.cases[case] for case in view.cases if loop and loop.name in view.run.cases[case]]
    if loop is None or not cases or len(cases[-1]) < 2:
        return []
    best = min((r for r in cases[-1].values() if r.row != loop), key=lambda record: record.seconds.value)
    gain = ratio(cases[-1][loop.name].turns, best.turns)
    where = f"At {best.case.size}, the largest size that `{loop.name}` ran"
    took = base_in_words(cases[-1][loop.name])
    return [f"{where} ({took}), `{best.row.name}` is {text.times(gain)} as fast as it."] if gain else []


def _resolution(view: View) -> str:
    run = view.run
    layouts = {record.turns.layout for case in view.cases for record in run.cases[case].values()}
    confidence = min(reachable_confidence(layout.shape) for layout in layouts)
    if confidence < LEAST_CONFIDENCE:
        return f"Too few turns for an interval, so nothing is called different ({view.title})."
    of = _processes({len(layout.shape) for layout in layouts})
    told = f"These are medians with {text.percent(confidence)} intervals{of} ({view.title})."
    return f"{told} {margin_in_words(run, view)}"


def _processes(counts: set[int]) -> str:
    """Over how many processes a row the medians are, and whether their intervals tell of others."""
    fewest, most = min(counts), max(counts)
    over = text.counted(fewest, "process", "es") if fewest == most else f"{fewest} to {most} processes"
    return f" of {over} a row" + ("" if fewest >= LEAST_GENERATIONS else ", not of their like")
