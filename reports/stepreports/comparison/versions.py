"""Two or more versions of one thing that took turns in one run: what each case says of each version beside the first.

A ratio is of the version's time to the base's, within turns. It is faster or slower where the whole interval lies
beyond the margin, by which this machine differs from itself (`many_looks.margins`); the same where the interval and the
margin lie within what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from stepreports.records.turns import Turns, over
from stepreports.statistics.intervals import LEAST_CONFIDENCE, Estimate, Verdict, estimates, verdict
from stepreports.statistics.many_looks import corrected, generations_of, margins, visible_difference
from stepreports.statistics.margins import LEAST_MARGIN

Pair = tuple[Turns, Turns]


class Allowed(StrEnum):
    """What the interval says about the time that is allowed."""

    BEYOND = "slower than allowed"
    WITHIN = "within what is allowed"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a run of versions.

    allowance  how much more time than the base a version may take, as a fraction
    cases      how many cases are looked at, each for each pair
    pairs      the row of the base, and the same row of another version
    looks      how often each may be looked at before the last word is said
    """

    allowance: float
    cases: int
    pairs: Sequence[tuple[str, str]]
    looks: int = 1

    @property
    def all_looks(self) -> int:
        """How many chances to be fooled there are: what intervals are corrected for."""
        return max(1, self.cases * len(self.pairs) * self.looks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one case says of a version: its time over the base's, with the corrected interval.

    same_within  the difference that the two are the same within; as a fraction
    visible      the smallest difference that would have been seen
    """

    ratio: Estimate
    verdict: Verdict
    allowed: Allowed
    same_within: float
    visible: float

    @property
    def is_clear(self) -> bool:
        """Whether more turns would say no more that was asked."""
        return self.verdict != Verdict.UNKNOWN and self.allowed != Allowed.UNKNOWN


def answers(question: Question, pairs: Iterable[Pair | None], controls: Iterable[Pair]) -> list[Answer | None]:
    """Of each pair, the base's turns and the other's, the answer; None for no pair, or one that shares no turn.

    `controls` are pairs of measurements of one thing, all that the run has.
    """
    within = [pair and over(pair[1], pair[0]) for pair in pairs]
    shared = [turns for turns in within if turns is not None]
    generations = list(map(generations_of, shared))
    found = iter(map(partial(answer, question), estimates(shared), margins(controls, shared), generations))
    return [None if turns is None else next(found) for turns in within]


def answer(question: Question, ratio: Estimate, margin: float, generations: int = 1) -> Answer:
    """What the within-turn ratio of one case says, as one of all the looks that are asked for."""
    found = corrected(ratio, question.all_looks, generations)
    same_within = max(found.high, 1 / found.low) * (1 + margin) - 1
    told = _verdict(found, same_within, margin, question.allowance)
    return Answer(
        ratio=found,
        verdict=told,
        allowed=_allowed(found, told, margin, question.allowance),
        same_within=same_within,
        visible=visible_difference(found, margin, question.all_looks, generations),
    )


def _verdict(found: Estimate, same_within: float, margin: float, allowance: float) -> Verdict:
    told = verdict(found, margin)
    if told in (Verdict.FASTER, Verdict.SLOWER):
        return told
    is_same = found.confidence >= LEAST_CONFIDENCE and same_within <= max(allowance, LEAST_MARGIN)
    return Verdict.SAME if is_same else Verdict.UNKNOWN


def _allowed(found: Estimate, told: Verdict, margin: float, allowance: float) -> Allowed:
    """Where the machine differs from itself by more than is allowed, only what is clear beside that is said."""
    if told == Verdict.SLOWER and found.low > 1 + max(allowance, margin):
        return Allowed.BEYOND
    if told in (Verdict.FASTER, Verdict.SAME):
        return Allowed.WITHIN
    is_narrow = found.confidence >= LEAST_CONFIDENCE and found.high <= 1 + allowance
    return Allowed.WITHIN if is_narrow and margin <= allowance else Allowed.UNKNOWN
