"""Known labels and a model's classes: equal as written, and as numbers only where text meets numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepbench.training.known_labels import as_classes

ALIKE = [
    (["0", "1"], [0, 1]), (["0", "1"], [0.0, 1.0]), (["0.0", "1.0"], [0, 1]), (["-1", "+1"], [-1, 1]),
    (["False", "True"], [False, True]), (["false", "true"], [0, 1]), (["0", "1"], [False, True]),
    (["007", "8"], [7, 8]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "numbers"), ALIKE)
def test_text_that_spells_numbers_stands_for_them_either_way(text, numbers):
    places = np.array([0, 1, 1, 0])
    for here, there in ((text, numbers), (numbers, text)):
        labels, classes = np.array(here)[places], np.array(there)
        known, note = as_classes(labels, classes)
        np.testing.assert_array_equal(known, classes[places])
        assert "was taken for" in note


OTHERS = [
    (["0", "2"], [0, 1]), (["no", "yes"], [0, 1]), (["0", "1", "2"], [0, 1]), (["0", "0"], [0, 1]),
    (["1", "01"], [0, 1]), ([0, 1], ["1", "01"]), (["1", "2"], ["01", "02"]), (["1.0", "0.0"], ["0", "1"]),
]  # fmt: skip


@pytest.mark.parametrize(("labels", "classes"), OTHERS)
def test_what_is_not_the_two_classes_is_none_of_them(labels, classes):
    assert as_classes(np.array(labels), np.array(classes)) == (None, None)


@given(st.lists(st.sampled_from(["a", "01", "1", "None", ""]), min_size=1))
def test_text_is_compared_as_it_is_written(texts):
    labels = np.array(texts)
    known, note = as_classes(labels, np.array(["01", "1"]))
    assert note is None
    assert (known is labels) == (set(texts) == {"01", "1"})
