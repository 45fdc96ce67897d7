"""The classifier: scikit-learn's conventions whole, the same optimum, every optimizer, on rows of every kind."""

import pickle
import pickletools
import resource
import subprocess
import sys
import textwrap
import tracemalloc
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as PeerRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

import stepkernels
from runs import environment
from stepbench.evidence.optima import DATA, MARKS, breast_cancer, distance, well_conditioned
from stepkernels import LogisticRegression, ProblemError, synthetic_problem
from stepkernels.catalog import CATALOG
from stepkernels.classifier.choice import auto_rows, choose_row
from stepkernels.classifier.lbfgs import scipys_blas
from stepkernels.interface import Op

VARIANTS = {
    "lbfgs": {},
    "gd": {"optimizer": "gd"},
    "adam": {"optimizer": "adam", "learning_rate": 0.05},
    "batches": {"optimizer": "adam", "learning_rate": 0.05, "batch_size": 16},
    "numpy-blas": {"row": "numpy-blas"},
}


def parameters(classifier):
    return np.append(classifier.coef_[0], classifier.intercept_)


# scikit-learn's conventions ------------------------------------------------------------------------------------------

CHECK_ESTIMATOR = """
import sys, warnings
warnings.simplefilter("ignore")
import pandas
from sklearn.utils.estimator_checks import check_estimator
from stepkernels import LogisticRegression
results = check_estimator(LogisticRegression(**eval(sys.argv[1])), on_fail=None)
print(*(f"{result['check_name']}={result['status']}" for result in results))
for result in results:
    if result["status"] != "passed":
        print(result["check_name"], result["exception"], file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_check_estimator_passes_whole(variant):
    """Every check, none skipped and none expected to fail; in a process where SciPy speaks the array API."""
    settings = VARIANTS[variant] | ({"max_iter": 30} if variant == "batches" else {})  # an epoch has many steps
    finished = subprocess.run(
        [sys.executable, "-c", CHECK_ESTIMATOR, repr(settings)],
        capture_output=True,
        text=True,
        env=environment(SCIPY_ARRAY_API="1"),
        check=True,
    )
    statuses = Counter(pair.partition("=")[2] for pair in finished.stdout.split())
    assert set(statuses) == {"passed"}, finished.stderr
    assert statuses["passed"] > 40


def test_importing_the_package_loads_neither_scikit_learn_nor_scipy():
    source = "import sys, stepkernels; print([name for name in ('sklearn', 'scipy') if name in sys.modules])"
    finished = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, env=environment(), check=True
    )
    assert finished.stdout.strip() == "[]"
    assert stepkernels.LogisticRegression is LogisticRegression


def test_it_works_in_a_pipeline_a_grid_search_and_a_cross_validation():
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(l2=1e-3))
    search = GridSearchCV(model, {"logisticregression__l2": [1e-3, 1e-1]}, cv=3).fit(X, y)
    assert search.best_score_ > 0.95
    assert cross_val_score(model, X, y, cv=3).min() > 0.95


@pytest.mark.parametrize("kind", [str, float, bool, object])
def test_any_two_labels_will_do(kind):
    X, y = breast_cancer()
    names = np.array(["benign", "malignant"]) if kind in (str, object) else np.array([0, 1])
    labels = names[y.astype(int)].astype(kind)
    classifier = LogisticRegression(l2=1e-2).fit(X, labels)
    assert list(classifier.classes_) == sorted(set(labels.tolist()))
    assert set(classifier.predict(X).tolist()) == set(labels.tolist())
    assert classifier.score(X, labels) > 0.97


def test_a_data_frame_names_its_features():
    X, y = breast_cancer()
    frame = pd.DataFrame(X).add_prefix("column ")
    classifier = LogisticRegression(l2=1e-2).fit(frame, y)
    assert list(classifier.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(frame.rename(columns={"column 3": "another"}))


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_pickles(variant):
    X, y = breast_cancer()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier = LogisticRegression(max_iter=5, **VARIANTS[variant]).fit(X, y)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))


def test_a_fitted_model_holds_host_arrays_only():
    """So that a model trained on a GPU loads where there is none."""
    X, y = breast_cancer()
    classifier = LogisticRegression(optimizer="adam").partial_fit(X, y).partial_fit(X, y)
    opcodes = pickletools.genops(pickle.dumps(classifier, protocol=2))
    modules = {str(name).partition(".")[0].partition(" ")[0] for code, name, _ in opcodes if code.name == "GLOBAL"}
    assert modules <= {"stepkernels", "numpy", "copyreg", "_codecs", "__builtin__"}


CUDA_ROWS = [
    pytest.param(row, id=row.name, marks=pytest.mark.gpu)
    for row in CATALOG.values()
    if row.device == "cuda" and Op.GRADIENT in row.ops
]


@pytest.mark.parametrize("row", CUDA_ROWS, indirect=True)
def test_a_model_trained_on_a_gpu_loads_without_one(row, tmp_path):
    X, y = breast_cancer()
    classifier = LogisticRegression(row=row.name, l2=1e-2).fit(X, y)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((classifier, X[:5])))
    source = "import pickle, sys; model, X = pickle.load(open(sys.argv[1], 'rb')); print(*model.predict(X))"
    finished = subprocess.run(
        [sys.executable, "-c", source, str(tmp_path / "model.pickle")],
        capture_output=True, text=True, env=environment(CUDA_VISIBLE_DEVICES=""), check=True,
    )  # fmt: skip
    assert finished.stdout.split() == list(map(str, classifier.predict(X[:5])))


# The optimum ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", DATA, ids=lambda data: data.__name__)
@pytest.mark.parametrize("dtype", MARKS)
def test_the_optimum_is_scikit_learns(data, dtype):
    """A Newton solver is the peer: its coefficients are good to 1e-9, L-BFGS's own only to 1e-6."""
    X, y = data()
    tol, mark = MARKS[dtype]
    peer = PeerRegression(C=1.0, tol=1e-12, max_iter=1000, solver="newton-cholesky").fit(X, y)
    classifier = LogisticRegression(l2=1 / len(X), tol=tol, dtype=dtype).fit(X, y)
    assert distance(classifier, peer) < mark
    assert classifier.coef_.dtype == dtype


def test_every_optimizer_reaches_the_same_optimum():
    problem = synthetic_problem(500, 5)
    X, y = problem.X, problem.y
    exact = LogisticRegression(l2=1e-2, tol=1e-10).fit(X, y)
    gd = LogisticRegression(l2=1e-2, tol=1e-9, optimizer="gd", max_iter=20_000).fit(X, y)
    adam = LogisticRegression(l2=1e-2, tol=1e-6, optimizer="adam", learning_rate=0.01, max_iter=5000).fit(X, y)
    np.testing.assert_allclose(parameters(gd), parameters(exact), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(parameters(adam), parameters(exact), rtol=1e-4, atol=1e-4)


def test_batches_come_close_to_the_optimum():
    X, y = well_conditioned()
    exact = LogisticRegression(l2=1e-2, tol=1e-10).fit(X, y)
    batches = LogisticRegression(
        l2=1e-2, optimizer="gd", learning_rate=0.05, batch_size=256, max_iter=100, tol=0, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(parameters(batches), parameters(exact), atol=0.03)


CPU_ROWS = [name for name, row in CATALOG.items() if row.device == "cpu"]


@pytest.mark.parametrize("row", CPU_ROWS)
@pytest.mark.parametrize("optimizer", ["lbfgs", "gd", "adam"])
def test_every_row_trains_the_same_model(row, optimizer):
    if reason := CATALOG[row].unavailable():
        pytest.skip(reason)
    if optimizer == "lbfgs" and Op.GRADIENT not in CATALOG[row].ops:
        pytest.skip(f"{row} takes whole steps only")
    problem = synthetic_problem(97, 5)
    settings = {"optimizer": optimizer, "max_iter": 20, "l2": 0.1, "tol": 0.0 if optimizer != "lbfgs" else 1e-6}
    trained = LogisticRegression(row=row, **settings).fit(problem.X, problem.y)
    peer = LogisticRegression(row="numpy-blas", **settings).fit(problem.X, problem.y)
    np.testing.assert_allclose(parameters(trained), parameters(peer), rtol=1e-6)
    np.testing.assert_allclose(trained.costs_, peer.costs_, rtol=1e-6)
    assert trained.row_ == row


def blas_threads():
    """The threads of each BLAS in this process, by the folder it was loaded from."""
    pools = threadpool_info()
    return {Path(pool["filepath"]).parent.name: pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}


def test_lbfgs_limits_scipys_own_blas_and_no_other():
    """NumPy's BLAS computes for some rows, and keeps its threads; afterwards SciPy's has its own again."""
    if not (own := {Path(pool["filepath"]).parent.name for pool in scipys_blas().info()}):
        pytest.skip("SciPy has no BLAS of its own here")
    X, y = breast_cancer()
    before, during = blas_threads(), []
    LogisticRegression(l2=1e-2, verbose=lambda *_: during.append(blas_threads())).fit(X, y)
    assert during[0] == {folder: 1 if folder in own else threads for folder, threads in before.items()}
    assert blas_threads() == before


# Costs, steps, tolerance ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_costs_begin_before_the_first_step_and_have_one_entry_an_iteration(variant):
    X, y = breast_cancer()
    tol = 1e-3 if variant in ("lbfgs", "numpy-blas") else 0.0
    classifier = LogisticRegression(l2=1e-2, tol=tol, max_iter=60, **VARIANTS[variant]).fit(X, y)
    assert classifier.costs_.shape == (classifier.n_iter_,)
    assert classifier.costs_[-1] < classifier.costs_[0]
    if variant != "batches":
        assert classifier.costs_[0] == pytest.approx(np.log(2))


def test_gradient_descent_at_its_own_learning_rate_never_raises_the_cost():
    X, y = breast_cancer()
    costs = LogisticRegression(optimizer="gd", max_iter=300, tol=0).fit(X, y).costs_
    assert len(costs) == 300
    assert (np.diff(costs) < 0).all()


@pytest.mark.parametrize("variant", ["lbfgs", "gd", "adam", "batches"])
def test_stopping_short_is_a_warning_with_the_gradient(variant):
    X, y = breast_cancer()
    with pytest.warns(ConvergenceWarning, match=r"after 3 (steps|iterations|epochs) the gradient is"):
        LogisticRegression(**VARIANTS[variant], max_iter=3, tol=1e-9).fit(X, y)


def test_a_warm_start_goes_on_from_the_last_solution():
    X, y = breast_cancer()
    classifier = LogisticRegression(l2=1e-2, warm_start=True).fit(X, y)
    assert classifier.fit(X, y).n_iter_ <= 1
    cold = LogisticRegression(l2=1e-2).fit(X, y)
    assert cold.fit(X, y).n_iter_ > 1


def test_partial_fits_of_all_rows_are_steps_of_fit():
    X, y = breast_cancer()
    settings = {"optimizer": "adam", "learning_rate": 0.01, "tol": 0.0, "row": "numba-fused"}
    whole = LogisticRegression(max_iter=7, **settings).fit(X, y)
    parts = LogisticRegression(**settings)
    for _ in range(7):
        parts.partial_fit(X, y)
    np.testing.assert_allclose(parameters(parts), parameters(whole), rtol=1e-12)
    np.testing.assert_allclose(parts.costs_, whole.costs_, rtol=1e-12)


def test_batches_are_views_of_rows_shuffled_once(monkeypatch):
    """Every block is a view of one copy, every epoch visits each block once, and the seed settles it all."""
    seen = []
    row = CATALOG["numpy-blas"]
    bind = type(row).bind
    monkeypatch.setattr(
        type(row), "bind", lambda self, problem, config: seen.append(problem) or bind(self, problem, config)
    )
    problem = synthetic_problem(100, 3)
    settings = {"row": "numpy-blas", "optimizer": "gd", "batch_size": 32, "max_iter": 4, "tol": 0}
    first = LogisticRegression(random_state=1, **settings).fit(problem.X, problem.y)
    again = LogisticRegression(random_state=1, **settings).fit(problem.X, problem.y)
    other = LogisticRegression(random_state=2, **settings).fit(problem.X, problem.y)
    blocks = seen[: len(seen) // 3]
    assert sorted(block.m for block in blocks) == [4, 32, 32, 32]
    shared = np.concatenate([block.X for block in sorted(blocks, key=lambda block: block.X.ctypes.data)])
    assert np.ptp([block.X.ctypes.data for block in blocks]) == 96 * 3 * 8
    np.testing.assert_array_equal(np.sort(shared, axis=0), np.sort(problem.X, axis=0))
    np.testing.assert_array_equal(parameters(first), parameters(again))
    assert (parameters(first) != parameters(other)).any()


def test_probabilities_keep_their_small_values():
    classifier = LogisticRegression(l2=0.1).fit([[-1.0], [1.0]], [0, 1])
    far = 500.0 / classifier.coef_[0, 0]
    low, high = classifier.predict_proba([[far], [-far]])
    assert 0.0 < low[0] < 1e-200
    assert 0.0 < high[1] < 1e-200


def test_verbose_prints_or_calls(capsys):
    X, y = breast_cancer()
    LogisticRegression(l2=1e-2, verbose=1).fit(X, y)
    assert "iteration 1: cost" in capsys.readouterr().out
    told = []
    fitted = LogisticRegression(l2=1e-2, verbose=lambda iteration, cost: told.append((iteration, cost))).fit(X, y)
    assert [iteration for iteration, _ in told] == list(range(1, fitted.n_iter_ + 1))
    assert capsys.readouterr().out == ""


# The row -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("m", "row"), [(100, "numba-fused"), (12_500, "numba-fused-parallel")])
def test_auto_says_which_row_it_took(m, row):
    problem = synthetic_problem(m, 8)
    assert LogisticRegression(l2=0.1).fit(problem.X, problem.y).row_ == row


def test_auto_takes_a_later_row_before_an_earlier_one_and_the_fallback_last():
    assert [(least, row.name) for least, row in auto_rows()] == [
        (100_000, "numba-fused-parallel"),
        (0, "numba-fused"),
        (0, "numpy-blas"),
    ]


def test_auto_falls_back_only_where_numba_is_missing(monkeypatch):
    monkeypatch.setattr("stepkernels.probe.missing_library", lambda library: library if library == "numba" else None)
    assert choose_row("auto", 10).name == "numpy-blas"
    with pytest.raises(ProblemError, match="numba-fused cannot run here"):
        choose_row("numba-fused", 10)


# Bad input -----------------------------------------------------------------------------------------------------------

BAD_SETTINGS = {
    "optimizer": ({"optimizer": "sgd"}, "optimizer is 'sgd'; choose from gd, adam, lbfgs"),
    "row": ({"row": "numpy"}, "There is no row called 'numpy'"),
    "dtype": ({"dtype": "float16"}, "dtype 'float16' is not supported"),
    "rate": ({"optimizer": "gd", "learning_rate": -1.0}, "learning_rate is -1.0"),
    "l2": ({"l2": -1.0}, "l2 is -1.0"),
    "tol": ({"tol": -1.0}, "tol is -1.0"),
    "iterations": ({"max_iter": 0}, "max_iter is 0"),
    "batch": ({"optimizer": "gd", "batch_size": 0.5}, "batch_size is 0.5"),
    "lbfgs": ({"batch_size": 10}, "lbfgs looks at all the rows at once"),
}


@pytest.mark.parametrize(("settings", "sentence"), BAD_SETTINGS.values(), ids=list(BAD_SETTINGS))
def test_a_bad_setting_is_a_sentence(settings, sentence):
    with pytest.raises(ProblemError, match=sentence):
        LogisticRegression(**settings).fit([[0.0], [1.0]], [0, 1])


BAD_DATA = {
    "one class": ([[0.0], [1.0]], ["a", "a"], "one class only, a"),
    "three classes": ([[0.0], [1.0], [2.0]], ["a", "b", "c"], "holds 3 classes: a, b, c"),
    "NaN": ([[0.0], [np.nan]], [0, 1], "NaN"),
    "infinity": ([[0.0], [np.inf]], [0, 1], "infinity"),
    "text": ([["red"], ["blue"]], [0, 1], "red"),
    "continuous": ([[0.0], [1.0]], [0.5, 1.5], "Unknown label type"),
}


@pytest.mark.parametrize(("X", "y", "sentence"), BAD_DATA.values(), ids=list(BAD_DATA))
def test_bad_data_is_a_sentence(X, y, sentence):
    with pytest.raises(ValueError, match=sentence):
        LogisticRegression().fit(X, y)


def test_a_label_never_seen_is_a_sentence():
    classifier = LogisticRegression(optimizer="gd").partial_fit([[0.0]], [0], classes=[0, 1])
    with pytest.raises(ProblemError, match="y holds 2; the classes are 0 and 1"):
        classifier.partial_fit([[0.0]], [2])


def test_partial_fit_is_not_for_lbfgs():
    assert not hasattr(LogisticRegression(), "partial_fit")


def test_a_cost_that_overflows_is_a_sentence():
    with pytest.raises(ProblemError, match="Choose a smaller learning_rate"), np.errstate(all="ignore"):
        LogisticRegression(optimizer="gd", learning_rate=1e300, row="numpy-blas").fit([[1e10], [-1e10]], [0, 1])


# Memory --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("variant", "copies"), [("lbfgs", 0), ("gd", 0), ("adam", 0), ("batches", 1)])
def test_a_fit_copies_x_only_to_shuffle_it(variant, copies):
    """All else it allocates is small beside X: a few vectors of the length of y, which are 1/100 of it each.

    X and its blocks are beyond any cache: a row may lay out anew what is small.
    """
    problem = synthetic_problem(50_000, 100)
    classifier = LogisticRegression(**VARIANTS[variant] | {"max_iter": 2, "tol": 0.0, "row": "numba-fused"})
    if variant == "batches":
        classifier.set_params(batch_size=25_000)
    classifier.fit(problem.X[:2000], problem.y[:2000])  # loads and compiles
    tracemalloc.start()
    try:
        classifier.fit(problem.X, problem.y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert copies <= peak / problem.X.nbytes < copies + 0.2


LIMIT = 96 * 2**20

TRAIN_FROM_A_MAP = textwrap.dedent("""
    import resource, sys, threading, time
    import numpy as np
    from stepkernels import LogisticRegression

    def status(name):
        line = next(line for line in open("/proc/self/status") if line.startswith(name))
        return int(line.split()[1]) * 1024

    path, limit = sys.argv[1], int(sys.argv[2])
    data = np.load(path, mmap_mode="r")
    settings = dict(optimizer="gd", batch_size=4096, max_iter=2, tol=0, row=sys.argv[3])
    LogisticRegression(**settings).fit(np.array(data[:9000, 1:]), np.array(data[:9000, 0]))  # loads and compiles
    held = status("RssAnon")
    resource.setrlimit(resource.RLIMIT_DATA, (status("VmData") + limit,) * 2)
    peak, done = held, threading.Event()

    def watch():
        global peak
        while not done.wait(0.005):
            peak = max(peak, status("RssAnon"))

    watcher = threading.Thread(target=watch, daemon=True)
    threading.stack_size(1 << 20)
    watcher.start()
    model = LogisticRegression(**settings).fit(data[:, 1:], data[:, 0])
    done.set()
    watcher.join()
    print(peak - held, model.costs_[-1] < model.costs_[0])
""")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="anonymous memory is read from /proc")
@pytest.mark.parametrize("row", ["auto", "numpy-blas-fortran"])
def test_a_memory_map_four_times_the_limit_trains_within_it(tmp_path, row):
    """The limit is on anonymous memory, and imposed: what exceeds it is refused. Both rows copy a block of rows."""
    path, rows = tmp_path / "big.npy", 4 * LIMIT // (33 * 8)
    data = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(rows, 33))
    random = np.random.default_rng(0)
    for start in range(0, rows, 65_536):
        block = random.standard_normal((min(65_536, rows - start), 33))
        block[:, 0] = block[:, 1] + block[:, 2] > 0
        data[start : start + len(block)] = block
    data.flush()
    assert path.stat().st_size >= 4 * LIMIT
    finished = subprocess.run(
        [sys.executable, "-c", TRAIN_FROM_A_MAP, str(path), str(LIMIT), row],
        capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    grown, fell = finished.stdout.split()
    assert int(grown) <= LIMIT
    assert fell == "True"
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != LIMIT  # the limit was the child's
