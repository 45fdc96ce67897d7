"""Files that are whole or absent."""

from __future__ import annotations

import math
import re

import pytest

from stepreports.records.files import (
    RecordError,
    append_whole,
    name_of_file,
    read_object,
    write_json,
    write_whole,
)


def test_a_file_is_written_with_the_folders_it_needs(tmp_path):
    path = write_whole(tmp_path / "a" / "b.txt", "c")
    assert path.read_text() == "c"


@pytest.mark.parametrize("half", ["a lone surrogate \ud800", 7], ids=["no text", "no content"])
def test_what_cannot_be_written_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path, half):
    path = write_whole(tmp_path / "file", b"whole")
    with pytest.raises((TypeError, UnicodeEncodeError)):
        write_whole(path, half)
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_take_its_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "taken", "content")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize("name", ["../../up", "/", "", ".", "..", "a\0b", "x" * 300, "$"], ids=ascii)
def test_a_name_as_part_of_a_files_stays_in_its_folder(name):
    assert re.fullmatch(r"[\w.-]{1,80}", name_of_file(name), re.ASCII)
    assert name_of_file(name) != name_of_file(f"{name}?")


def test_an_ordinary_name_is_its_own():
    assert name_of_file("numpy-blas") == "numpy-blas"


def test_a_file_that_cannot_be_read_gets_a_sentence(tmp_path):
    with pytest.raises(RecordError, match="cannot be read"):
        read_object(tmp_path)


def test_a_file_without_end_is_not_read(tmp_path):
    with (tmp_path / "endless").open("wb") as file:
        file.truncate(10**13)  # of nothing: it takes no room
    with pytest.raises(RecordError, match="is larger than 4 GB"):
        read_object(tmp_path / "endless")


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_json_does_not_have_is_refused(tmp_path, number):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "file.json", {"seconds": number})
    assert not list(tmp_path.iterdir())


def test_an_object_is_read_as_it_was_written(tmp_path):
    assert read_object(write_json(tmp_path / "file.json", {"seconds": [1.5, None]})) == {"seconds": [1.5, None]}


@pytest.mark.parametrize(("content", "said"), [("", "not whole JSON"), ("[1]", "holds a list")])
def test_what_is_no_object_gets_a_sentence(tmp_path, content, said):
    with pytest.raises(RecordError, match=said):
        read_object(write_whole(tmp_path / "file.json", content))


def test_what_is_appended_follows_what_was_there(tmp_path):
    path = tmp_path / "new" / "summary.md"
    append_whole(path, "one\n")
    append_whole(path, "two\n")
    assert path.read_text() == "one\ntwo\n"
