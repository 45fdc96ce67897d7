"""The marks the classifier is held to, measured.

    python -m stepbench.evidence.training_marks --json FILE   measure (minutes), store, and print the tables
    python -m stepbench.evidence.training_marks --trial       the same at small sizes (seconds)
    python -m stepbench.evidence.training_marks --write       rewrite the tables of benchmarks/README.md
    python -m stepbench.evidence.training_marks --check       exit 1 where they are stale

- The optimum is scikit-learn's, on five data sets, in both dtypes.
- The time to a gradient as small as scikit-learn's default solver leaves, and the time of 2,000 Adam steps against the
  row that records its gradient: whole calls of `fit`, through the same processes and turns as any run.

FILE holds the figures and the seconds of every turn; reports/published/<machine>/training.json is published.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from sklearn.linear_model import LogisticRegression as PeerRegression

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.cases.parsing import parse_size
from stepbench.cases.presets import BREAST_CANCER
from stepbench.evidence.declared import AUTOGRAD, SKLEARN, TRAINING_MARKS
from stepbench.evidence.optima import data_of, distances
from stepbench.evidence.readme import PAGE, refresh_page
from stepbench.evidence.training_table import SCHEMA, Figures, tables, training_block
from stepbench.machine.description import describe_commit, describe_machine
from stepbench.machine.threads import default_budget
from stepbench.run.in_turns import time_in_turns
from stepbench.run.participants import Participant, Role
from stepbench.run.progress import TerminalProgress
from stepbench.training.fitting import train
from stepbench.training.settings import Training
from stepkernels.classifier.estimator import LogisticRegression
from stepkernels.interface import Implementation, Op
from stepkernels.problem import Array
from stepreports.records.files import RecordError, write_json
from stepreports.records.turns import Turns

EQUAL = 1.001  # gradients are equal to three digits: the same iterations differ by their rounding
COMMAND = "stepbench.evidence.training_marks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much to measure: the large size, the steps of Adam, and how often fits take turns."""

    large: str
    adam_steps: int
    generations: int
    turns: int


FULL = Effort(large="1000000x100", adam_steps=2_000, generations=2, turns=12)
TRIAL = Effort(large="20000x20", adam_steps=50, generations=1, turns=2)


def measure(effort: Effort) -> Figures:
    """All that is stored."""
    with TerminalProgress("Training", 3 * effort.generations, Console(stderr=True)) as progress:
        fits = [
            to_equal_gradient(BREAST_CANCER, TRAINING_MARKS.equal_gradient, effort, progress),
            to_equal_gradient(effort.large, TRAINING_MARKS.equal_gradient_large, effort, progress),
            with_adam(TRAINING_MARKS.adam, effort, progress),
        ]
        progress.describe("the optimum on five data sets")
        optima = list(distances())
    return {
        "schema": SCHEMA,
        **surroundings(),
        "fits": fits,
        "optima": optima,
    }


def to_equal_gradient(size: str, mark: float, effort: Effort, progress: TerminalProgress) -> Figures:
    """`fit` against scikit-learn's, at its own defaults, until the gradient is as small as that leaves."""
    case = case_of(size)
    progress.describe(f"{case.m:,} × {case.n:,}: the gradient to reach")
    settings, found = equal_gradient(*data_of(make_problem(case.dataset, case.m, case.n, case.dtype, seed=0)))
    return {
        "training": f"{case.m:,} × {case.n:,}, to an equal gradient",
        "against": SKLEARN,
        "mark": mark,
        **found,
        **turns_of(case, settings, SKLEARN, {"peer": True}, effort, progress),
    }


def equal_gradient(X: Array, y: Array) -> tuple[dict[str, float], Figures]:
    """The settings of ours that leave the gradient scikit-learn leaves, and what both fits come to."""
    l2 = 1 / len(X)  # its C = 1
    peer = PeerRegression().fit(X, y)
    norm = gradient_norm(peer, X, y, l2)
    ours = LogisticRegression(l2=l2, tol=norm * EQUAL).fit(X, y)
    return {"l2": ours.l2, "tol": ours.tol}, {
        "row": ours.row_,
        "gradient": [gradient_norm(ours, X, y, l2), norm],
        "iterations": [ours.n_iter_, int(peer.n_iter_[0])],
    }


def gradient_norm(classifier: Any, X: Array, y: Array, l2: float) -> float:
    """The largest element of the gradient of J at a classifier's parameters."""
    w = classifier.coef_[0]
    r = 1.0 / (1.0 + np.exp(-(X @ w + classifier.intercept_[0]))) - y
    return float(max(np.abs(X.T @ r / len(X) + l2 * w).max(), abs(r.mean())))


def with_adam(mark: float, effort: Effort, progress: TerminalProgress) -> Figures:
    """Adam's steps on breast cancer, ours against autograd's: the accuracy on rows held out, and the time."""
    case = case_of(BREAST_CANCER)
    wanted = Training(optimizer="adam", learning_rate=0.01, tol=0.0, steps=effort.adam_steps)
    progress.describe(f"{effort.adam_steps:,} steps of Adam: the accuracy")
    ours, theirs = (train(BREAST_CANCER, each, lambda *_: None) for each in (wanted, replace(wanted, row=AUTOGRAD)))
    settings = {
        "optimizer": wanted.optimizer,
        "learning_rate": wanted.learning_rate,
        "tol": wanted.tol,
        "max_iter": wanted.steps,
    }
    return {
        "training": f"{case.m:,} × {case.n:,}, {effort.adam_steps:,} steps of Adam",
        "against": AUTOGRAD,
        "mark": mark,
        "row": str(ours.model.row),
        "accuracy": [ours.score.accuracy, theirs.score.accuracy],
        **turns_of(case, settings, AUTOGRAD, {**settings, "row": AUTOGRAD}, effort, progress),
    }


def turns_of(
    case: Case, ours: Figures, opponent: str, theirs: Figures, effort: Effort, progress: TerminalProgress
) -> Figures:
    """The seconds of a fit with these settings and of the opponent's: a list of turns for each generation."""
    participants = [participant("ours", ours), participant(opponent, theirs)]
    timed = time_in_turns(participants, [case], effort.generations, effort.turns, progress)
    seconds, opponents = (by_generation(timed[each.key, case.name], effort.generations) for each in participants)
    return {"seconds": seconds, "opponent_seconds": opponents}


def participant(name: str, settings: Figures) -> Participant:
    """Timed and not judged: a fit is no step, and `fit` is checked above and in the tests."""
    row = Implementation(name=name, module="stepbench.evidence.fits", ops=(Op.STEP,), options=settings)
    return Participant(row, role=Role.UNJUDGED)


def case_of(text: str, dtype: str = "float64") -> Case:
    """The case whose step is one fit of these data. Raises `ProblemError` for no size."""
    size = parse_size(text)
    return Case(op=Op.STEP, dtype=dtype, m=size.m, n=size.n, dataset=size.dataset, threads=default_budget())


def surroundings() -> Figures:
    """When, where and of which commit something was measured."""
    return {
        "datetime": datetime.datetime.now(datetime.UTC).isoformat(),
        "machine": describe_machine(),
        "threads": default_budget(),
        "commit": describe_commit(Path(__file__).parent),
    }


def by_generation(turns: Turns, generations: int) -> list[list[float]]:
    """The seconds of each turn in order, a list for each generation."""
    return [[turns[turn] for turn in sorted(turns) if turn[0] == g] for g in range(generations)]


def file_to_write(text: str) -> Path:
    """The path, where a file can be written; tried before the minutes that measuring takes."""
    path = Path(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: {error.strerror}") from None
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0, or 1 where the page is stale."""
    about = (__doc__ or "").partition("\n")[0]  # `python -OO` leaves no docstring
    parser = argparse.ArgumentParser(prog=f"python -m {COMMAND}", description=about)
    parser.add_argument("--json", type=file_to_write, metavar="FILE", help="store what was measured")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--trial", action="store_true", help="measure at small sizes")
    what.add_argument("--write", action="store_true", help=f"rewrite the tables of {PAGE} from what is published")
    what.add_argument("--check", action="store_true", help="exit 1 where they are stale, changing nothing")
    chosen = parser.parse_args(arguments)
    if chosen.write or chosen.check:
        try:
            return refresh_page(Path(), {"training": training_block}, COMMAND, check=chosen.check)
        except RecordError as error:
            parser.error(str(error))
    found = measure(TRIAL if chosen.trial else FULL)
    if chosen.json is not None:
        write_json(chosen.json, found)
    sys.stdout.write(tables(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
