"""Arrays in files: y is y, and what a file claims is looked at before anything is unpacked."""

import io
import zipfile

import numpy as np
import pytest

from brought_files import brought
from stepbench.cases import archives, data_files, free_memory
from stepbench.cases.data_files import read_table
from stepbench.cases.data_table import choose_target
from stepkernels.problem import ProblemError

X = np.random.default_rng(0).standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture
def npz(tmp_path):
    """These arrays in a file, read."""

    def read(**arrays):
        np.savez(tmp_path / "t.npz", **arrays)
        return read_table(tmp_path / "t.npz")

    return read


# What is learned -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["y_is_a_column.npz", "y_is_flat.npz", "y_and_is_train.npz"])
def test_y_is_learned_from_all_of_x(name):
    table, flat = read_table(brought(name)), np.load(brought("y_is_flat.npz"))
    assert choose_target(table, None) == (tuple("0123"), "y")
    np.testing.assert_array_equal(table.labels("y"), flat["y"])


def test_another_array_is_learned_only_when_named(npz):
    table = npz(X=X, y=Y, is_train=Y[::-1] > 0)
    assert choose_target(table, "is_train")[1] == "is_train"


@pytest.mark.parametrize("shape", [(40, 2), (1, 40), (39,), (40, 1, 1), ()])
def test_another_shape_of_y_is_refused_by_name_though_others_would_do(npz, shape):
    table = npz(X=X, y=np.zeros(shape), is_train=Y)
    with pytest.raises(ProblemError, match=r"'y' has shape \(.*\); X asks for \(40,\)"):
        choose_target(table, None)
    assert choose_target(table, "is_train")[1] == "is_train"


def test_without_y_an_array_alone_is_learned(npz):
    assert (
        choose_target(npz(X=X, labels=Y.reshape(-1, 1), feature_names=np.array(["a", "b", "c"])), None)[1] == "labels"
    )


@pytest.mark.parametrize("others", [{}, {"labels": Y, "is_train": Y}, {"labels": np.eye(2)[Y], "is_train": Y}])
def test_without_y_what_is_not_plain_is_asked_for(npz, others):
    with pytest.raises(ProblemError, match=r"has no array y.*Name it with --target: 0, 1, 2"):
        choose_target(npz(X=X, **others), None)


@pytest.mark.parametrize(
    ("y", "told"),
    [
        (np.where(Y, "yes", "no").astype(object), "'y' holds Python objects, which are not unpickled"),
        (Y * 1j, "'y' holds complex numbers"),
        (np.where(np.arange(40) == 6, np.nan, Y), "holds NaN or infinity, in row 7 first"),
        (np.where(np.arange(40) == 6, "", "no"), "has no value in row 7"),
    ],
)
def test_what_is_no_label_is_refused_by_name(npz, y, told):
    table = npz(X=X, y=y)
    with pytest.raises(ProblemError, match=told):
        table.labels(table.target)


def test_bytes_are_the_text_they_hold(npz):
    assert set(npz(X=X, y=np.where(Y, "yes", "nö").astype("U").view(np.ndarray)).labels("y")) == {"yes", "nö"}
    assert set(npz(X=X, y=np.where(Y, b"yes", b"no")).labels("y")) == {"yes", "no"}


# What is claimed -----------------------------------------------------------------------------------------------------


def test_a_claim_beyond_free_memory_is_refused_before_anything_is_unpacked(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "t.npz", X=np.zeros((10**6, 10)), y=np.zeros(10**6))
    assert (tmp_path / "t.npz").stat().st_size < 10**6
    monkeypatch.setattr(free_memory, "free_bytes", lambda: 8 * 10**7)
    monkeypatch.setattr(data_files, "unpacked", lambda *_: pytest.fail("was unpacked"))
    with pytest.raises(ProblemError, match=r"t\.npz, 1,000,000 × 10 values, takes 0\.1 GiB of memory"):
        read_table(tmp_path / "t.npz")


def test_what_nobody_needs_is_not_unpacked(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "t.npz", X=X, y=Y, X_test=np.zeros((10**6, 10)))
    monkeypatch.setattr(free_memory, "free_bytes", lambda: 10**6)
    assert read_table(tmp_path / "t.npz").rows == 40


def header(shape, dtype="<f8"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue()


LIES = {
    "more": header((10**12, 3)) + X.tobytes(),
    "fewer": header((20, 3)) + X.tobytes(),
    "negative": header((-40, -3)) + X.tobytes(),
    "beyond any": header((2**62, 2**62)),
    "wide": header((40, 3), "<U4000000") + X.tobytes(),
}


@pytest.mark.parametrize("content", LIES.values(), ids=list(LIES))
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_a_header_that_claims_what_the_file_does_not_hold_is_a_sentence(tmp_path, monkeypatch, kind, content):
    path = tmp_path / f"t.{kind}"
    if kind == "npy":
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("X.npy", content)
    monkeypatch.setattr(archives.npy, "read_array", lambda *_, **__: pytest.fail("was allocated"))
    with pytest.raises(ProblemError, match=r"t\.np[yz] cannot be read.*it declares"):
        read_table(path)


def test_a_value_that_changed_on_the_way_is_noticed(tmp_path):
    np.savez(tmp_path / "t.npz", X=X, y=Y)
    content = bytearray((tmp_path / "t.npz").read_bytes())
    place = content.index(X[20].tobytes())
    content[place] ^= 1
    (tmp_path / "t.npz").write_bytes(content)
    with pytest.raises(ProblemError, match=r"t\.npz cannot be read.*CRC"):
        read_table(tmp_path / "t.npz")
