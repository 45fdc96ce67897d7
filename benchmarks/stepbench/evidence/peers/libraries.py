"""The peers: one function for each solver of each library, which trains what our classifier trains, in one call.

All minimize J = mean loss + l2/2·‖w‖² with an intercept that is not penalized, or as near to it as the library can;
each says in its docstring how its own formula becomes this one. A function takes X (m, n) in float32 or float64, y (m,)
of zeros and ones in the same dtype, l2, its library's own tolerance, and the threads it may use. What the library needs
of another form of X or y is made inside, since whoever trains with it has to. Libraries are imported when they are
first called: most are installed nowhere.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stepkernels.problem import Array

MOST_ITERATIONS = 10_000  # beyond what any of them needs: the tolerance ends a fit
OURS = "stepbench"


class Trained(NamedTuple):
    """Where a fit ended: w (n,) in the dtype that the library returns, b, iterations (None where it tells none)."""

    w: Array
    b: float
    iterations: int | None
    estimator: object


Fit = Callable[[Array, Array, float, float, int], Trained]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A solver of a library.

    name          <distribution>-<solver>
    library       its import name
    distribution  what installs it
    fit           trains
    loosest       the largest tolerance worth trying for a small gradient; None for a solver that takes none
    step          how many times as small the next one is
    """

    name: str
    library: str
    distribution: str
    fit: Fit
    loosest: float | None
    step: float = 10.0

    def unavailable(self) -> str | None:
        """Why it cannot run here, or None."""
        if importlib.util.find_spec(self.library) is None:
            return f"{self.distribution} is not installed; python -m pip install {self.distribution}"
        return None

    @property
    def version(self) -> str:
        try:
            return importlib.metadata.version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            return "unknown"


def fit_ours(X: Array, y: Array, l2: float, tol: float, threads: int) -> Trained:  # noqa: ARG001  the process's
    """Our classifier at its defaults: its tolerance is the largest element of the gradient."""
    from stepkernels.classifier.estimator import LogisticRegression

    return of_scikit_learn(LogisticRegression(l2=l2, tol=tol, max_iter=MOST_ITERATIONS).fit(X, y))


def fit_scikit_learn(solver: str) -> Fit:
    """Its C is 1/(l2·m), for the cost is C·Σ loss + ½‖w‖²."""

    def fit(X: Array, y: Array, l2: float, tol: float, threads: int) -> Trained:  # noqa: ARG001
        from sklearn.linear_model import LogisticRegression

        return of_scikit_learn(_by_c(LogisticRegression, solver, X, y, l2, tol))

    return fit


def fit_onedal(solver: str) -> Fit:
    """scikit-learn's class as scikit-learn-intelex has it; its log tells whether oneDAL computes or scikit-learn."""

    def fit(X: Array, y: Array, l2: float, tol: float, threads: int) -> Trained:  # noqa: ARG001
        from sklearnex.linear_model import LogisticRegression

        return of_scikit_learn(_by_c(LogisticRegression, solver, X, y, l2, tol))

    return fit


def fit_glum(solver: str) -> Fit:
    """Its alpha is l2: the mean of half the deviance is the mean loss, and l1_ratio = 0 leaves ½·alpha·‖w‖²."""

    def fit(X: Array, y: Array, l2: float, tol: float, threads: int) -> Trained:  # noqa: ARG001
        from glum import GeneralizedLinearRegressor

        model = GeneralizedLinearRegressor(
            family="binomial", alpha=l2, l1_ratio=0, gradient_tol=tol, max_iter=MOST_ITERATIONS, solver=solver
        ).fit(X, y)
        return Trained(model.coef_, float(model.intercept_), int(model.n_iter_), model)

    return fit


def fit_snapml(intercept_scaling: float) -> Fit:
    """Its regularizer is l2·m, on Σ loss. The intercept is the coefficient of a constant feature, penalized as any.

    With a constant of `intercept_scaling` the penalty of b is less by its square, and the descent slower.
    """

    def fit(X: Array, y: Array, l2: float, tol: float, threads: int) -> Trained:
        from snapml import LogisticRegression

        model = LogisticRegression(
            regularizer=l2 * len(X), fit_intercept=True, intercept_scaling=intercept_scaling, dual=True, tol=tol,
            max_iter=MOST_ITERATIONS, n_jobs=threads, random_state=0,
        ).fit(X, y)  # fmt: skip
        w, b = np.ravel(model.coef_), float(np.ravel(model.intercept_)[0]) * intercept_scaling
        return Trained(w, b, _whole(model.n_iter_), model)

    return fit


def fit_skglm(solver: str) -> Fit:
    """Its elastic net without the l1: of its smooth L2 penalty none of its solvers makes a model with an intercept."""

    def fit(X: Array, y: Array, l2: float, tol: float, threads: int) -> Trained:  # noqa: ARG001
        from skglm import GeneralizedLinearEstimator, solvers
        from skglm.datafits import Logistic
        from skglm.penalties import L1_plus_L2

        search = getattr(solvers, solver)(fit_intercept=True, tol=tol, max_iter=1_000)
        model = GeneralizedLinearEstimator(Logistic(), L1_plus_L2(l2, 0.0), search).fit(X, 2.0 * y - 1.0)
        return Trained(np.ravel(model.coef_), float(np.ravel(model.intercept_)[0]), _whole(model.n_iter_), model)

    return fit


def fit_statsmodels(X: Array, y: Array, l2: float, tol: float, threads: int) -> Trained:  # noqa: ARG001  it takes none
    """A GLM's ridge by SciPy's Newton-CG: alpha is l2, and 0 for the column of ones, which is the intercept."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    with_ones = np.column_stack([X, np.ones(len(X), X.dtype)])
    alpha = np.append(np.full(X.shape[1], l2), 0.0)
    model = GLM(y, with_ones, family=Binomial()).fit_regularized(alpha=alpha, L1_wt=0.0, opt_method="newton-cg")
    return Trained(model.params[:-1], float(model.params[-1]), None, model)


def fit_liblinear(X: Array, y: Array, l2: float, tol: float, threads: int) -> Trained:  # noqa: ARG001  it has one
    """-s 0: its trust-region Newton on ½‖w‖² + C·Σ loss, C = 1/(l2·m); -B 1 -R: an intercept without a penalty."""
    from liblinear import liblinearutil

    options = f"-s 0 -c {1 / (l2 * len(X))!r} -e {tol!r} -B 1 -R -q"
    model = liblinearutil.train(liblinearutil.problem(y, X, 1), liblinearutil.parameter(options))
    w, b = model.get_decfun()
    sign = 1.0 if model.get_labels()[0] == 1 else -1.0  # it tells of the label that it met first
    return Trained(sign * np.array(w), sign * float(b), None, model)


def of_scikit_learn(model: Any) -> Trained:
    """The end of a fit as scikit-learn's conventions tell it."""
    return Trained(model.coef_[0], float(model.intercept_[0]), _whole(model.n_iter_), model)


def _by_c(kind: Any, solver: str, X: Array, y: Array, l2: float, tol: float) -> Any:
    return kind(C=1 / (l2 * len(X)), tol=tol, max_iter=MOST_ITERATIONS, solver=solver).fit(X, y)


def _whole(iterations: Any) -> int:
    """Of a number, or of an array that holds one."""
    return int(np.ravel(iterations)[0])


PEERS = {
    peer.name: peer
    for peer in (
        Peer(name=OURS, library="stepkernels", distribution="stepbench", fit=fit_ours, loosest=1e-8, step=2.0),
        *(
            Peer(
                name=f"scikit-learn-{solver}", library="sklearn", distribution="scikit-learn",
                fit=fit_scikit_learn(solver), loosest=1e-7,
            )
            for solver in ("lbfgs", "newton-cholesky")
        ),
        *(
            Peer(
                name=f"scikit-learn-intelex-{solver}", library="sklearnex", distribution="scikit-learn-intelex",
                fit=fit_onedal(solver), loosest=1e-7,
            )
            for solver in ("lbfgs", "newton-cg")
        ),
        *(
            Peer(
                name=f"glum-{solver}", library="glum", distribution="glum", fit=fit_glum(solver), loosest=1e-6,
            )
            for solver in ("irls-ls", "lbfgs")
        ),
        *(
            Peer(
                name=f"snapml-dual{suffix}", library="snapml", distribution="snapml", fit=fit_snapml(scaling),
                loosest=1e-4,
            )
            for suffix, scaling in (("", 1.0), ("-intercept-10", 10.0))
        ),
        *(
            Peer(
                name=f"skglm-{name}", library="skglm", distribution="skglm", fit=fit_skglm(solver), loosest=1e-6,
            )
            for name, solver in (("anderson-cd", "AndersonCD"), ("prox-newton", "ProxNewton"))
        ),
        Peer(
            name="statsmodels-newton-cg", library="statsmodels", distribution="statsmodels", fit=fit_statsmodels,
            loosest=None,
        ),
        Peer(
            name="liblinear-trust-region", library="liblinear", distribution="liblinear-official", fit=fit_liblinear,
            loosest=1e-6,
        ),
    )
}  # fmt: skip
