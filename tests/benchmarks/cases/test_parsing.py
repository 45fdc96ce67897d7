"""What a user writes: read, or refused with a sentence."""

import pytest

from stepbench.cases.case import Size
from stepbench.cases.parsing import parse_ops, parse_optimizers, parse_size
from stepkernels.problem import ProblemError


def test_a_size_is_rows_and_columns_or_the_shape_of_a_data_set():
    assert parse_size("1000x20") == Size(m=1000, n=20)
    assert parse_size("1_000X20") == Size(m=1000, n=20)
    assert parse_size("breast-cancer") == Size(m=569, n=30, dataset="breast-cancer")


@pytest.mark.parametrize("text", ["1000", "0x5", "5x0", "ax5", "-1x5", "1x2x3", "1e3x5"])
def test_a_bad_size_is_refused(text):
    with pytest.raises(ProblemError, match="is not a size"):
        Size.parse(text)


def test_an_unknown_operation_names_the_known_ones():
    with pytest.raises(ProblemError, match=r"no operation called 'stride'.*forward"):
        parse_ops("step,stride")


def test_an_unknown_data_set_names_the_known_ones():
    with pytest.raises(ProblemError, match=r"no data set called 'iris'.*breast-cancer"):
        parse_size("iris")


def test_no_choice_at_all_is_refused():
    with pytest.raises(ProblemError, match=r"No optimizer was given\. Choose from gd, adam"):
        parse_optimizers(" , ")
