"""What is drawn and told together: the cases that differ only in size.

A view fixes everything else of a case. Sizes of a view are ordered by the bytes of X, because that is what a step
reads, and because a size has two numbers and an axis has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from stepreports.records.stored import Case, Row
from stepreports.statistics.intervals import Estimate, ratios
from stepreports.statistics.runs import Record, Run

LOOP = "interpreted loop"
MATRIX_FORM = "matrix form"
BASELINES = (LOOP, MATRIX_FORM)
DEVICES = {"cpu": "CPU", "cuda": "GPU"}
MOST_POINTS = 24  # of a line in a figure
_OPS = ("step", "train", "gradient", "forward", "backward", "update")


@dataclass(frozen=True, eq=False)
class View:
    """The cases of one op, dtype, optimizer, thread budget and cache state, by size."""

    run: Run
    op: str
    steps: int
    dtype: str
    optimizer: str
    threads: int
    cache: str

    @cached_property
    def cases(self) -> list[Case]:
        """The cases that have a number, smallest X first."""
        mine = [case for case in self.run.cases if _key(case) == self.key]
        return sorted(mine, key=lambda case: (case.x_bytes, case))

    @property
    def key(self) -> tuple[str, int, str, str, int, str]:
        """What all cases of the view share."""
        return (self.op, self.steps, self.dtype, self.optimizer, self.threads, self.cache)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows with a number in this view, in the order of the records."""
        present = {name for case in self.cases for name in self.run.cases[case]}
        return [row for row in self.run.rows if row.name in present]

    @property
    def title(self) -> str:
        """Everything the cases share, in words."""
        optimizer = {"gd": "gradient descent", "adam": "Adam"}.get(self.optimizer, self.optimizer)
        op = f"train, {self.steps} steps" if self.op == "train" else self.op
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return f"{op}, {optimizer}, {self.dtype}, {threads}, {self.cache} cache"

    @property
    def unit(self) -> str:
        """What one time is the time of: a train is told by the step."""
        return "step" if self.op == "train" else self.op

    @property
    def one(self) -> str:
        """One unit, in words."""
        return f"{'an' if self.unit == 'update' else 'a'} {self.unit}"

    @property
    def slug(self) -> str:
        """The title as part of a file name."""
        return "-".join(str(part) for part in self.key if part != 1 or self.op == "train")

    @cached_property
    def drawn_cases(self) -> list[Case]:
        """The cases of which a line is made: of very many, an even choice that a line as wide as a page can show."""
        every = max(1, -(-len(self.cases) // MOST_POINTS))
        return self.cases[::-every][::-1]

    def points(self, row: Row) -> list[Record]:
        """The records of one row's line, smallest X first."""
        return [self.run.cases[case][row.name] for case in self.drawn_cases if row.name in self.run.cases[case]]

    def speedups(self, row: Row, baseline: Row) -> list[tuple[Record, Estimate]]:
        """How many times as fast as the baseline the row is, wherever both ran and shared turns."""
        pairs = [
            (r, self.run.cases[r.case][baseline.name])
            for r in self.points(row)
            if baseline.name in self.run.cases[r.case]
        ]
        found = ratios([(other.turns, record.turns) for record, other in pairs])
        return [(record, ratio) for (record, _), ratio in zip(pairs, found, strict=True) if ratio]


@lru_cache(maxsize=8)
def views(run: Run) -> list[View]:
    """Every view of a run; the one to show first comes first: a step, warm, GD, the most threads, float64."""
    found = [View(run, *key) for key in dict.fromkeys(_key(case) for case in run.cases)]
    return sorted(found, key=_rank)


def step_views(run: Run) -> list[View]:
    """The views of a step; where none was timed, the first view."""
    found = views(run)
    return [view for view in found if view.op == "step"] or found[:1]


def _rank(view: View) -> tuple[int, bool, bool, int, bool]:
    op = _OPS.index(view.op) if view.op in _OPS else len(_OPS)
    return (op, view.cache != "warm", view.optimizer != "gd", -view.threads, view.dtype != "float64")


def _key(case: Case) -> tuple[str, int, str, str, int, str]:
    return (case.op, case.steps, case.dtype, case.optimizer, case.threads, case.cache)


def baselines(run: Run) -> list[Row]:
    """The rows that speed-ups are told against: the interpreted loop and the matrix form, where they ran."""
    return [row for technique in BASELINES if (row := run.row_of_technique(technique))]


def shares_of_limit(run: Run, records: Sequence[Record]) -> list[Estimate | None]:
    """The read kernel's time over each record's: 1 is as fast as this machine reads X once.

    Always within the turns they shared, because the limit drifts too: the two medians divided may say otherwise.
    None for a read kernel itself, and where a record's device had none in its turns.
    """
    limits = [None if r.is_limit else run.limits.get((r.case, r.row.device)) for r in records]
    return ratios((limit.turns, r.turns) if limit else None for limit, r in zip(limits, records, strict=True))


def shows_its_passes(run: Run, record: Record) -> bool:
    """Whether its time shows that it reads X no more often than it declares: one pass more would take longer.

    Where it does not (in the caches, or without a measured limit) the number of passes is what the row declares.
    """
    limit = run.limits.get((record.case, record.row.device))
    return limit is not None and record.seconds.high < (record.passes_over_x + 1) * limit.seconds.low
