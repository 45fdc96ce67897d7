"""The marks the fused rows are held to, and how a run's records stand against them.

    stepbench run --preset marks                 time exactly the cases of the marks, and print the table
                                                 (marks-cuda: of a GPU's; marks-narrow: of an X in fewer bits)
    python -m stepbench.evidence.marks OUT       print the table of that run
    python -m stepbench.evidence.marks --write   rewrite the figures of benchmarks/README.md
    python -m stepbench.evidence.marks --check   exit 1 where they are stale

A mark is a ratio of times within the turns of one run: the faster of our fused rows against an opponent.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stepbench.evidence.declared import BEST_OTHER, CALL, GROUPS, ITSELF, LIMIT, MARKS, OURS, Mark
from stepbench.evidence.readme import PAGE, refresh_page
from stepbench.evidence.self_test import sentences
from stepreports.publish import published_runs
from stepreports.records.files import RecordError
from stepreports.records.machines import in_full
from stepreports.statistics.intervals import Estimate, ratio
from stepreports.statistics.runs import Record, Run, load_run
from stepreports.telling.bases import base_in_words
from stepreports.telling.summary import where
from stepreports.telling.tables import markdown

COMMAND = "stepbench.evidence.marks"
SELF_TESTS = "reports/published/*/self-test.json"


@dataclass(frozen=True, slots=True)
class Standing:
    """A mark and what a run says of it; `measured` is None where the run does not tell, `base` is the opponent's."""

    mark: Mark
    ours: str
    opponent: str
    measured: Estimate | None
    base: Record | None = None

    @property
    def reached(self) -> str:
        """Whether the median reaches the mark, and whether its whole interval does."""
        return "not measured" if self.measured is None else reached(self.measured, self.mark.times)


def reached(measured: Estimate, mark: float) -> str:
    """Whether the whole interval reaches a mark, or the median does."""
    if measured.low >= mark:
        return "reached"
    return "reached by the median" if measured.value >= mark else "not reached"


def standings(run: Run, group: str) -> list[Standing]:
    """Every mark of a group against the records of a run, in order."""
    return [_standing(mark, run) for mark in MARKS if mark.group == group]


def table(run: Run, group: str) -> str:
    """The standings in Markdown."""
    return markdown(lines(run, group))


def lines(run: Run, group: str) -> list[dict[str, str]]:
    """The standings, and on a CPU what a call costs."""
    return [*map(_line, standings(run, group)), *(_call_cost(run) if group == "cpu" else ())]


def groups_of(run: Run) -> list[str]:
    """The groups of whose marks the run measured one or more; those of the CPU where it measured none."""
    return [each for each in GROUPS if any(map(_is_measured, standings(run, each)))] or ["cpu"]


def _is_measured(standing: Standing) -> bool:
    return standing.measured is not None


def _line(standing: Standing) -> dict[str, str]:
    """A line of the table: a mark and what became of it."""
    mark = standing.mark
    return {
        "case": mark.case,
        "against": standing.opponent,
        "its time": base_in_words(standing.base) if standing.base else "–",
        "mark": f"{mark.times:g}×" if mark.opponent != LIMIT else f"{mark.times:.0%}",
        "measured": _shown(standing),
        "row": f"`{standing.ours}`",
        "": standing.reached,
    }


def _call_cost(run: Run) -> list[dict[str, str]]:
    """The line of the cost of a call, where the run timed both step and train at its size."""
    marks = {op: Mark(op, CALL.m, CALL.n, "float64", CALL.row, 1.0) for op in ("step", "train")}
    timed = {op: _records(run, mark).get(CALL.row) for op, mark in marks.items()}
    if (step := timed["step"]) is None or (train := timed["train"]) is None:
        return []
    cost = step.seconds.value - train.seconds.value
    return [
        {
            "case": f"{CALL.m:,} × {CALL.n:,}, one call of step",
            "against": "a step inside train",
            "its time": base_in_words(train),
            "mark": f"+{CALL.most_seconds * 1e6:.0f} µs",
            "measured": f"{cost * 1e6:+.2g} µs",
            "row": f"`{CALL.row}`",
            "": "reached" if cost <= CALL.most_seconds else "not reached",
        }
    ]


def _standing(mark: Mark, run: Run) -> Standing:
    records = _records(run, mark)
    ours = _fastest([record for record in _candidates(run, mark, records) if record.row.name in mark.rows])
    theirs = _opponent(mark, run, records, ours)
    if ours is None or theirs is None:
        return Standing(mark, ours.row.name if ours else "–", mark.opponent, None)
    name = mark.opponent if mark.opponent in (LIMIT, ITSELF) else theirs.row.name
    return Standing(mark, ours.row.name, name, ratio(theirs.turns, ours.turns), theirs)


def _records(run: Run, mark: Mark) -> dict[str, Record]:
    """What a run timed with warm caches at a mark's case, by row, of whatever data and number of threads."""
    wanted = (mark.op, mark.m, mark.n, mark.dtype, mark.optimizer, "warm")
    return {
        name: record
        for case, found in run.cases.items()
        if (case.op, case.m, case.n, case.dtype, case.optimizer, case.cache) == wanted
        for name, record in found.items()
        if record.row.device == mark.device
    }


def _candidates(run: Run, mark: Mark, records: dict[str, Record]) -> Sequence[Record]:
    """Those that our row is among: of the case, or of the case with X in a narrower storage."""
    if mark.storage is None:
        return list(records.values())
    cases = {record.case for record in records.values()}
    return [each for each in run.narrow if each.case in cases and each.storage == mark.storage and not each.is_limit]


def _opponent(mark: Mark, run: Run, records: dict[str, Record], ours: Record | None) -> Record | None:
    if mark.opponent == LIMIT:
        return run.limits.get((ours.case, mark.device)) if ours else None
    if mark.opponent == BEST_OTHER:
        return _fastest([record for name, record in records.items() if name not in OURS[mark.device]])
    if mark.opponent == ITSELF:
        return _fastest([record for name, record in records.items() if name in mark.rows])
    return records.get(mark.opponent)


def _fastest(records: Sequence[Record]) -> Record | None:
    return min(records, key=lambda record: record.seconds.value, default=None)


def _shown(standing: Standing) -> str:
    if standing.measured is None:
        return "–"
    value, low, high = standing.measured.value, standing.measured.low, standing.measured.high
    if standing.mark.opponent == LIMIT:
        return f"{value:.0%} [{low:.0%}, {high:.0%}]"
    return f"{value:.3g}× [{low:.3g}, {high:.3g}]"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0, or 1 where the page is stale."""
    about = (__doc__ or "").partition("\n")[0]  # `python -OO` leaves no docstring
    parser = argparse.ArgumentParser(prog=f"python -m {COMMAND}", description=about)
    parser.add_argument("run", nargs="?", type=Path, metavar="RUN", help="a run of `stepbench run --preset marks`")
    parser.add_argument("--write", action="store_true", help=f"rewrite the figures of {PAGE} from what is published")
    parser.add_argument("--check", action="store_true", help="exit 1 where they are stale, changing nothing")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.run is not None:
            run = load_run(chosen.run)
            sys.stdout.write("\n\n".join(table(run, group) for group in groups_of(run)) + "\n")
            return 0
        return refresh(Path(), check=not chosen.write)  # --check is the default: looking changes nothing
    except RecordError as error:
        parser.error(str(error))


def refresh(root: Path, *, check: bool) -> int:
    """Rewrite the blocks of the marks and the self-test, or with `check` say whether they are stale."""
    return refresh_page(root, {"marks": _marks_block, "self-test": _self_test_block}, COMMAND, check=check)


def _marks_block(root: Path) -> str:
    """Of each group the newest published run that measured the most of its marks."""
    runs = {run.folder: run for run in published_runs(root)}
    blocks = []
    for group in GROUPS:
        held = {folder: sum(map(_is_measured, standings(run, group))) for folder, run in runs.items()}
        if any(held.values()):
            run = load_run(max(held, key=held.__getitem__))
            blocks.append(
                f"{table(run, group)}\n\n[{where(run)}](../{run.folder.relative_to(root).as_posix()}/summary.md)"
            )
    return "\n\n".join(blocks) or "No published run holds these cases yet."


def _self_test_block(root: Path) -> str:
    lines = []
    for path in sorted(root.glob(SELF_TESTS)):
        found = json.loads(path.read_text(encoding="utf-8"))
        lines += [f"{in_full(found['machine']['cpu'], found['machine'])}, one thread:", ""]
        lines += [f"- {sentence}" for sentence in sentences(found["self_test"])]
    return "\n".join(lines) or "No published self-test yet."


if __name__ == "__main__":
    sys.exit(main())
