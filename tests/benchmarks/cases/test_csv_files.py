"""CSV: names belong to the values below them, labels are text as written, and what does not fit is said."""

import codecs

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brought_files import brought
from stepbench.cases.csv_files import NUMBER, read_csv
from stepbench.cases.data_table import choose_target, classes_of_target
from stepbench.cases.reading import Reading
from stepkernels.problem import ProblemError


@pytest.fixture
def csv(tmp_path):
    """A CSV file with this text, read."""

    def read(content, **reading):
        (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_csv(tmp_path / "t.csv", Reading(**reading))

    return read


# Rows and names ------------------------------------------------------------------------------------------------------


def test_a_row_with_more_values_than_names_is_refused_with_both_counts():
    with pytest.raises(ProblemError, match="row 1 has 4 values, the header 3 names"):
        read_csv(brought("one_field_more_than_names.csv"), Reading())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a,b,kind\n1,2,x\n3,4,x,y\n", "row 2 has 4 values, the header 3 names"),
        ("a,b,kind\n1,2,x,\n3,4,x,,5\n", "row 2 has 5 values, the header 3 names"),
        ("id,a,b,kind\n1,2,x\n3,4,y\n", "row 1 has 3 values, the header 4 names"),
        ("a,b,kind\n1,2,x\n3,4\n5,6,y\n", "row 2 has 2 values, the header 3 names"),
        ('a,b,kind\n"1,5",2,x\n1,5,2,x\n', "row 2 has 4 values, the header 3 names"),
        ('"mpg","kind"\n"Mazda RX4",21,"x"\n', "row 1 has 3 values, the header 2 names"),  # as R writes row names
        ("a,b,kind\n1,2,x\n3,4,y\n5", "column 'kind' has no value in the last row: the file seems to be cut off"),
    ],
)
def test_every_row_has_as_many_values_as_there_are_names(csv, content, sentence):
    with pytest.raises(ProblemError, match=sentence):
        csv(content)


@pytest.mark.parametrize(
    "content", ["a,b,kind\n1,2,x,\n3,4,y,\n", "a,b,kind,\n1,2,x,\n3,4,y,\n", "a,b,kind,\n1,2,x\n3,4,y\n"]
)
def test_empty_values_behind_a_last_comma_are_left_out(csv, content):
    table = csv(content)
    assert table.columns == ("a", "b", "kind")
    np.testing.assert_array_equal(table.features(("a", "b")), [[1, 2], [3, 4]])
    assert list(table.labels("kind")) == ["x", "y"]


def test_a_trailing_delimiter_is_said():
    table = read_csv(brought("trailing_delimiter.csv"), Reading())
    assert table.columns == ("age", "dose", "ill")
    assert table.notes == ["trailing_delimiter.csv: a column without a name or a value was left out."]


def test_two_columns_of_one_name_are_refused(csv):
    with pytest.raises(ProblemError, match=r"t\.csv has 2 columns called 'a'; give each a name of its own"):
        csv("a,a,kind\n1,2,x\n3,4,y\n")


def test_a_mark_of_the_encoding_is_no_part_of_a_name(csv):
    assert csv(b"\xef\xbb\xbfa,kind\r\n1,x\r\n\r\n2,y\r\n").columns == ("a", "kind")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_text_of_a_spreadsheet_is_read(csv, encoding):
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    table = csv(mark + "größe,art\r\n1,ja\r\n2,nein\r\n".encode(encoding))
    assert table.columns == ("größe", "art")
    assert table.rows == 2


# A first line that is none -------------------------------------------------------------------------------------------


def test_a_first_row_of_values_is_refused_and_read_when_that_is_said():
    with pytest.raises(ProblemError, match=r"begins with numbers \(1, 0, 0.56138.*say --no-header.*--header"):
        read_csv(brought("headerless_text_label.csv"), Reading())
    table = read_csv(brought("headerless_text_label.csv"), Reading(header=False))
    assert (table.rows, table.columns, table.numbered) == (40, tuple("0123456"), True)
    assert table.features(("2",))[0, 0] == 0.56138
    assert list(table.labels("6")[:2]) == ["b", "g"]


@pytest.mark.parametrize(
    "first", ["-1.5,x", "x,2e-3", ".5,x", " 7 ,x", "a,1990,kind", "True,False,yes", "inf,nan,yes", "?,NA,x"]
)
def test_one_name_that_is_a_number_is_enough(csv, first):
    with pytest.raises(ProblemError, match="its first line must name the columns"):
        csv(f"{first}\n{first}\n")


def test_names_that_are_numbers_are_names_when_that_is_said(csv):
    table = csv("0,1,kind\n5,6,x\n7,8,y\n", header=True)
    assert (table.columns, table.rows, table.numbered) == (("0", "1", "kind"), 2, False)


def test_names_that_only_hold_digits_are_names(csv):
    assert csv("x1,2nd,inf,kind\n1,2,3,x\n1,2,3,y\n").columns == ("x1", "2nd", "inf", "kind")


def test_rows_without_a_header_are_as_long_as_the_first(csv):
    with pytest.raises(ProblemError, match="row 2 has 3 values, the first 2 values"):
        csv("1,x\n1,2,y\n", header=False)


# Labels --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("class_called_none.csv", ["Apnea", "None"]),
        ("labels_with_leading_zeros.csv", ["0071", "0123"]),
        ("labels_with_commas.csv", ['No "way"', "Yes, surely"]),
    ],
)
def test_a_label_is_its_text_as_written(name, classes):
    table = read_csv(brought(name), Reading())
    assert list(classes_of_target(table.labels(table.target), name, table.target)) == classes


@given(
    st.sampled_from(["NA", "N/A", "null", "NULL", "None", "nan", "NaN", "<NA>", "01", "1.0", "1e3", " x", "True", "-"])
)
def test_no_text_is_taken_for_another(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("labels") / "t.csv"
    path.write_text(f"a,kind\n1,{text}\n2,1\n")
    assert list(read_csv(path, Reading()).labels("kind")) == [text, "1"]


def test_a_number_written_in_two_ways_is_two_classes(csv):
    table = csv("a,kind\n1,01\n2,1\n")
    assert list(classes_of_target(table.labels("kind"), "t.csv", "kind")) == ["01", "1"]


@pytest.mark.parametrize("gap", ["", " "])
def test_a_missing_label_is_named_with_its_row(csv, gap):
    table = csv(f"a,kind\n1,x\n2,y\n3,{gap}\n")
    with pytest.raises(ProblemError, match=r"the column 'kind' has no value in row 3\."):
        table.labels("kind")


def test_a_third_class_that_spells_a_gap_is_pointed_at(csv):
    table = csv("a,kind\n1,x\n2,y\n3,NA\n")
    with pytest.raises(ProblemError, match=r"has 3 classes.*If 'NA' means that the value is missing, remove its rows"):
        classes_of_target(table.labels("kind"), table.name, "kind")


# Numbers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "row", "value"),
    [
        (["99999999999999999999", "2", "red"], 3, "red"),
        (["1", "1_000", "3"], 2, "1_000"),
        (["1", "2", "0x1F"], 3, "0x1F"),
        (["1", "3,5", "4"], 2, "3,5"),
    ],
)
def test_the_value_that_is_no_number_is_blamed_and_no_other(csv, values, row, value):
    table = csv("a,kind\n" + "".join(f'"{each}",x\n' for each in values))
    with pytest.raises(ProblemError, match=rf"column 'a' holds text \('{value}' in row {row}\)"):
        table.features(("a",))


def test_whole_numbers_beyond_64_bits_are_numbers(csv):
    table = csv("a,kind\n99999999999999999999,x\n-3,y\n")
    np.testing.assert_array_equal(table.features(("a",)), [[1e20], [-3.0]])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_python_writes_for_a_number_is_known_as_one(number):
    assert NUMBER.fullmatch(repr(number))


# A column that counts the rows ---------------------------------------------------------------------------------------


def test_a_nameless_column_that_counts_the_rows_is_left_out_and_said():
    table = read_csv(brought("nameless_row_number.csv"), Reading())
    assert choose_target(table, None) == (("x", "z"), "ill")
    (note,) = table.notes
    assert "the first column, which has no name, numbers the rows and was left out (--keep-index keeps it)" in note


def test_it_is_kept_when_that_is_said():
    table = read_csv(brought("nameless_row_number.csv"), Reading(keep_index=True))
    assert table.columns == ("Unnamed: 0", "x", "z", "ill")
    np.testing.assert_array_equal(table.features(("Unnamed: 0",))[:, 0], np.arange(60))


@pytest.mark.parametrize("numbers", ["012", "123", "702"])
@pytest.mark.parametrize("name", ["", " ", "Unnamed: 0"])
def test_it_counts_also_from_another_start_shuffled_or_under_the_name_pandas_gives(csv, name, numbers):
    assert csv(f"{name},a,kind\n" + "".join(f"{j},1,x\n" for j in numbers)).columns == ("a", "kind")


@pytest.mark.parametrize("values", [("3", "3", "4"), ("0.5", "1", "2"), ("x", "y", "z"), ("True", "False", "True")])
def test_a_nameless_column_of_data_is_kept_and_said(csv, values):
    content = ",a,kind\n" + "".join(f"{each},1,x\n" for each in values)
    assert csv(content).columns == ("Unnamed: 0", "a", "kind")
    assert csv(content).notes[0].endswith("became the column 'Unnamed: 0' (--drop-index leaves it out).")
    assert csv(content, keep_index=False).columns == ("a", "kind")


def test_a_column_with_a_name_that_counts_is_a_feature(csv):
    assert csv("id,a,kind\n0,1,x\n1,2,y\n").columns == ("id", "a", "kind")
