"""When versions are compared: another generation for the cases that are not clear yet, and no more than that.

After two generations, and after each one more, every case is looked at: is each version clearly faster, slower or the
same, and clearly within what is allowed or beyond it? Those that are not are timed for another generation, up to
sixteen or until the time is used up. Each look is a chance to be fooled, so intervals are corrected for all of them
from the first one on (`stepreports.statistics.many_looks`): stopping early buys time, and no certainty that is not
there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from stepbench.run.attempts import timings
from stepbench.run.time_limit import OutOfTimeError, TimeLimit
from stepreports.comparison.versions import Question, answers
from stepreports.records.journal import read_events
from stepreports.records.last_attempts import last_attempts
from stepreports.records.turns import Turns

LEAST_GENERATIONS, MOST_GENERATIONS = 2, 16
LOOKS = MOST_GENERATIONS - LEAST_GENERATIONS + 1

Timed = Mapping[tuple[str, str], Turns]  # by participant and name of the case
Wanted = Callable[[int], frozenset[str] | None]  # the cases of a generation by name; None: all there are


def everything(_generation: int) -> None:
    """A run whose plan says how often: every case in every generation."""


class UntilClear:
    """Which cases a generation times; none when all are clear, or the time is used up."""

    def __init__(self, question: Question, folder: Path, seconds: float | None) -> None:
        self.question, self.folder = question, folder
        self.time_limit = TimeLimit(seconds)

    def __call__(self, generation: int) -> frozenset[str] | None:
        if generation < LEAST_GENERATIONS:
            return None if self._time_is_left() or not generation else frozenset()
        timed = {key: timing.turns for key, timing in timings(last_attempts(read_events(self.folder))).items()}
        return unclear(self.question, timed) if self._time_is_left() else frozenset()

    def _time_is_left(self) -> bool:
        try:
            self.time_limit.require_time()
        except OutOfTimeError:
            return False
        return True


def unclear(question: Question, timed: Timed) -> frozenset[str]:
    """The cases in which a version is not clearly anything beside the base. One that has failed says nothing more."""
    asked = [(pair, case) for pair in question.pairs for case in cases_of_turns(timed)]
    pairs = [(timed[base, case], timed[other, case]) if _both(timed, base, other, case) else None
             for (base, other), case in asked]  # fmt: skip
    found = answers(question, pairs, control_pairs(timed))
    return frozenset(case for (_, case), answer in zip(asked, found, strict=True) if answer and not answer.is_clear)


def control_pairs(timed: Timed) -> list[tuple[Turns, Turns]]:
    """The control and its second copy, case by case."""
    return [
        (timed[first, case], turns)
        for (key, case), turns in timed.items()
        if (first := key.removesuffix("#1")) != key and (first, case) in timed
    ]


def cases_of_turns(timed: Iterable[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(case for _, case in timed))


def _both(timed: Timed, base: str, other: str, case: str) -> bool:
    return (base, case) in timed and (other, case) in timed
