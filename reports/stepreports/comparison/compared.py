"""A run of versions with what each of its cases says, and whether all of that lets a change pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stepreports.comparison.versions import Allowed, Answer, Question, answers
from stepreports.records.stored import Case
from stepreports.statistics.intervals import Verdict
from stepreports.statistics.many_looks import lasting_difference
from stepreports.statistics.runs import Record, Run, load_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version: `label` stands behind the @ of its rows' names, `told` says what it is, in words.

    Of a commit also when it was made, what its first line says, and how many came before it: its place in a history.
    """

    label: str
    told: str
    commit: str | None = None
    committed: str | None = None
    subject: str | None = None
    ancestors: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row at one case in the base and in another version; a record is None where that side has no time."""

    case: Case
    base_row: str
    other_row: str
    base: Record | None
    other: Record | None
    answer: Answer | None


@dataclass(frozen=True, eq=False)
class Compared:
    """What became of a comparison. `faults` are sentences: whatever failed, disagreed or could not be had."""

    run: Run
    versions: Sequence[Version]
    question: Question
    findings: Sequence[Finding]
    faults: Sequence[str]

    @property
    def failed(self) -> bool:
        """Whether anything is slower than allowed, or a side of it failed."""
        return bool(self.faults) or any(each.answer.allowed == Allowed.BEYOND for each in self.answered)

    @property
    def answered(self) -> list[Answered]:
        """The findings with an answer: both sides were timed."""
        return [Answered(each, each.answer) for each in self.findings if each.answer]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many cases are slower than allowed, slower, faster, the same, and not to be told, in that order."""
        found = Counter(kind_of(each.answer) for each in self.answered)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    @property
    def own_difference(self) -> float:
        """How far the row that was timed twice lay from itself over all its generations, at its worst case."""
        return lasting_difference((a.turns, b.turns) for a, b in self.run.control_pairs)


@dataclass(frozen=True, slots=True)
class Answered:
    """A finding whose answer is there."""

    finding: Finding
    answer: Answer


KINDS = (Allowed.BEYOND, Verdict.SLOWER, Verdict.UNKNOWN, Verdict.FASTER, Verdict.SAME)


def kind_of(answer: Answer) -> str:
    """What an answer counts as."""
    return Allowed.BEYOND if answer.allowed == Allowed.BEYOND else answer.verdict


def compared(folder: Path, versions: Sequence[Version], question: Question, faults: Sequence[str]) -> Compared:
    """What a run's folder says of the versions that took turns in it. Raises `RecordError`."""
    run = load_run(folder)
    asked = [(case, pair) for case in run.cases for pair in question.pairs]
    found = [(run.cases[case].get(base), run.cases[case].get(other)) for case, (base, other) in asked]
    turns = [(base.turns, other.turns) if base and other else None for base, other in found]
    told = answers(question, turns, [(a.turns, b.turns) for a, b in run.control_pairs])
    findings = [
        Finding(case=case, base_row=names[0], other_row=names[1], base=base, other=other, answer=answer)
        for (case, names), (base, other), answer in zip(asked, found, told, strict=True)
        if base or other
    ]
    return Compared(run, versions, question, findings, faults)
