"""How far the truth of a stored X is from that of the unrounded one: as the plain reference and scikit-learn say."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from stepbench.cases.datasets import make_problem
from stepbench.proof.distances import Distance, distance
from stepbench.proof.points import random_point
from stepkernels import reference
from stepkernels.problem import STORAGES, Config, Problem

CONFIG = Config(dtype="float32", l2=1e-3)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("data", [("synthetic", 500, 7), ("breast-cancer", 0, 0)])
def test_it_is_that_of_the_references_and_of_the_peers_optimum(storage, data):
    problem = make_problem(*data, "float32", seed=0, evidence=False)
    stored, point = problem.stored(storage), random_point(problem, CONFIG, 5)
    here, there = (reference.gradient(each, point.w, point.b, CONFIG.l2) for each in (problem, stored))
    found = distance(problem, storage, CONFIG, 5)
    assert pytest.approx(abs(there.J - here.J) / here.J, rel=1e-6) == found.J
    away = np.linalg.norm(there.packed - here.packed) / np.linalg.norm(here.packed)
    assert found.gw == pytest.approx(away, rel=1e-6)
    best, best_stored = (peer(each) for each in (problem, stored))
    assert found.coefficients == pytest.approx(np.abs(best_stored - best).max() / np.abs(best).max(), rel=1e-3)
    assert found.accuracy == accuracy(problem, best)
    assert found.accuracy_stored == accuracy(problem, best_stored)


def peer(problem):
    solver = LogisticRegression(C=1.0 / (CONFIG.l2 * problem.m), tol=1e-12, solver="newton-cholesky", max_iter=1000)
    solver.fit(problem.X.astype(np.float64), problem.y)
    return np.append(solver.coef_[0], solver.intercept_)


def accuracy(problem, parameters):
    return float(np.mean((problem.X @ parameters[:-1] + parameters[-1] > 0) == (problem.y > 0.5)))


def test_what_a_storage_holds_is_no_distance_away():
    problem = make_problem("synthetic", 200, 3, "float32", seed=1, evidence=False).stored("float16")
    found = distance(problem, "float16", CONFIG, 2)
    assert (found.J, found.gw, found.coefficients) == (0.0, 0.0, 0.0)
    assert found.accuracy == found.accuracy_stored


def test_where_nothing_is_learned_every_number_is_finite():
    zeros = Problem(np.zeros((6, 2), np.float32), np.array([0, 1, 0, 1, 0, 1], np.float32))
    assert np.isfinite(distance(zeros, "int8", CONFIG, 0)).all()
    assert distance(zeros, "int8", CONFIG, 0)[:3] == Distance(0.0, 0.0, 0.0, 0.5, 0.5)[:3]
