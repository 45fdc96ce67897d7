"""Every bad input has its sentence, and what is accepted is frozen and exact."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from stepkernels import GD, Adam, Config, Problem, ProblemError, synthetic_problem
from stepkernels.problem import parse_dtype, safe_learning_rate
from stepkernels.reference import gradient

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
Y = [0, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([1.0, 2.0], [0, 1]), "X has 1 dimension(s); it must be a matrix of samples by features."),
        ((np.empty((0, 2)), []), "X is 0 × 2; it needs at least one row and one column."),
        ((np.empty((2, 0)), [0, 1]), "X is 2 × 0; it needs at least one row and one column."),
        (([[np.nan]], [0]), "X contains NaN or infinity; remove or impute those values first."),
        (([[np.inf]], [0]), "X contains NaN or infinity; remove or impute those values first."),
        (([["a"]], [0]), "X holds <U1 values; it must hold real numbers."),
        (([[1j]], [0]), "X holds complex128 values; it must hold real numbers."),
        ((X, [0, 1]), "y has shape (2,); X asks for (3,)."),
        ((X, [0, 1, 2]), "y contains 2; every label must be 0 or 1."),
        ((X, [-1, 1, 1]), "y contains -1; every label must be 0 or 1."),
        ((X, [0, 1, np.nan]), "y contains NaN or infinity; every value must be finite."),
        ((X, Y, [1.0]), "w0 has shape (1,); X asks for (2,)."),
        ((X, Y, [1.0, np.inf]), "w0 contains NaN or infinity; every value must be finite."),
        ((X, Y, None, np.nan), "b0 is nan; the starting bias must be finite."),
        ((X, Y, None, "0"), "b0 is '0'; the starting bias must be finite."),
        ((X, Y, None, 10**400), f"b0 is {10**400}; the starting bias must be finite."),
        (([[1.0], [1.0, 2.0]], [0, 1]), "X is ragged; all of its rows must have the same length."),
        ((csr_array(X), Y), "X is sparse, and every row works on dense arrays; give X.toarray() instead."),
        ((X, csr_array(X)), "y is sparse, and every row works on dense arrays; give y.toarray() instead."),
    ],
)
def test_bad_data_is_told_in_a_sentence(arguments, sentence):
    with pytest.raises(ProblemError) as error:
        Problem(*arguments)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: GD(learning_rate=0.0), "learning_rate is 0.0; it must be a positive number."),
        (lambda: GD(learning_rate=np.inf), "learning_rate is inf; it must be a positive number."),
        (lambda: Adam(epsilon=-1.0), "epsilon is -1.0; it must be a positive number."),
        (lambda: Adam(beta1=1.0), "beta1 is 1.0; it must be at least 0 and below 1."),
        (lambda: Adam(beta2=-0.1), "beta2 is -0.1; it must be at least 0 and below 1."),
        (lambda: Config(l2=-1.0), "l2 is -1.0; it must be zero or a positive number."),
        (lambda: GD(learning_rate="0.1"), "learning_rate is '0.1'; it must be a positive number."),
        (lambda: Adam(beta1=None), "beta1 is None; it must be at least 0 and below 1."),
        (lambda: Adam(epsilon=True), "epsilon is True; it must be a positive number."),
        (lambda: Config(l2="a"), "l2 is 'a'; it must be zero or a positive number."),
        (lambda: Config(l2=np.nan), "l2 is nan; it must be zero or a positive number."),
        (lambda: Config(dtype="float16"), "dtype 'float16' is not supported; use float32 or float64."),
        (lambda: Config(dtype="real"), "dtype 'real' is not supported; use float32 or float64."),
        (lambda: Config(optimizer="gd"), "optimizer is 'gd'; it must be GD(…) or Adam(…)."),
        (lambda: synthetic_problem(0, 3), "A problem of 0 rows and 3 columns is empty; both must be at least 1."),
    ],
)
def test_bad_settings_are_told_in_a_sentence(make, sentence):
    with pytest.raises(ProblemError) as error:
        make()
    assert str(error.value) == sentence


def test_a_problem_starts_at_zero_in_the_type_of_its_data():
    problem = Problem(X.astype(np.float32), Y)
    assert (problem.m, problem.n, problem.dtype) == (3, 2, "float32")
    assert problem.y.dtype == problem.w0.dtype == np.float32
    assert not problem.w0.any()
    assert problem.b0 == 0.0


@pytest.mark.parametrize(
    "data", [[[1, 2]], np.array([[1, 2]], np.int8), np.array([[True, False]]), np.array([[1, 2]], ">f8")]
)
def test_numbers_of_other_types_become_float64(data):
    assert Problem(data, [1]).dtype == "float64"


def test_data_are_viewed_and_read_only():
    problem = Problem(X, np.array(Y, float))
    assert np.shares_memory(problem.X, X)
    for array in (problem.X, problem.y, problem.w0):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
    assert X.flags.writeable


def test_a_starting_bias_is_what_a_row_can_hold():
    assert Problem(X.astype(np.float32), Y, b0=0.1).b0 == float(np.float32(0.1))


def test_astype_rounds_and_returns_itself_where_nothing_changes():
    problem = Problem(X + 0.1, Y, [0.1, 0.2], 0.3)
    assert problem.astype("float64") is problem
    narrow = problem.astype("float32")
    np.testing.assert_array_equal(narrow.X, (X + 0.1).astype(np.float32))
    assert narrow.w0.dtype == np.float32


@pytest.mark.parametrize("name", ["X", "w0", "b0"])
def test_a_number_beyond_float32_is_named_and_is_no_nan(name):
    values = {"X": X.copy(), "w0": np.zeros(2), "b0": 0.0}
    values[name] = values[name] - 1e200
    problem = Problem(values["X"], Y, values["w0"], values["b0"])
    with pytest.raises(ProblemError, match=f"{name} holds -1e\\+200, which is beyond float32") as error:
        problem.astype("float32")
    assert "NaN" not in str(error.value)


@pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(float).max, reason="there is no wider type here")
def test_a_number_beyond_float64_is_no_infinity():
    with pytest.raises(ProblemError, match=r"X holds 1e\+4000, which is beyond float64"):
        Problem(np.full((1, 1), np.longdouble("1e4000")), [1])


def test_a_learning_rate_where_squares_overflow_is_refused_by_the_data():
    with pytest.raises(ProblemError, match="X holds -1e\\+200, whose square is beyond float64"):
        safe_learning_rate(Problem([[-1e200]], [1]))
    assert np.isfinite(safe_learning_rate(Problem([[0.0]], [1]), intercept=False))


def test_parse_dtype_takes_what_numpy_takes():
    assert parse_dtype(np.float32) == parse_dtype("f4") == "float32"


def test_synthetic_problems_are_repeatable_and_of_both_classes():
    first, second, other = synthetic_problem(200, 3), synthetic_problem(200, 3), synthetic_problem(200, 3, seed=1)
    np.testing.assert_array_equal(first.X, second.X)
    assert not np.array_equal(first.X, other.X)
    assert 0.2 < first.y.mean() < 0.95


def test_a_safe_learning_rate_is_below_the_inverse_of_the_curvature():
    problem, l2 = synthetic_problem(300, 6), 0.3
    design = np.column_stack([problem.X, np.ones(300)])
    largest = np.linalg.eigvalsh(design.T @ design / 300)[-1] / 4 + l2
    assert 0.05 / largest < safe_learning_rate(problem, l2) < 1 / largest
    w, b, J = np.full(6, 2.0), -1.0, np.inf
    for _ in range(50):
        at = gradient(problem, w, b, l2)
        assert at.J <= J
        w, b, J = w - safe_learning_rate(problem, l2) * at.gw, b - safe_learning_rate(problem, l2) * at.gb, at.J
