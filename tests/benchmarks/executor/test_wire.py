"""What comes back from a process that may say anything: an answer, or no answer, and never more than was asked for."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stepbench.executor.wire import (
    ARRAYS,
    HEADER,
    Answer,
    Counted,
    Done,
    NoAnswer,
    Raised,
    Taken,
    Values,
    answer_frame,
    new_request,
    read_answer,
    read_request,
    request_frame,
)
from stepkernels import Snapshot

KINDS = st.sampled_from(["f2", "f4", "f8", ">f4", ">f8", "longdouble", "i4", "i8", "u1", "?", "c16"])


def payload(frame):
    assert HEADER.unpack(frame[: HEADER.size])[0] == len(frame) - HEADER.size
    return frame[HEADER.size :]


def snapshot(**changes):
    scalars = {name: np.zeros(()) for name in ("J", "b", "gb")}
    vectors = {name: np.arange(3.0) for name in ("w", "gw", "moment1", "moment2", "costs")}
    return Snapshot(**(scalars | vectors | {"step": 7} | changes))


@given(arrays.arrays(KINDS.map(np.dtype), arrays.array_shapes(min_dims=0, min_side=0)))
def test_an_array_arrives_bit_for_bit(array):
    arrived = Values.of(array).array()
    assert (arrived.dtype, arrived.shape, arrived.tobytes()) == (array.dtype, array.shape, array.tobytes())


@pytest.mark.parametrize("answer", [Done(token=5), Counted(token=5, count=3), Raised(token=5, sentence="no")])
def test_an_answer_arrives(answer):
    assert read_answer(payload(answer_frame(answer)), 5) == answer


def test_a_snapshot_arrives():
    sent = snapshot(w=np.array([np.nan, np.inf, -0.0], np.float32), step=2**40)
    answer = read_answer(payload(answer_frame(Taken.of(5, sent))), 5)
    arrived = answer.snapshot()
    assert arrived.step == 2**40
    for name in ARRAYS:
        assert getattr(arrived, name).tobytes() == getattr(sent, name).tobytes()


@given(st.binary(max_size=200))
def test_bytes_are_no_answer(noise):
    with pytest.raises(NoAnswer):
        read_answer(noise, 5)


@pytest.mark.parametrize(
    "said",
    [
        {"type": "Done"},
        {"type": "Done", "token": "5"},
        {"type": "Done", "token": 5, "agrees": True},
        {"type": "Finding", "token": 5},
        {"type": "Counted", "token": 5, "count": 1.5},
        {"type": "Raised", "token": 5, "sentence": "x" * 10**5},
        {"type": "Taken", "token": 5, "step": 1.0, "arrays": {}},
        {"type": "Taken", "token": 5, "step": 1, "arrays": {"J": {"element": "<f8", "shape": [-1], "data": b""}}},
        [5],
        None,
    ],
)
def test_what_is_none_of_the_answers_is_no_answer(said):
    with pytest.raises(NoAnswer):
        read_answer(msgspec.msgpack.encode(said), 5)


def test_an_answer_to_something_else_is_no_answer():
    with pytest.raises(NoAnswer, match="something else"):
        read_answer(payload(answer_frame(Done(token=6))), 5)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (Values(element="|O", shape=(1,), data=b"12345678"), "an array of"),
        (Values(element="<f8", shape=(2,), data=b"12345678"), "8 bytes for an array of shape"),
        (Values(element="<f8", shape=(0, 10**18, 10**18), data=b""), "big|large|reshape|dimension"),
    ],
)
def test_bytes_that_are_not_the_array_they_are_said_to_be_are_no_answer(values, says):
    with pytest.raises(NoAnswer, match=says):
        values.array()


def test_a_snapshot_of_other_fields_is_no_answer():
    taken = Taken.of(5, snapshot())
    for arrays_ in ({}, {**taken.arrays, "agrees": taken.arrays["J"]}):
        with pytest.raises(NoAnswer, match="a snapshot of"):
            Taken(token=5, step=1, arrays=arrays_).snapshot()


def test_nobody_knows_a_token_before_it_is_sent():
    tokens = {new_request("step").token for _ in range(100)}
    assert len(tokens) == 100
    assert math.log2(max(tokens)) > 50


def test_a_request_arrives():
    request = new_request("reset", 3, {"w": np.arange(3.0), "step": 41})
    arrived = read_request(payload(request_frame(request)))
    assert arrived[:2] == request[:2]
    assert arrived.arguments[0] == 3
    assert isinstance(read_answer(payload(answer_frame(Done(token=arrived.token))), request.token), Answer)
