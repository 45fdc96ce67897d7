"""Peers at an equal gradient: each adapter trains the model that ours does, and what a peer does else is told."""

import copy
import json
import logging
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from stepbench.evidence.declared import PEER_MARKS
from stepbench.evidence.peers import __main__ as command
from stepbench.evidence.peers.finding import attempts, found_of, telling
from stepbench.evidence.peers.libraries import OURS, PEERS, Peer, Trained
from stepbench.evidence.peers.peer_table import fastest, notes, tables
from stepbench.evidence.peers.timed_fit import bind
from stepbench.evidence.training_marks import case_of
from stepbench.run.progress import TerminalProgress
from stepkernels.classifier.estimator import LogisticRegression
from stepkernels.problem import Config, Problem, synthetic_problem

M, N = 400, 5
L2 = 20 / M  # so much of a penalty that one of the intercept as well would show
SCALINGS = {"snapml-dual": 1.0, "snapml-dual-intercept-10": 10.0}  # of the intercept that they penalize


def unbalanced():
    """More of one class, so that the intercept is far from zero."""
    problem = synthetic_problem(M, N, "float64", seed=3)
    random = np.random.default_rng(5)
    return Problem(problem.X, np.where(random.random(M) < 0.5, 1.0, problem.y))


def optimum(X, y):
    model = LogisticRegression(l2=L2, tol=1e-10).fit(X, y)
    return np.append(model.coef_[0], model.intercept_)


def optimum_of_penalized_intercept(X, y, scaling):
    """That of a constant feature, whose coefficient counts as any other."""
    model = LogisticRegression(l2=L2, tol=1e-10, fit_intercept=False).fit(np.column_stack([X, np.full(M, scaling)]), y)
    return np.append(model.coef_[0, :-1], scaling * model.coef_[0, -1])


@pytest.mark.parametrize("peer", PEERS.values(), ids=lambda peer: peer.name)
@pytest.mark.parametrize("first", [0.0, 1.0], ids=["a zero first", "a one first"])
def test_a_peer_finds_the_same_optimum_whichever_label_comes_first(peer, first):
    if reason := peer.unavailable():
        pytest.skip(reason)
    problem = unbalanced()
    order = np.argsort(problem.y != first, kind="stable")
    X, y = problem.X[order], problem.y[order]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = peer.fit(X, y, L2, (peer.loosest or 1.0) * 1e-2, 1)
    scaling = SCALINGS.get(peer.name)
    wanted = optimum(X, y) if scaling is None else optimum_of_penalized_intercept(X, y, scaling)
    assert np.abs(np.append(found.w, found.b) - wanted).max() < (1e-6 if scaling is None else 1e-3)


def test_the_peer_that_is_always_here_is_there_and_one_that_is_not_says_how_to_get_it():
    assert PEERS["scikit-learn-lbfgs"].unavailable() is None
    absent = Peer(name="x-y", library="no_such_library", distribution="no-such", fit=None, loosest=None)
    assert absent.unavailable() == "no-such is not installed; python -m pip install no-such"
    assert absent.version == "unknown"


def coming_to(gradients):
    """A peer whose n-th fit leaves the n-th of these gradients, all of them in b."""
    left = iter(gradients)
    tried = []

    def fit(X, y, l2, tol, threads):
        tried.append(tol)
        p = y.mean() + next(left)
        return Trained(np.zeros(X.shape[1]), float(np.log(p / (1 - p))), len(tried), object())

    return Peer(name="x-y", library="numpy", distribution="numpy", fit=fit, loosest=1e-4), tried


NO_SLOPE = Problem(np.zeros((4, 1)), np.array([0.0, 1.0, 0.0, 1.0]))


def test_a_tolerance_is_tightened_until_the_gradient_is_reached_and_no_further():
    peer, tried = coming_to([1e-2, 1e-4, 1e-9, 1e-12])
    found = list(attempts(peer, NO_SLOPE, 0.1, 1e-8, 1))
    assert tried == pytest.approx([1e-4, 1e-5, 1e-6])
    assert [each["gradient"] for each in found] == pytest.approx([1e-2, 1e-4, 1e-9], rel=1e-3)
    assert found[-1]["iterations"] == 3


def test_a_gradient_that_grows_no_smaller_ends_the_attempts_with_the_best_of_them():
    peer, tried = coming_to([1e-2, 1e-4, 2e-4, 2e-4, 1e-9])
    assert list(attempts(peer, NO_SLOPE, 0.1, 1e-8, 1))[-1]["gradient"] == pytest.approx(1e-4, rel=1e-3)
    assert len(tried) == 4


def test_what_a_library_warns_of_and_logs_is_told():
    told = []
    with telling(told):
        warnings.warn("odd\nand more", UserWarning, stacklevel=1)
        logging.getLogger("sklearnex").info("fallback to original Scikit-learn")
    assert told == ["fallback to original Scikit-learn", "odd"]


FIT = {
    "version": "1.0", "l2": 1e-5, "reason": None, "tol": 1e-8, "gradient": 5e-9, "gb": 1e-9, "b": 0.5, "iterations": 7,
    "once_seconds": 1.0, "memory_bytes": 4e5, "dtype": "float32", "estimator": "a.B", "told": [],
}  # fmt: skip
CASE = {
    "dataset": "synthetic", "m": 100_000, "n": 50, "dtype": "float32", "x_bytes": 20_000_000, "target": 1e-8,
    "fits": [
        {**FIT, "peer": OURS, "seconds": [[1.0, 1.1, 1.0, 1.1, 1.0, 1.0]] * 2},
        {**FIT, "peer": "glum-lbfgs", "seconds": [[3.0, 3.3, 3.0, 3.3, 3.0, 3.0]] * 2},
        {**FIT, "peer": "scikit-learn-lbfgs", "seconds": [[1.5, 1.6, 1.5, 1.6, 1.5, 1.5]] * 2, "gradient": 5e-6},
        {**FIT, "peer": "statsmodels-newton-cg", "seconds": None, "once_seconds": 80.0},
    ],
}  # fmt: skip
FOUND = {"cases": [CASE]}


def changed(peer, **fields):
    """The made-up figures, with these fields of a fit."""
    found = copy.deepcopy(FOUND)
    next(fit for fit in found["cases"][0]["fits"] if fit["peer"] == peer).update(fields)
    return found


def notes_on(**fields):
    return notes(CASE, {**FIT, "peer": "x-y", "seconds": [[1.0]], **fields})


def test_the_fastest_peer_is_one_that_leaves_the_gradient():
    assert fastest(CASE)["peer"] == "glum-lbfgs"
    shown = tables(FOUND)
    assert "| scikit-learn-lbfgs 1.0 |" in shown
    assert "does not reach 1e-08" in shown
    assert "timed once, in a process of its own" in shown


@pytest.mark.parametrize(
    ("found", "of_speed", "of_memory"),
    [
        (FOUND, "reached", "reached"),
        (changed("glum-lbfgs", seconds=[[1.8] * 6] * 2), "not reached", "reached"),
        (changed("glum-lbfgs", gradient=1e-6), "reached, timed once", "reached"),
        (changed("glum-lbfgs", seconds=None, once_seconds=1.5), "not reached, timed once", "reached"),
        (changed(OURS, gradient=2e-8), "not equal", "reached"),
        (changed(OURS, memory_bytes=2e6), "reached", "not reached"),
        (changed(OURS, seconds=None), "not measured", "reached"),
    ],
)
def test_a_mark_is_reached_or_not(found, of_speed, of_memory):
    speed, memory = tables(found).splitlines()[-2:]
    assert speed.split("|")[-2].strip() == of_speed
    assert memory.split("|")[-2].strip() == of_memory


def test_what_a_peer_does_instead_is_told():
    assert notes_on() == []
    assert notes_on(dtype="float64") == ["returns float64"]
    assert notes_on(memory_bytes=48_000_000) == ["copies X: holds 2.4 times as much beside it"]
    assert notes_on(told=["x: running accelerated version on CPU"]) == []
    assert notes_on(told=["fallback to original Scikit-learn"]) == ["tells: fallback to original Scikit-learn"]
    assert notes_on(gradient=5e-6, gb=-5e-6, b=0.5) == ["does not reach 1e-08", "penalizes the intercept"]
    assert notes_on(gradient=5e-6, gb=5e-6, b=0.5) == ["does not reach 1e-08"]
    assert notes(CASE, {"peer": "x-y", "reason": "it is not installed"}) == ["it is not installed"]


def test_of_a_small_x_no_memory_is_told_in_shares():
    small = {**CASE, "x_bytes": 10_000}
    assert " of X" not in tables({"cases": [small]})


ABSENT = {"version": "", "reason": "it is not installed", "seconds": None, "l2": 1e-5}


def absent(peer):
    found = copy.deepcopy(FOUND)
    found["cases"][0]["fits"] = [
        {"peer": fit["peer"], **ABSENT} if fit["peer"] == peer else fit for fit in found["cases"][0]["fits"]
    ]
    return found


@pytest.mark.parametrize(
    ("found", "arguments", "status"),
    [
        (FOUND, [], 0),
        (absent("glum-lbfgs"), [], 0),
        (absent("glum-lbfgs"), ["--peer", "scikit-learn"], 0),
        (absent("glum-lbfgs"), ["--peer", "scikit-learn", "glum"], 1),
        (absent(OURS), [], 1),
        (changed("glum-lbfgs", gradient=1e-6), ["--peer", "glum"], 0),
    ],
)
def test_the_exit_status_is_1_where_ours_or_a_peer_that_was_named_gave_no_result(
    found, arguments, status, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(command, "measure", lambda *_: found)
    assert command.main([*arguments, "--json", str(tmp_path / "found.json")]) == status
    assert json.loads((tmp_path / "found.json").read_text("utf-8")) == found
    printed = capsys.readouterr()
    assert "trained by" in printed.out
    assert ("gave no result on 100000x50, float32: it is not installed" in printed.err) is (status == 1)


def test_cases_peers_and_effort_are_what_was_asked_for(monkeypatch):
    asked = SimpleNamespace()

    def measure(cases, peers, effort):
        asked.cases, asked.peers, asked.effort = cases, peers, effort
        return FOUND

    monkeypatch.setattr(command, "measure", measure)
    command.main(["--sizes", "300x4,breast-cancer", "--dtypes", "float32", "--peer", "glum", "--trial"])
    assert [(each.m, each.n, each.dtype) for each in asked.cases] == [(300, 4, "float32"), (569, 30, "float32")]
    assert [peer.name for peer in asked.peers] == [OURS, "glum-irls-ls", "glum-lbfgs"]
    assert asked.effort is command.TRIAL
    command.main([])
    assert {(each.m, each.n) for each in asked.cases} == set(PEER_MARKS.times)
    assert len(asked.peers) == len(PEERS)


def test_a_peer_that_is_not_here_says_so_and_nothing_of_it_is_timed(monkeypatch):
    monkeypatch.setattr(Peer, "unavailable", lambda self: "it is not installed")
    fit = command.looked_at(PEERS["glum-lbfgs"], case_of("300x4"), 1.0)
    assert fit["reason"] == "it is not installed"
    command.take_turns(case_of("300x4"), [fit], command.TRIAL, None)
    assert fit["seconds"] is None


def test_a_step_is_a_whole_fit():
    problem = unbalanced()
    workspace = bind(problem, Config(), peer=OURS, l2=L2, tol=1e-8, threads=1)
    assert workspace.step() is None
    assert workspace.train_on(problem.X, problem.y).b == pytest.approx(optimum(problem.X, problem.y)[-1], abs=1e-6)


@pytest.mark.slow
def test_ours_is_looked_at_in_a_process_of_its_own():
    found = found_of(OURS, case_of("3000x4", "float32"), 1e-6, 300.0)
    assert found["reason"] is None
    assert found["gradient"] <= 1e-6
    assert found["dtype"] == "float32"
    assert json.loads(json.dumps(found)) == found


@pytest.mark.slow
def test_a_peer_that_takes_too_long_is_ended_and_says_so():
    assert found_of(OURS, case_of("3000x4"), 1e-8, 0.2)["reason"] == "ended after 0.2 seconds of trying"


@pytest.mark.slow
def test_peers_take_turns_and_one_that_fails_leaves_the_others_alone():
    effort = command.Effort(sizes=(), generations=1, turns=2, limit_seconds=120.0)
    progress = TerminalProgress("Peers", 1, Console(quiet=True))
    fits = [
        {**FIT, "peer": OURS, "l2": 1 / 300, "seconds": None},
        {**FIT, "peer": "scikit-learn-lbfgs", "l2": 1 / 300, "seconds": None},
        {**FIT, "peer": "scikit-learn-newton-cholesky", "l2": 1 / 300, "tol": -1.0, "seconds": None},
        {**FIT, "peer": "glum-lbfgs", "l2": 1 / 300, "seconds": None, "once_seconds": 1e3},
    ]
    command.take_turns(case_of("300x4"), fits, effort, progress)
    ours, theirs, failing, slow = fits
    assert [len(fit["seconds"][0]) for fit in (ours, theirs)] == [2, 2]
    assert failing["seconds"] is None
    assert "took no turns" in failing["reason"]
    assert slow["seconds"] is slow["reason"] is None
