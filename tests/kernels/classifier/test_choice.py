"""The row that "auto" takes."""

import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from stepkernels import LogisticRegression, ProblemError, synthetic_problem
from stepkernels.classifier.choice import auto_rows, choose_row


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
