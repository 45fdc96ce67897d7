"""Damaged models: whatever happened to a file, it predicts as it did or is refused in a sentence."""

import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes, unicode_string_dtypes

from stepbench.cases import free_memory
from stepbench.training import model_file
from stepbench.training.model_file import load_model
from stepbench.training.model_parts import FORMAT, PARTS, VERSION
from stepkernels.problem import ProblemError

N = 3
WHOLE = {
    "format": FORMAT, "version": VERSION,
    "w": np.array([1.0, -2.0, 0.5]), "b": np.array(0.25), "mean": np.zeros(N), "scale": np.ones(N),
    "classes": np.array(["no", "yes"]), "columns": np.array(["a", "b", "c"]), "target": np.array("kind"),
    "trained_on": np.array("t.csv"), "row": np.array("numpy-blas"), "optimizer": np.array("lbfgs"),
    "named": np.array(1), "counted_from": np.array(-1),
}  # fmt: skip
X = np.arange(12.0).reshape(4, N)

REUSED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def path(tmp_path):
    np.savez(tmp_path / "m.npz", **WHOLE)
    return tmp_path / "m.npz"


def margins_or_sentence(path):
    """What the model comes to, or None where it is refused. Nothing else is raised."""
    with contextlib.suppress(ProblemError):
        model = load_model(path)
        z = model.margins(X)
        model.predict(z)
        model.widths()
        return z
    return None


def test_a_whole_model_is_read(path):
    np.testing.assert_array_equal(margins_or_sentence(path), X @ WHOLE["w"] + 0.25)


def test_a_model_of_version_1_is_read_and_its_columns_have_names(path):
    np.savez(
        path, **{name: array for name, array in WHOLE.items() if name not in ("named", "counted_from")} | {"version": 1}
    )
    assert margins_or_sentence(path) is not None


ANYTHING = st.one_of(
    arrays(scalar_dtypes(), array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)),
    arrays(unicode_string_dtypes(max_len=9), array_shapes(min_dims=0, max_dims=2, max_side=4)),
    arrays(np.float64, st.sampled_from([(), (N,), (2,)]), elements=st.floats()),
)


@REUSED
@given(name=st.sampled_from(list(WHOLE)), array=ANYTHING)
def test_any_array_in_the_place_of_another_is_in_order_or_a_sentence(path, name, array):
    np.savez(path, **{**WHOLE, name: array})
    margins_or_sentence(path)


@REUSED
@given(st.data())
def test_changed_bytes_change_no_prediction_silently(path, data):
    np.savez(path, **WHOLE)
    before, content = margins_or_sentence(path), bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    after = margins_or_sentence(path)
    assert after is None or np.array_equal(after, before)


@REUSED
@given(st.data())
def test_a_part_of_a_file_is_no_model(path, data):
    np.savez(path, **WHOLE)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    assert margins_or_sentence(path) is None


FAULTS = {
    "shape of w": ({"w": np.ones((N, N))}, r"its w has shape \(3, 3\), not \(3,\)"),
    "length of mean": ({"mean": np.zeros(4)}, r"its mean has shape \(4,\), not \(3,\)"),
    "shape of b": ({"b": np.zeros(1)}, r"its b has shape \(1,\), not \(\)"),
    "dtype of w": ({"w": np.array(["a", "b", "c"])}, "its w holds <U1, not numbers"),
    "complex w": ({"w": np.ones(N) * 1j}, "its w holds complex128, not numbers"),
    "NaN": ({"scale": np.array([1.0, np.nan, 1.0])}, "its scale holds NaN or infinity"),
    "infinity": ({"b": np.array(np.inf)}, "its b holds NaN or infinity"),
    "zero scale": ({"scale": np.array([1.0, 0.0, 1.0])}, "its scale is not positive everywhere"),
    "three classes": ({"classes": np.array(["a", "b", "c"])}, r"its classes has shape \(3,\), not \(2,\)"),
    "one class twice": ({"classes": np.array(["a", "a"])}, "its two classes are one"),
    "classes in the wrong order": ({"classes": np.array(["b", "a"])}, "its two classes are in the wrong order"),
    "half of a pair": ({"classes": np.array(["a", "b\udcf6"])}, "it holds text that cannot be written"),
    "a name twice": ({"columns": np.array(["a", "b", "a"])}, "two of its columns have one name"),
    "no columns": (
        {"columns": np.array([], "U1"), "w": np.ones(0), "mean": np.ones(0), "scale": np.ones(0)},
        "no columns",
    ),
    "columns of numbers": ({"columns": np.arange(N)}, "its columns holds int64, not text"),
    "version": ({"version": np.array([1, 2])}, "its version is no whole number"),
    "version of text": ({"version": "two"}, "its version is no whole number"),
    "format": ({"format": np.array([FORMAT, FORMAT])}, "is not a model that Stepbench wrote"),
    "base": ({"counted_from": np.array(7)}, "its counted_from is 7, not one of -1, 0, 1"),
    "another part": ({"extra": np.ones(1)}, "lacks parts of a model, or has others"),
}


@pytest.mark.parametrize(("change", "sentence"), FAULTS.values(), ids=list(FAULTS))
def test_a_fault_is_told(path, change, sentence):
    np.savez(path, **{**WHOLE, **change})
    with pytest.raises(ProblemError, match=rf"^m\.npz .*{sentence}"):
        load_model(path)


def test_every_part_is_written_and_looked_at():
    assert PARTS.keys() == WHOLE.keys() - {"format", "version"} == set(model_file.Model.__dataclass_fields__)


@pytest.mark.parametrize(("free", "sentence"), [(10**6, "its w has shape"), (10**5, "GiB are available")])
def test_a_claim_is_looked_at_before_it_is_unpacked(path, monkeypatch, free, sentence):
    """A part of the wrong shape, or more than fits."""
    np.savez_compressed(path, **{**WHOLE, "w": np.zeros(10**5)})
    monkeypatch.setattr(free_memory, "free_bytes", lambda: free)
    unpacked = model_file.unpacked
    monkeypatch.setattr(model_file, "unpacked", lambda archive, names: unpacked(archive, set(names) - {"w"}))
    with pytest.raises(ProblemError, match=sentence):
        load_model(path)
