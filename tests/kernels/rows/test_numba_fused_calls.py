"""Compiled code that is called where it lies, and arrays that are told by their addresses."""

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from stepkernels.rows.numba_fused.addresses import addresses_of, call_at, matrix_at, vector_at
from stepkernels.rows.numba_fused.calls import address_of, bound
from stepkernels.rows.numba_fused.residuals import add_residuals


@njit
def put(out, place, value):
    out[place] = value


@njit
def put_twice(address, out, value):
    for place in range(2):
        call_at(put, address, (out, np.int64(place), value))


def test_code_is_called_where_it_lies():
    out = np.zeros(3)
    put_twice(address_of(put, (out, 0, 7.5)), out, 7.5)
    assert out.tolist() == [7.5, 7.5, 0.0]


def test_each_kind_of_arguments_has_code_of_its_own():
    out, narrow = np.zeros(3), np.zeros(3, np.float32)
    addresses = {address_of(put, (array, 0, 1.5)) for array in (out, narrow, out)}
    assert len(addresses) == 2


def test_code_for_other_arguments_is_refused_when_its_caller_is_compiled():
    """An address has no types: what was compiled for others would write where it should not."""
    whole = np.zeros(3, np.int8)
    with pytest.raises(TypingError, match="put was compiled for other arguments than"):
        put_twice(address_of(put, (np.zeros(3), 0, 7.5)), whole, 7.5)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
def test_arrays_are_what_lies_at_their_addresses(dtype):
    vector, matrix = np.arange(5).astype(dtype), np.arange(12).astype(dtype).reshape(3, 4)

    @njit
    def told(addresses, like):
        vector, matrix = vector_at(addresses, 0, like.dtype), matrix_at(addresses, 1, like.dtype)
        matrix[2, 3] = vector[4]
        return len(vector), matrix.shape, matrix.strides, vector.sum() + matrix[1, 2]

    assert told(addresses_of(vector, matrix), vector) == (5, (3, 4), matrix.strides, 10 + 6)
    assert matrix[2, 3] == 4


def test_a_bound_call_takes_the_arguments_that_were_left_open():
    out = np.zeros(2)
    bound(put, (out, 1), (0.0,))(2.5)
    assert out.tolist() == [0.0, 2.5]


def test_what_is_compiled_within_others_cannot_be_called_from_python():
    with pytest.raises(NotImplementedError, match="add_residuals is a function for compiled code"):
        add_residuals((), np.zeros(3))
