"""The harness measured by itself, through the same processes, turns and intervals as any run.

1. Bias: steps of known duration; how far the median lies from the truth, and below which duration more than 1 %. What
   a call costs, which steps of known duration hide, is measured by an empty one and added.
2. A/A: one row in several processes, each beside the first, as rows stand beside a baseline; how often the harness
   says "different" when nothing is.
3. A slow-down of 5 % injected into all but the first; how often it is seen, where it could be.
4. The same pairs as `stepbench compare` would judge them (see `judged_as_versions`).
5. Layout: what the size of a process's environment and the place of X in its page do to small cases.

All of it on one thread: it is the harness that is measured, and not how evenly a pool wakes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stepbench.cases.case import Case
from stepbench.cases.presets import PRESETS
from stepbench.evidence import judged_as_versions, layout_effects
from stepbench.evidence.declared import SELF_TESTED
from stepbench.evidence.judged_as_versions import JudgedAsVersions
from stepbench.machine.description import cache_sizes
from stepbench.run.in_turns import time_in_turns
from stepbench.run.participants import Participant, Role
from stepbench.run.progress import Progress
from stepkernels.catalog import CATALOG
from stepkernels.interface import Implementation, Op
from stepreports.records.turns import Turns
from stepreports.statistics import intervals
from stepreports.statistics.margins import Margins, Place, margins_of, place_of

BIAS_FROM_SECONDS = 50e-6  # the shortest duration for which a bias of at most 1 % is promised
MOST_BIAS = 0.01
SLOWER = 0.05
MOST_FALSE_ALARMS = 2
LEAST_SEEN = 0.95
KNOWN_SPEED = "stepbench.evidence.known_speed"
BASE, CONTROL = "base", "control"

Verdict = intervals.Verdict
Pair = tuple[str, str]  # the names of two rows
Timed = dict[tuple[str, str], Turns]  # by participant and name of the case


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much to measure.

    others   rows that are compared with the base, beside a control from which the margin is taken as in any run
    repeats  data sets of each size: others · sizes · repeats comparisons, 200 unless told otherwise
    copies   processes of each kind of layout, at the first `shifted` of the sizes
    """

    known_seconds: Sequence[float] = (1e-6, 5e-6, 20e-6, 50e-6, 200e-6, 2e-3)
    others: int = 8
    sizes: Sequence[tuple[int, int]] = ((200, 10), (569, 30), (1_000, 20), (4_000, 50), (20_000, 20))
    repeats: int = 5
    copies: int = 4
    shifted: int = 3
    generations: int = PRESETS["standard"].generations + 1  # as a standard run has where it is narrow at once
    turns: int = 16  # of many generations, few are enough: it is between processes that this machine differs

    @property
    def pairs(self) -> list[Pair]:
        """The rows that are compared with the base, each with it."""
        return [(f"other {k + 1}", BASE) for k in range(self.others)]

    @property
    def cases(self) -> list[Case]:
        return [
            Case(op=Op.STEP, dtype="float64", m=m + k, n=n, threads=1)
            for m, n in self.sizes
            for k in range(self.repeats)
        ]

    @property
    def cases_of_layout(self) -> list[Case]:
        return [Case(op=Op.STEP, dtype="float64", m=m, n=n, threads=1) for m, n in self.sizes[: self.shifted]]


FULL = Effort()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One pair at a case that finds X in a place: the verdict, and the smallest difference that could be seen."""

    verdict: Verdict
    detectable: float
    place: Place = Place.UNKNOWN

    @property
    def is_different(self) -> bool:
        return self.verdict in (Verdict.FASTER, Verdict.SLOWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """What the harness found of itself.

    bias    of a known duration, the relative error of its median after an empty step's seconds are added to it
    layout  by kind of layout, what processes of one row differ by at small sizes
    """

    empty_seconds: float
    bias: dict[float, float]
    margins: Margins
    same: list[Comparison]
    slowed: list[Comparison]
    layout: dict[str, float]
    versions: JudgedAsVersions | None = None

    @property
    def worst_bias(self) -> float:
        return max(abs(bias) for seconds, bias in self.bias.items() if seconds >= BIAS_FROM_SECONDS)

    @property
    def false_alarms(self) -> int:
        return sum(each.is_different for each in self.same)

    @property
    def able(self) -> list[Comparison]:
        """Comparisons with a slowed row that could have shown the slow-down."""
        return [each for each in self.slowed if each.detectable <= SLOWER]

    @property
    def seen(self) -> int:
        return sum(each.verdict is Verdict.SLOWER for each in self.able)

    def to_json(self) -> dict[str, Any]:
        """The figures, as `doctor --self-test --json` stores them."""
        return {
            "empty_seconds": self.empty_seconds,
            "bias": {f"{seconds:g}": bias for seconds, bias in self.bias.items()},
            "margin": self.margins.at(Place.UNKNOWN),  # the largest: none of the cases is of any size
            "layout": self.layout,
            "places": [self._at(place) for place in self.margins.spreads],
            "same": len(self.same),
            "false_alarms": self.false_alarms,
            "slower": SLOWER,
            "slowed": len(self.slowed),
            "able": len(self.able),
            "seen": self.seen,
            "versions": self.versions.to_json() if self.versions else None,
            "passed": self.passed,
        }

    def _at(self, place: Place) -> dict[str, Any]:
        """The figures of the cases that find X in one place."""
        able = [each for each in self.able if each.place == place]
        return {
            "place": str(place),
            "margin": self.margins.at(place),
            "same": sum(each.place == place for each in self.same),
            "false_alarms": sum(each.place == place and each.is_different for each in self.same),
            "slowed": sum(each.place == place for each in self.slowed),
            "able": len(able),
            "seen": sum(each.verdict is Verdict.SLOWER for each in able),
        }

    @property
    def passed(self) -> bool:
        """Whether every promise was seen to hold: where no comparison could have shown the slow-down, it was not."""
        trusted = self.worst_bias <= MOST_BIAS and self.false_alarms <= MOST_FALSE_ALARMS
        return trusted and bool(self.able) and self.seen >= LEAST_SEEN * len(self.able)


def run(progress: Progress, effort: Effort = FULL) -> SelfTest:
    """Take the three measurements: a quarter of an hour in full, on two cores."""
    empty_seconds, bias = _bias(progress, effort)
    others, control = effort.pairs, (CONTROL, BASE)
    same = _time(_same([BASE, CONTROL, *(name for name, _ in others)]), effort.cases, progress, effort)
    slowed = _time(_slowed([name for name, _ in others]), effort.cases, progress, effort)
    places = places_of(effort.cases)
    margins = margins_of((places[case], *turns) for case, turns in _both(same, control))
    return SelfTest(
        empty_seconds=empty_seconds,
        bias=bias,
        margins=margins,
        same=[each for pair in others for each in _comparisons(_both(same, pair), places, margins)],
        slowed=[each for pair in others for each in _comparisons(_both(slowed, pair), places, margins)],
        layout=_layout(progress, effort),
        versions=judged_as_versions.judged(
            [_of_versions(same, pair) for pair in others],
            [_of_versions(slowed, pair) for pair in others],
            _of_versions(same, control),
            SLOWER,
        ),
    )


def units_of_work(effort: Effort = FULL) -> int:
    """How often `run` advances its progress."""
    return effort.generations * (1 + 2 * len(effort.cases) + len(effort.cases_of_layout))


def sentences(figures: dict[str, Any]) -> list[str]:
    """The figures of `SelfTest.to_json` in words."""
    biases = ", ".join(f"{float(seconds) * 1e6:g} µs {bias:+.2%}" for seconds, bias in figures["bias"].items())
    unable, slower = figures["slowed"] - figures["able"], f"{figures['slower']:.0%}"
    return [
        f"An empty step takes {figures['empty_seconds'] * 1e6:.2f} µs.",
        f"Steps of known duration, and the bias of their median with an empty step added: {biases}.",
        f"A row against itself: called different {figures['false_alarms']} times in {figures['same']}.",
        *_margin_sentences(figures),
        f"A row made {slower} slower: seen {figures['seen']} times in {figures['able']} where it could be seen.",
        f"Too noisy to see {slower}: {unable} of {figures['slowed']} comparisons.",
        *([judged_as_versions.in_words(figures["versions"])] if figures.get("versions") else []),
        *([layout_effects.in_words(figures["layout"])] if figures.get("layout") else []),
        "The harness can be trusted here." if figures["passed"] else "This machine was too noisy for the harness.",
    ]


def _margin_sentences(figures: dict[str, Any]) -> list[str]:
    """The margins, and what could be seen above them, place by place; a test of an earlier version has one margin."""
    if not figures.get("places"):
        return [f"The margin was {figures['margin']:.1%}: this machine's own A/A spread, or 1 %."]
    return [
        f"Cases {at['place']}: a margin of {at['margin']:.1%}; called different {at['false_alarms']} times in "
        f"{at['same']}; {figures['slower']:.0%} seen {at['seen']} times in {at['able']} where it could be, "
        f"of {at['slowed']}."
        for at in figures["places"]
    ]


def _bias(progress: Progress, effort: Effort) -> tuple[float, dict[float, float]]:
    """The seconds of an empty step, and the bias of each known duration."""
    known = {f"known-{seconds:g}s": seconds for seconds in (0.0, *effort.known_seconds)}
    rows = [_unjudged(name, seconds=seconds) for name, seconds in known.items()]
    timed = _time(rows, effort.cases[:1], progress, effort)
    medians = {known[name]: intervals.estimate(turns).value for (name, _), turns in timed.items()}
    empty_seconds = medians.pop(0.0)
    return empty_seconds, {seconds: (median + empty_seconds) / seconds - 1.0 for seconds, median in medians.items()}


def _layout(progress: Progress, effort: Effort) -> dict[str, float]:
    module = CATALOG[SELF_TESTED].module
    copies = layout_effects.copies_of(lambda name: _row(name, module), effort.copies)
    return layout_effects.differences(_time(copies, effort.cases_of_layout, progress, effort))


def _same(names: Sequence[str]) -> list[Participant]:
    """One row under several names."""
    return [Participant(_row(name, CATALOG[SELF_TESTED].module)) for name in names]


def _slowed(names: Sequence[str]) -> list[Participant]:
    """The base, and the row slowed under these names."""
    module = CATALOG[SELF_TESTED].module
    base = _unjudged(BASE, row=module, slower=0.0)
    return [base, *(_unjudged(name, row=module, slower=SLOWER) for name in names)]


def _unjudged(name: str, **options: object) -> Participant:
    """A row of known speed: its time alone is wanted."""
    return Participant(_row(name, KNOWN_SPEED, **options), role=Role.UNJUDGED)


def _row(name: str, module: str, **options: object) -> Implementation:
    return Implementation(name=name, module=module, ops=(Op.STEP,), options=options)


def _time(participants: list[Participant], cases: list[Case], progress: Progress, effort: Effort) -> Timed:
    return time_in_turns(participants, cases, effort.generations, effort.turns, progress)


def places_of(cases: Sequence[Case]) -> dict[str, Place]:
    """Where each case finds X on this machine, by its name."""
    caches = {name: size for name, size in cache_sizes().items() if size}
    return {case.name: place_of(case.op, case.m * case.n * case.itemsize, case.cache, caches) for case in cases}


def _both(timed: Timed, pair: Pair) -> list[tuple[str, tuple[Turns, Turns]]]:
    """The turns of both rows of a pair, for each case, which is named."""
    first, second = pair
    return [(case, (turns, timed[second, case])) for (name, case), turns in timed.items() if name == first]


def _of_versions(timed: Timed, pair: Pair) -> dict[str, tuple[Turns, Turns]]:
    """The same by case, the base first, as versions stand."""
    return {case: (base, other) for case, (other, base) in _both(timed, pair)}


def _comparisons(
    pairs: list[tuple[str, tuple[Turns, Turns]]], places: Mapping[str, Place], margins: Margins
) -> list[Comparison]:
    found = zip(pairs, intervals.ratios(turns for _, turns in pairs), strict=True)
    return [_comparison(ratio, places[case], margins.at(places[case])) for (case, _), ratio in found if ratio]


def _comparison(ratio: intervals.Estimate, place: Place, margin: float) -> Comparison:
    detectable = intervals.detectable_difference(ratio, margin)
    return Comparison(verdict=intervals.verdict(ratio, margin), detectable=detectable, place=place)
