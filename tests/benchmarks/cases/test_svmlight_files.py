"""svmlight: the first column has the index 0 or 1, which is known, told, or said to be a guess."""

import numpy as np
import pytest

from brought_files import brought
from stepbench.cases import free_memory
from stepbench.cases.data_files import read_table
from stepbench.cases.reading import Reading
from stepkernels.problem import ProblemError


@pytest.fixture
def svm(tmp_path):
    """A file with these lines, read."""

    def read(content, width=0, **reading):
        (tmp_path / "t.svm").write_text(content)
        return read_table(tmp_path / "t.svm", width, Reading(**reading))

    return read


def matrix(table):
    return table.features([column for column in table.columns if column != "y"]).tolist()


def test_indices_count_from_0_where_a_0_occurs(svm):
    table = svm("1 1:2\n0 0:3\n")
    assert (table.counted_from, table.notes, matrix(table)) == (0, [], [[0, 2], [3, 0]])


def test_where_no_0_occurs_they_count_from_1_and_that_is_said(svm):
    table = svm("1 1:2\n0 2:3\n")
    assert (table.counted_from, matrix(table)) == (1, [[2, 0], [0, 3]])
    assert "no index is 0, so they were taken to count from 1; the file does not say" in table.notes[0]
    assert "--zero-based yes" in table.notes[0]


@pytest.mark.parametrize(("zero_based", "expected"), [(True, [[0, 2, 0], [0, 0, 3]]), (False, [[2, 0], [0, 3]])])
def test_what_is_said_is_followed_without_a_note(svm, zero_based, expected):
    table = svm("1 1:2\n0 2:3\n", zero_based=zero_based)
    assert (matrix(table), table.notes) == (expected, [])


def test_an_index_that_only_counting_from_1_could_give_is_no_guess(svm):
    table = svm("1 1:2\n0 3:3\n", width=3)
    assert (table.counted_from, table.notes) == (1, [])


def test_a_0_where_indices_are_to_count_from_1_is_blamed_on_its_row(svm):
    with pytest.raises(ProblemError, match=r"the index 0 occurs in row 3.*say --zero-based yes"):
        svm("1 1:2\n0 2:3\n1 0:1 1:2\n0 0:1\n", zero_based=False)


@pytest.mark.parametrize("zero_based", [None, True, False])
def test_an_index_beyond_32_bits_is_a_sentence(zero_based):
    with pytest.raises(ProblemError, match=r"row 1 has the index 99,999,999,999; the largest that can be read is"):
        read_table(brought("index_beyond_int32.svm"), reading=Reading(zero_based=zero_based))


@pytest.mark.parametrize("index", [2**31, 2**32 + 1, 2**63, 2**64 + 1, 10**30])
def test_no_index_wraps_around(svm, index):
    with pytest.raises(ProblemError, match=f"row 2 has the index {index:,}"):
        svm(f"1 1:1\n-1 2:1 {index}:1 # {10**40}:1\n")


def test_a_large_index_is_refused_for_the_zeros_before_it(svm):
    with pytest.raises(ProblemError, match=r"t\.svm, 2 × 2,147,483,647 values, takes 32\.0 GiB of memory"):
        svm(f"1 0:1 {2**31 - 2}:1\n0 1:1\n")


def test_zeros_are_counted_before_they_are_made(svm, monkeypatch):
    monkeypatch.setattr(free_memory, "free_bytes", lambda: 999)
    with pytest.raises(ProblemError, match="2 × 100 values"):
        svm("1 1:1\n0 100:1\n")


def test_a_file_without_a_value_is_empty(svm):
    with pytest.raises(ProblemError, match="holds no values"):
        svm("1\n0\n")


def test_files_that_count_from_0_and_from_1_hold_the_same(svm):
    values = np.random.default_rng(0).integers(1, 9, (5, 3))
    lines = {base: "".join(f"1 {' '.join(f'{j + base}:{x}' for j, x in enumerate(row))}\n" for row in values)
             for base in (0, 1)}  # fmt: skip
    np.testing.assert_array_equal(matrix(svm(lines[0])), matrix(svm(lines[1])))
