"""What the records of a run must be by themselves, whoever made them: each check yields a sentence for a fault."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from stepreports.records.validation import one_line
from stepreports.statistics.intervals import Verdict, ratios, verdict
from stepreports.statistics.runs import Record
from stepreports.submission.contents import TABLE, Submission
from stepreports.telling import text
from stepreports.telling.tables import table

ROUNDING = 1e-9  # of what is computed anew from the same numbers
_TABLE_ROUNDING = 1e-5  # of six significant digits
_ALIKE_TURNS = 5  # in a row: no two stretches of so many turns have equal times, not even but for a factor
_SIGNIFICANT = 9  # digits, to which a ratio of two times that are not copied never agrees
_WORST_MARGIN = 0.25
_FEW_FAULTS = 5  # are told one by one
_STATISTICS: Mapping[str, Any] = {
    "median": statistics.median, "min": min, "max": max, "mean": statistics.fmean, "rounds": len,
}  # fmt: skip


def medians_follow_from_turns(submission: Submission) -> Iterator[str]:
    """Every statistic of benchmark.json, and every time of table.csv, is what its turns make of it."""
    for entry in submission.benchmarks:
        stats = entry["stats"]
        for name, compute in _STATISTICS.items():
            found, expected = stats.get(name), compute(stats["data"])
            if name in stats and not _is_close(found, expected, ROUNDING):
                yield f"{name_of(entry)} has the {name} {found}, and its turns have {expected:.9g}"
    yield from _times_of_table(submission) if submission.told_times else ()


def _times_of_table(submission: Submission) -> Iterator[str]:
    columns = table(submission.run)
    times = [float(cell) for cell in columns["seconds_per_step"] if isinstance(cell, float)]
    expected = zip(columns["row"], times, strict=True)
    for told, (row, seconds) in zip_longest(submission.told_times, expected, fillvalue=("", math.nan)):
        if told[0] != row:
            yield f"{TABLE} does not have a line for each record, in their order"
            return
        if not _is_close(_number(str(told[1])), seconds, _TABLE_ROUNDING):
            yield f"{TABLE} tells {told[1]} s of {row}, and its turns have the median {seconds:.6g}"


def records_are_of_one_run(submission: Submission) -> Iterator[str]:
    """One run, one seed; and nothing twice."""
    for field in ("run_id", "seed"):
        found = dict.fromkeys(str(entry["extra_info"].get(field)) for entry in submission.benchmarks)
        if len(found) > 1:
            yield f"the records are of more than one {field.replace('_', ' ')}: {text.listed(list(found)[:4])}"
    if stray := {entry["extra_info"]["run_id"] for entry in submission.benchmarks} - {submission.run.run_id}:
        yield f"records of the run {text.listed(sorted(stray))} are in the run {submission.run.run_id}"
    twice = [name for name, count in Counter(map(name_of, submission.benchmarks)).items() if count > 1]
    yield from (f"{name} is there twice" for name in twice)


def no_turns_are_copied(submission: Submission) -> Iterator[str]:
    """No stretch of turns is another one, nor another one times a factor, as times that were measured never are."""
    seen: dict[tuple[float, ...], tuple[str, int]] = {}
    copied: dict[str, None] = {}
    for entry in submission.benchmarks:
        name = name_of(entry)
        for place, stretch in enumerate(_stretches(entry["stats"]["data"], entry["extra_info"]["generation"])):
            first = seen.setdefault(stretch, (name, place))
            if first != (name, place):
                copied[f"{name} has turns of {first[0] if first[0] != name else 'its own'}, copied"] = None
    yield from _few(copied)


def a_row_timed_twice_is_itself(submission: Submission) -> Iterator[str]:
    """A/A: there are control pairs, no more of them called different than chance allows, and margins that tell."""
    run = submission.run
    pairs = run.control_pairs
    if not pairs:
        yield "no row was timed twice, so nothing says how far this machine differs from itself"
        return
    told = ratios((second.turns, first.turns) for first, second in pairs)
    different = sum(
        ratio is not None and verdict(ratio, run.margin_of(first.case)) in {Verdict.FASTER, Verdict.SLOWER}
        for (first, _), ratio in zip(pairs, told, strict=True)
    )
    allowed = _most_by_chance(len(pairs))
    if different > allowed:
        yield f"a row timed twice is called different from itself {different} times in {len(pairs)}; {allowed} may be"
    worst = max(run.margin_of(first.case) for first, _ in pairs)
    if worst > _WORST_MARGIN:
        yield (
            f"this machine differs from itself by {text.percent(worst)}, so nothing below can be told; time it again "
            "at rest, with more generations"
        )


def no_row_beats_the_limit(submission: Submission) -> Iterator[str]:
    """A row that is faster than reading X once is marked as implausible, and none is that is not."""
    run = submission.run
    everything = [*run.records, *run.narrow]
    rows = [record for record in everything if not record.is_limit]
    read = {(record.case, record.row.device, record.storage): record for record in everything if record.is_limit}
    limits = [read.get((record.case, record.row.device, record.storage)) for record in rows]
    found = ratios((r.turns, limit.turns) if limit else None for r, limit in zip(rows, limits, strict=True))
    for record, ratio in zip(rows, found, strict=True):
        if ratio is not None and (ratio.high < 1) != record.implausible:
            told = "is not marked, and is" if ratio.high < 1 else "is marked as implausible, and is not"
            yield f"{_named(record)} {told} faster than reading X once"


def every_row_agreed(submission: Submission) -> Iterator[str]:
    """No row was timed that does not agree, and every row has errors to show for it."""
    for record in (*submission.run.records, *submission.run.narrow):
        if record.is_limit:
            continue
        worst = max(record.agreement.values(), default=math.inf)
        if not worst <= 1:
            told = f"is {worst:.3g} times its error bound off" if record.agreement else "has no agreement on record"
            yield f"{_named(record)} {told}"


def rows_are_of_the_suite(submission: Submission) -> Iterator[str]:
    """A machine is told by rows that everybody has."""
    everything = (*submission.run.records, *submission.run.narrow)
    own = dict.fromkeys(record.row.name for record in everything if record.row.own)
    yield from (f"{name} is a kernel of a file; run the suite's own rows, without --kernel" for name in own)


def nothing_says_whose_it_is(submission: Submission, private: Iterable[str] = ()) -> Iterator[str]:
    """No path of anybody's, and none of some words, such as the name of the host and of the user."""
    words = [word for word in dict.fromkeys(private) if word]
    for path in sorted(submission.folder.iterdir()):
        if path.suffix not in _TOLD:
            continue
        content = path.read_text("utf-8", "replace")
        found = [match[1] for match in _PATH.finditer(content)]
        found += [word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", content)]
        yield from (f"{path.name} tells of {each!r}" for each in dict.fromkeys(found))


_TOLD = {".json", ".jsonl", ".csv", ".md"}
_PATH = re.compile(r"(?<![\w.])((?:/(?:home|Users|root|tmp|mnt|media|opt|srv|var|private)/|[A-Z]:\\\\)[\w.@~-]+)")


def name_of(entry: Mapping[str, Any]) -> str:
    """An entry in a sentence."""
    return one_line(str(entry.get("name") or entry.get("fullname")), 200)


def _named(record: Record) -> str:
    kept = f" with X in {record.storage}" if record.storage else ""
    return f"{record.row.name}{'#1' if record.replica else ''}{kept}, {record.case.in_words},"


def _stretches(seconds: Sequence[float], generations: Sequence[int]) -> Iterator[tuple[float, ...]]:
    """Every few turns in a row of one generation, over the first of them."""
    for first in range(len(seconds) - _ALIKE_TURNS + 1):
        end = first + _ALIKE_TURNS
        if generations[first] == generations[end - 1]:
            yield tuple(round(each / seconds[first], _SIGNIFICANT) for each in seconds[first:end])


def _few(faults: Iterable[str]) -> Iterator[str]:
    told = list(faults)
    yield from told[:_FEW_FAULTS]
    if len(told) > _FEW_FAULTS:
        yield f"and {len(told) - _FEW_FAULTS} more of that kind"


def _most_by_chance(pairs: int) -> int:
    """How many of so many pairs may be called different: one in twenty lies beyond its margin, and luck is uneven."""
    return math.ceil(0.05 * pairs + 3 * math.sqrt(0.05 * pairs))


def _is_close(found: object, expected: float, within: float) -> bool:
    return isinstance(found, int | float) and math.isclose(found, expected, rel_tol=within)


def _number(told: str) -> float:
    try:
        return float(told)
    except ValueError:
        return math.nan
