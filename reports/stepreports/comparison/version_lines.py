"""A comparison of versions in words: a sentence for each case, Markdown for a pull request, and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from stepreports.comparison.compared import KINDS, Compared, Finding, Version, kind_of
from stepreports.comparison.versions import Allowed, Answer
from stepreports.records.journal import SCHEMA
from stepreports.statistics.bootstrap import CONFIDENCE
from stepreports.statistics.intervals import Verdict
from stepreports.statistics.runs import Record
from stepreports.telling import text
from stepreports.telling.doubts import circumstances
from stepreports.telling.steadiness_told import seconds_of
from stepreports.telling.tables import markdown

_MOST_LINES = 40  # of a table in a pull request; the JSON has them all
_NO_TIME = "–"


def headline(found: Compared) -> str:
    """How many cases came out how, in a sentence."""
    counts = [f"{count} {_in_words(kind, found)}" for kind, count in found.counts.items()]
    told = f"Of {text.counted(sum(found.counts.values()), 'case')}: {', '.join(counts)}." if counts else ""
    failed = f"{text.counted(len(found.faults), 'failure')}." if found.faults else ""
    return " ".join(filter(None, (told, failed))) or "Nothing was compared."


def sentences(found: Compared) -> list[str]:
    """A sentence for each case, those first that ask for attention."""
    ranked = sorted(found.answered, key=lambda each: KINDS.index(kind_of(each.answer)))
    alone = [each for each in found.findings if each.answer is None]
    allowance = found.question.allowance
    return [*(_sentence(each.finding, each.answer, allowance) for each in ranked), *map(_one_side, alone)]


def how(found: Compared) -> list[str]:
    """What was timed, how often, and what the intervals say; what disturbed it."""
    generations = [len(each.other.turns.layout.shape) for each in found.findings if each.other]
    often = _range(generations, "generation") if generations else "no generation"
    looks = text.counted(found.question.looks, "time")
    together = f"The {_percent(CONFIDENCE)} intervals hold for all cases together, looked at up to {looks}."
    return [
        "; ".join(f"`@{version.label}` is {version.told}" for version in found.versions) + ".",
        f"In turns in one run, in {often} of fresh processes; ratios are of times within a turn. {together}",
        f"{_control(found)} {found.run.machine_in_full}.",
        *circumstances(found.run.machine),
    ]


def pull_request(found: Compared) -> str:
    """The whole of it in Markdown."""
    lines = table_lines(found)[:_MOST_LINES]
    more = len(found.findings) - len(lines)
    parts = [
        f"### {'❌' if found.failed else '✅'} {headline(found)}",
        "\n".join(f"- **{fault}**" for fault in found.faults),
        markdown(lines),
        f"And {text.counted(more, 'case')} more, in the JSON." if more else "",
        "\n".join(f"<sub>{line}</sub><br>" for line in how(found)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def table_lines(found: Compared) -> list[dict[str, str]]:
    """A line for each row and case."""
    return list(map(_line, found.findings))


def as_json(found: Compared) -> dict[str, Any]:
    """Everything, for another program."""
    return {
        "schema": SCHEMA,
        "run_id": found.run.run_id,
        "when": found.run.when,
        "machine": found.run.machine_in_full,
        "versions": [_version(version) for version in found.versions],
        "allowance": found.question.allowance,
        "confidence": CONFIDENCE,
        "looks": found.question.all_looks,
        "own_difference": found.own_difference,
        "failed": found.failed,
        "faults": list(found.faults),
        "cases": [_case(each) for each in found.findings],
    }


def _sentence(finding: Finding, answer: Answer, allowance: float) -> str:
    other, base, where = f"`{finding.other_row}`", f"`{finding.base_row}`", finding.case.in_words
    times = f"{text.times(answer.ratio)} its time"
    if answer.verdict == Verdict.UNKNOWN:
        seen = text.difference(answer.visible)
        return f"Cannot tell {other} from {base} on {where}: {times}; a difference of {seen} would have been seen."
    if answer.verdict == Verdict.SAME:
        within = text.difference(answer.same_within)
        return f"{other} takes the same time as {base} within {within} on {where}: {times}."
    beyond = _beyond(answer, allowance) if answer.verdict == Verdict.SLOWER else ""
    return f"{other} is {answer.verdict} than {base}{beyond} on {where}: {times}, {_both_times(finding)}."


def _beyond(answer: Answer, allowance: float) -> str:
    words = {
        Allowed.BEYOND: ", by more than the {} allowed,",
        Allowed.WITHIN: ", by less than the {} allowed,",
        Allowed.UNKNOWN: ", if by more than the {} allowed cannot be told,",
    }
    return words[answer.allowed].format(_percent(allowance))


def _one_side(finding: Finding) -> str:
    row, record = (finding.base_row, finding.base) if finding.base else (finding.other_row, finding.other)
    missing = finding.other_row if finding.base else finding.base_row
    return f"`{row}` takes {_time(record)} on {finding.case.in_words}; `{missing}` has no time there."


def _both_times(finding: Finding) -> str:
    return f"{_time(finding.other)} instead of {_time(finding.base)}"


def _line(finding: Finding) -> dict[str, str]:
    answer = finding.answer
    return {
        "case": finding.case.in_words,
        "base": f"`{finding.base_row}` {_time(finding.base)}",
        "compared": f"`{finding.other_row}` {_time(finding.other)}",
        "of the base's time": text.times(answer.ratio) if answer else _NO_TIME,
        "verdict": _verdict(answer) if answer else "no comparison",
    }


def _verdict(answer: Answer) -> str:
    if answer.allowed == Allowed.BEYOND:
        return f"**{Allowed.BEYOND}**"
    if answer.verdict == Verdict.UNKNOWN:
        return f"cannot tell; {text.difference(answer.visible)} would have been seen"
    if answer.verdict == Verdict.SAME:
        return f"the same within {text.difference(answer.same_within)}"
    return f"**{answer.verdict}**" if answer.verdict == Verdict.FASTER else str(answer.verdict)


def _in_words(kind: str, found: Compared) -> str:
    allowed = f"slower by more than the {_percent(found.question.allowance)} allowed"
    words = {str(Allowed.BEYOND): allowed, str(Verdict.SAME): "the same", str(Verdict.UNKNOWN): "cannot be told"}
    return words.get(kind, kind)


def _control(found: Compared) -> str:
    pairs = found.run.control_pairs
    if not pairs:
        return "No row was timed twice."
    return f"`{pairs[0][0].row.name}`, timed twice, lay {text.difference(found.own_difference)} from itself at most."


def _version(version: Version) -> dict[str, Any]:
    return asdict(version)


def _case(finding: Finding) -> dict[str, Any]:
    sides = {"base_row": finding.base_row, "other_row": finding.other_row}
    times = {"base_seconds": _seconds(finding.base), "other_seconds": _seconds(finding.other)}
    return {**finding.case._asdict(), **sides, **times, **(_answer(finding.answer) if finding.answer else {})}


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "ratio": answer.ratio.value,
        "ratio_low": answer.ratio.low,
        "ratio_high": answer.ratio.high,
        "verdict": str(answer.verdict),
        "allowed": str(answer.allowed),
        "same_within": answer.same_within,
        "visible_difference": answer.visible,
    }


def _seconds(record: Record | None) -> float | None:
    return record.seconds.value if record else None


def _time(record: Record | None) -> str:
    return seconds_of(record) if record else _NO_TIME


def _percent(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def _range(counts: Sequence[int], noun: str) -> str:
    least, most = min(counts), max(counts)
    return text.counted(most, noun) if least == most else f"{least} to {text.counted(most, noun)}"
