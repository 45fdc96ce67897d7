"""The marks the classifier is held to, measured: `python -m stepbench.training_marks`.

- The optimum is scikit-learn's, on five data sets, in both precisions.
- The time to a gradient as small as scikit-learn's default solver leaves: whole calls of `fit`, in turns.
- 2,000 Adam steps against the same steps of the row that records its gradient, `torch-autograd-cpu`.

All in one process: fits of a peer and of ours take turns, and a ratio is taken within a turn.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression as PeerRegression

from stepbench.datasets import make_problem
from stepbench.environment import describe_machine
from stepbench.threads import default_budget
from stepbench.training import Training, train
from stepkernels.estimator import LogisticRegression
from stepkernels.problem import Array, synthetic_problem
from stepreports.intervals import Estimate, estimate, ratio
from stepreports.tables import markdown
from stepreports.text import plain_seconds

Data = tuple[Array, Array]
Turns = dict[tuple[int, int], float]

EQUAL = 1.001  # gradients are equal to three digits: the same iterations differ by their rounding
LEAST_SECONDS = 0.05  # of a turn: short fits are repeated


def breast_cancer() -> Data:
    return _data(make_problem("breast-cancer", 0, 0, "float64", 0))


def digits_parity() -> Data:
    return _data(make_problem("digits-parity", 0, 0, "float64", 0))


def well_conditioned() -> Data:
    return _data(synthetic_problem(5000, 20))


def ill_conditioned() -> Data:
    """Columns of scales from 1 to 1/100: curvatures from 1 to 1/10000."""
    X, y = _data(synthetic_problem(2000, 20, seed=1))
    return X * np.logspace(0, -2, 20), y


def nearly_separable() -> Data:
    """One plane divides all rows but the three nearest to it."""
    random = np.random.default_rng(2)
    X = random.standard_normal((1000, 10))
    z = X @ random.standard_normal(10)
    y = z > 0
    nearest = np.argsort(np.abs(z))[:3]
    y[nearest] = ~y[nearest]
    return X, y.astype(np.float64)


OPTIMA: tuple[Callable[[], Data], ...] = (
    breast_cancer,
    digits_parity,
    well_conditioned,
    ill_conditioned,
    nearly_separable,
)


def optimum_lines() -> Iterable[dict[str, str]]:
    """How far our coefficients lie from scikit-learn's, relative to the largest of them.

    At C = 1 and tol = 1e-12. Its default solver ends where rounding hides the fall of the cost; its Newton solver goes
    on to the optimum, and shows whose digits the difference is in.
    """
    for data in OPTIMA:
        X, y = data()
        default, newton = (
            PeerRegression(tol=1e-12, max_iter=100_000, solver=solver).fit(X, y)
            for solver in ("lbfgs", "newton-cholesky")
        )
        for dtype, tol, mark in (("float64", 1e-11, 1e-6), ("float32", 1e-7, 1e-3)):
            ours = LogisticRegression(l2=1 / len(X), tol=tol, dtype=dtype).fit(X, y)
            yield {
                "data": f"{data.__name__.replace('_', ' ')}, {dtype}",
                "from its Newton solver": f"{distance(ours, newton):.1e}",
                "from its default solver": f"{distance(ours, default):.1e}",
                "its solvers apart": f"{distance(default, newton):.1e}",
                "mark": f"{mark:.0e}",
                "": "reached" if distance(ours, newton) < mark else "not reached",
            }


def distance(classifier: Any, peer: Any) -> float:
    """The largest difference of two classifiers' parameters, relative to the peer's largest."""
    ours, theirs = (np.append(each.coef_[0], each.intercept_) for each in (classifier, peer))
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def time_lines() -> Iterable[dict[str, str]]:
    """Our `fit` against scikit-learn's, at its own defaults, to a gradient as small as it leaves."""
    for name, data, turns, mark in (
        ("569 × 30 (breast cancer)", breast_cancer, 40, 1.0),
        ("1,000,000 × 100", lambda: _data(synthetic_problem(1_000_000, 100)), 8, 2.0),
    ):
        X, y = data()
        l2 = 1 / len(X)
        peer = PeerRegression()
        norm = gradient_norm(peer.fit(X, y), X, y, l2)
        ours = LogisticRegression(l2=l2, tol=norm * EQUAL)
        reached = gradient_norm(ours.fit(X, y), X, y, l2)
        theirs_seconds, ours_seconds = take_turns([partial(peer.fit, X, y), partial(ours.fit, X, y)], turns)
        yield {
            "fit": f"{name}, on {ours.row_}",
            "gradient left": f"{reached:.1e}, scikit-learn {norm:.1e}",
            "iterations": f"{ours.n_iter_}, scikit-learn {peer.n_iter_[0]}",
            **comparison(theirs_seconds, ours_seconds, "scikit-learn", mark),
        }


def gradient_norm(classifier: Any, X: Array, y: Array, l2: float) -> float:
    """The largest element of the gradient of J at a classifier's parameters."""
    w = classifier.coef_[0]
    r = 1.0 / (1.0 + np.exp(-(X @ w + classifier.intercept_[0]))) - y
    return float(max(np.abs(X.T @ r / len(X) + l2 * w).max(), abs(r.mean())))


def adam_lines() -> Iterable[dict[str, str]]:
    """2,000 Adam steps on breast cancer: the accuracy they reach and the time they take."""
    settings = {"optimizer": "adam", "learning_rate": 0.01, "tol": 0.0}
    X, y = breast_cancer()
    accuracies, fits = [], []
    for row in ("auto", "torch-autograd-cpu"):
        trained = train("breast-cancer", Training(row=row, steps=2000, **settings), lambda *_: None)  # type: ignore[arg-type]
        accuracies.append(trained.score.accuracy)
        fits.append(partial(LogisticRegression(row=row, max_iter=2000, **settings).fit, X, y))  # type: ignore[arg-type]
    ours_seconds, theirs_seconds = take_turns(fits, 8)
    yield {
        "fit": "2,000 Adam steps on breast cancer",
        "held-out accuracy": f"{accuracies[0]:.1%}, autograd {accuracies[1]:.1%}",
        **comparison(theirs_seconds, ours_seconds, "autograd", 50.0, accuracies[0] == accuracies[1]),
    }


def take_turns(fits: Sequence[Callable[[], object]], turns: int) -> list[Turns]:
    """The seconds of each fit in each turn; who goes first alternates, and a short fit is repeated within its turn."""
    repeats = [max(1, round(LEAST_SECONDS / _seconds(fit, 1))) for fit in fits]
    found: list[Turns] = [{} for _ in fits]
    for turn in range(turns):
        for index in range(len(fits)) if turn % 2 else reversed(range(len(fits))):
            found[index][0, turn] = _seconds(fits[index], repeats[index])
    return found


def comparison(theirs: Turns, ours: Turns, peer: str, mark: float, holds: bool = True) -> dict[str, str]:
    """Times, their ratio with its interval, and whether the mark is reached."""
    times = ratio(theirs, ours)
    assert times is not None  # they took the same turns
    reached = holds and times.low >= mark
    return {
        "time": f"{plain_seconds(estimate(ours).value)}, {peer} {plain_seconds(estimate(theirs).value)}",
        "times as fast": _interval(times),
        "mark": f"{mark:g}×",
        "": "reached" if reached else "reached by the median" if holds and times.value >= mark else "not reached",
    }


def _interval(times: Estimate) -> str:
    return f"{times.value:.3g}× [{times.low:.3g}, {times.high:.3g}]"


def _seconds(fit: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        fit()
    return (time.perf_counter() - start) / repeats


def _data(problem: Any) -> Data:
    return problem.X, problem.y


def main() -> None:
    """Print the tables."""
    sys.stdout.write(f"{describe_machine()['cpu']}, {default_budget()} threads\n")
    for lines in (adam_lines, optimum_lines, time_lines):
        sys.stdout.write(f"\n{markdown(list(lines()))}\n")


if __name__ == "__main__":
    main()
