"""A scaling in words: from how many ranks on it pays, a table a size, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepreports.comparison.scaling_report.scaled import (
    MOST_PREDICTED,
    Composition,
    Point,
    Scaled,
    ScaledCase,
    WeakPoint,
)
from stepreports.records.journal import SCHEMA
from stepreports.statistics.intervals import Estimate, Verdict
from stepreports.telling import text
from stepreports.telling.tables import markdown

_NOTHING = "–"
_VERDICTS = {
    Verdict.FASTER: "faster",
    Verdict.SLOWER: "slower",
    Verdict.SAME: "the same",
    Verdict.UNKNOWN: "cannot tell",
}


def title(found: Scaled) -> str:
    """What it is, in a line."""
    counts = text.listed(map(str, found.record.ranks))
    kind = "Weak" if found.record.weak else "Strong"
    hosts = f" on {found.record.hosts} hosts" if found.record.hosts > 1 else ""
    return f"{kind} scaling of {found.record.row} over {counts} ranks{hosts}"


def answers(found: Scaled) -> list[str]:
    """A sentence or two for each case: from how many ranks on they beat the best single process, and what is gained."""
    return [_weak_answer(series) for series in found.series] if found.record.weak else list(map(cost, found.cases))


def cost(case: ScaledCase) -> str:
    """From how many ranks on the step is faster than in one process."""
    base = f"{_process(case)} ({text.seconds(case.best_seconds)})"
    if case.pays_from is not None:
        point = next(each for each in case.points if each.ranks == case.pays_from)
        return f"{case.in_words}: {_ranks(point.ranks)} beat {base}: {text.times(point.gain)} as fast."
    nearest = max(case.points, key=lambda point: point.gain.value)
    tried = f"{case.in_words}: no number of ranks tried beats {base}; nearest comes "
    told = f"{tried}{_ranks(nearest.ranks)}, {text.times(nearest.gain)} as fast."
    if not case.predicted:
        return told
    if case.predicted_to_pay_from is None:
        return f"{told} By the model no number of ranks up to {MOST_PREDICTED:,} would."
    return (
        f"{told} A prediction: {case.predicted_to_pay_from} would, each with processors and memory of its own and a "
        "link as this one."
    )


def how(found: Scaled) -> list[str]:
    """What was held to what, and what the columns mean."""
    record = found.record
    same = max((case.margin for case in found.cases), default=0.0)
    turns = (
        "Ranks take their turns with single processes, in one run and in random order; each holds a share of the rows "
        f"and takes its gradient by `{record.row}` in one thread. Every one was proven to agree."
    )
    base = (
        f"All is held to the best single process, which may use all {text.counted(record.processors, 'processor')}; "
        "the efficiency is the gain over it, times its threads, for each processor that the ranks use."
    )
    measured = (
        "Waiting, the slowest rank and the model come from rounds of one process, after the turns: ranks note how long "
        "they compute, and then only read their shares, in one thread each. Their intervals hold for that process; "
        "another may differ by more. The median of an even number of ranks is the faster of the two in the middle."
    )
    model = "The model is the reading and what a step takes beside it."
    predicted = "A prediction lies as far from the model as the step of the most ranks that had a processor each did."
    shares = (
        "One share takes: the time of one share on one rank, of this; 100 % where more ranks with as many shares cost "
        "nothing. It is no efficiency, for one rank may be slow, and it was measured at another moment."
    )
    sure = (
        f"Intervals are of 99 %. A process timed twice lay {text.percent(same)} from itself at most, and nothing "
        "closer is called different."
    )
    everywhere = record.processors * record.hosts
    crowded = f"More ranks than processors ({everywhere}) share these: that is no scaling, and shows what it costs."
    own = shares if record.weak else predicted
    return [turns, base, measured, model, own, sure, *([crowded] if max(record.ranks) > everywhere else [])]


def failures(found: Scaled) -> list[str]:
    """What has no time, and why."""
    return [f"{each.participant} at {each.m:,} × {each.n}, {each.dtype}: {each.reason}." for each in found.failed]


def lines_of_case(case: ScaledCase) -> list[dict[str, str]]:
    """The table of a size in strong scaling, a line for the single process and one for each number of ranks."""
    single = {"": _process(case), "time of a step": text.time(case.best_seconds), "times as fast": "1"}
    return [single | dict.fromkeys(_COLUMNS, _NOTHING), *(_line(point) for point in case.points)]


def lines_of_series(series: Sequence[WeakPoint]) -> list[dict[str, str]]:
    """The table of weak scaling: a line for each number of ranks, at its own size."""
    return [
        {
            "ranks": str(each.ranks),
            "rows": f"{each.case.m:,}",
            "time of a step": text.time(each.point.seconds),
            "best single process": f"{_process(each.case)}, {text.time(each.case.best_seconds)}",
            **_beside_best(each.point),
            "one share takes": _told(text.percentage, each.one_share),
            "ranks gain": _told(text.times, each.point.over_one),
            "threads gain": _told(text.times, each.case.threads),
            **_parts(each.point),
        }
        for each in series
    ]


def in_markdown(found: Scaled) -> str:
    """The whole of it, short."""
    tables = (
        [markdown(lines_of_series(series)) for series in found.series]
        if found.record.weak
        else [f"**{case.in_words}**\n\n{markdown(lines_of_case(case))}" for case in found.cases]
    )
    parts = [
        f"### {title(found)}",
        "\n".join(f"- {sentence}" for sentence in answers(found)),
        *tables,
        "\n".join(f"- **{line}**" for line in failures(found)),
        "\n".join(f"<sub>{line}</sub><br>" for line in how(found)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def as_json(found: Scaled) -> dict[str, Any]:
    """Everything that is told, for another program."""
    return {
        "schema": SCHEMA,
        "row": found.record.row,
        "weak": found.record.weak,
        "processors": found.record.processors,
        "cases": [_case(case) for case in found.cases],
        "weak_scaling": [
            {"ranks": each.ranks, "m": each.case.m, "n": each.case.n, "dtype": each.case.dtype}
            | text.numbers("efficiency", each.point.efficiency)
            | text.numbers("one_share_over_this", each.one_share)
            for series in found.series
            for each in series
        ],
        "failures": failures(found),
    }


_COLUMNS = ("efficiency", "waiting", "slowest rank", "received", "model")


def _line(point: Point) -> dict[str, str]:
    return {
        "": _ranks(point.ranks),
        "time of a step": text.time(point.seconds),
        **_beside_best(point),
        **_parts(point),
    }


def _beside_best(point: Point) -> dict[str, str]:
    return {
        "times as fast": f"{text.times(point.gain)}, {_VERDICTS[point.verdict]}",
        "efficiency": text.percentage(point.efficiency),
    }


def _parts(point: Point) -> dict[str, str]:
    """What a step is made of, in the words of a table."""
    parts = point.parts

    def told(of: Callable[[Composition], str]) -> str:
        return _NOTHING if parts is None else of(parts)

    return {
        "waiting": told(lambda each: text.percentage(each.exposed)),
        "slowest rank": told(lambda each: f"{text.number(each.straggler.value, 2)}× the median"),
        "received": text.plain_bytes(point.received) if point.received else _NOTHING,
        "model": told(lambda each: text.plain_seconds(each.model)),
    }


def _weak_answer(series: Sequence[WeakPoint]) -> str:
    """How the largest number of ranks stands beside the best single process, one share, and what threads gain."""
    last = series[-1]
    lead = (
        f"{last.case.in_words} on {_ranks(last.ranks)}, a share each: {text.percentage(last.point.efficiency)} "
        f"efficient beside {_process(last.case)}, {text.times(last.point.gain)} as fast."
    )
    if last.one_share is None:
        told = [lead, "One share on one rank was not timed."]
    else:
        told = [lead, f"One share on one rank takes {text.percentage(last.one_share)} of that time."]
    if last.point.over_one is not None and last.case.threads is not None:
        ranks, threads = text.times(last.point.over_one), text.times(last.case.threads)
        told.append(f"On the same data ranks gain {ranks} over one rank, and threads {threads} over one thread.")
    return " ".join(told)


def _process(case: ScaledCase) -> str:
    return f"`{case.best}` in one process of {text.counted(case.best_threads, 'thread')}"


def _ranks(count: int) -> str:
    return text.counted(count, "rank")


def _told(words: Callable[[Estimate], str], found: Estimate | None) -> str:
    return _NOTHING if found is None else words(found)


def _case(case: ScaledCase) -> dict[str, Any]:
    return {
        "m": case.m,
        "n": case.n,
        "dtype": case.dtype,
        "shares": case.shares,
        "best": case.best,
        **text.numbers("best_seconds", case.best_seconds),
        "best_threads": case.best_threads,
        "margin": case.margin,
        "pays_from_ranks": case.pays_from,
        "predicted_to_pay_from_ranks": case.predicted_to_pay_from,
        **text.numbers("threads_gain", case.threads),
        "ranks": [_point(point) for point in case.points],
        "predicted": [{"ranks": each.ranks, "seconds": each.seconds} for each in case.marked],
    }


def _point(point: Point) -> dict[str, Any]:
    parts = point.parts
    estimates: Mapping[str, Estimate | None] = {
        "seconds": point.seconds,
        "times_as_fast_as_best": point.gain,
        "efficiency": point.efficiency,
        "times_as_fast_as_one_rank": point.over_one,
        "exposed_share": parts.exposed if parts else None,
        "slowest_over_median": parts.straggler if parts else None,
        "reading_seconds": parts.reading if parts else None,
        "link_seconds": parts.link if parts else None,
    }
    told = {name: value for each, found in estimates.items() for name, value in text.numbers(each, found).items()}
    return {"ranks": point.ranks, "verdict": str(point.verdict), "received_bytes": point.received, **told}
