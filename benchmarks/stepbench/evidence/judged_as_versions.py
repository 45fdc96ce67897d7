"""What `stepbench compare` would say of the pairs that a self-test times: the base and a version of it, by its rules.

Its intervals are wider than those of a run, for whoever compares looks often and at several cases, and its margin is
how far the base lay from itself in the same comparison. So it is measured by itself: how often identical versions are
called different, and how often one that is slower by so much is called so, where that would have been seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stepbench.run.until_clear import LOOKS
from stepreports.comparison.versions import Answer, Question, answers
from stepreports.records.turns import Turns
from stepreports.statistics.intervals import Verdict

CASES = 3  # of a comparison, as it has unless told otherwise

Pair = tuple[Turns, Turns]  # the base's and the other version's


@dataclass(frozen=True, slots=True)
class JudgedAsVersions:
    """The answers about identical versions, and about one that is `slower` by a fraction."""

    slower: float
    same: Sequence[Answer]
    slowed: Sequence[Answer]

    @property
    def false_alarms(self) -> int:
        return sum(each.verdict in (Verdict.FASTER, Verdict.SLOWER) for each in self.same)

    @property
    def able(self) -> list[Answer]:
        """Those that would have shown the slow-down."""
        return [each for each in self.slowed if each.visible <= self.slower]

    @property
    def seen(self) -> int:
        return sum(each.verdict is Verdict.SLOWER for each in self.able)

    def to_json(self) -> dict[str, Any]:
        return {
            "same": len(self.same),
            "false_alarms": self.false_alarms,
            "slower": self.slower,
            "slowed": len(self.slowed),
            "able": len(self.able),
            "seen": self.seen,
        }


def judged(
    same: Sequence[Mapping[str, Pair]],
    slowed: Sequence[Mapping[str, Pair]],
    controls: Mapping[str, Pair],
    slower: float,
) -> JudgedAsVersions:
    """Each pair of rows as a version and its base, a few cases at a time; `controls` are the base twice, by case."""
    return JudgedAsVersions(
        slower=slower,
        same=[found for pairs in same for found in _compared(pairs, controls, slower)],
        slowed=[found for pairs in slowed for found in _compared(pairs, controls, slower)],
    )


def in_words(found: Mapping[str, Any]) -> str:
    """The figures of `JudgedAsVersions.to_json` in a sentence."""
    return (
        f"As stepbench compare judges: identical versions called different {found['false_alarms']} times in "
        f"{found['same']}; one {found['slower']:.0%} slower seen {found['seen']} times in {found['able']} where it "
        f"would have been, of {found['slowed']}."
    )


def _compared(pairs: Mapping[str, Pair], controls: Mapping[str, Pair], allowance: float) -> list[Answer]:
    """One comparison after another, of cases that lie apart, as those of a comparison do."""
    cases = list(pairs)
    apart = -(-len(cases) // CASES)
    question = Question(allowance=allowance, cases=CASES, pairs=[("base", "version")], looks=LOOKS)
    groups = [cases[first::apart] for first in range(apart)]
    found = [answers(question, [pairs[case] for case in group], [controls[case] for case in group]) for group in groups]
    return [each for group in found for each in group if each is not None]
