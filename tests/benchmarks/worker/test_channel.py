"""A channel: whole messages or a sentence, whatever the other side does."""

import contextlib
import pickle
import struct
import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepbench.worker.channel import Channel, ChannelClosedError, GarbageError, SilenceError, decoded
from stepbench.worker.messages import Failed, Held, Ready, Rounded


@pytest.fixture
def ends():
    ours, theirs = Channel.pair()
    other = Channel(theirs)
    yield ours, other
    ours.close(), other.close()


def test_a_message_arrives_as_it_was_sent(ends):
    ours, other = ends
    other.send(Rounded(0.25, None))
    assert decoded(ours.receive(1.0), Rounded | Failed) == Rounded(0.25, None)


def test_a_long_message_arrives_whole(ends):
    ours, other = ends
    message = Failed("error", "x" * 5_000_000)
    sender = threading.Thread(target=other.send, args=(message,))
    sender.start()
    assert decoded(ours.receive(10.0), Failed) == message
    sender.join()


def test_another_message_than_expected_is_garbage(ends):
    ours, other = ends
    other.send(Ready())
    with pytest.raises(GarbageError, match="no answer"):
        decoded(ours.receive(1.0), Rounded | Failed)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_garbage(frame):
    with contextlib.suppress(GarbageError):
        assert isinstance(decoded(frame, Rounded | Held | Failed), Rounded | Held | Failed)


def test_nothing_is_unpickled():
    with pytest.raises(GarbageError):
        decoded(pickle.dumps(Rounded(0.0, None)), Rounded | Failed)


@pytest.mark.parametrize("step", [2.0, "2", None, True, 2**70])
def test_a_step_is_a_whole_number(step):
    array = {"dtype": "<f8", "shape": [], "data": bytes(8)}
    fields = dict.fromkeys(("J", "w", "b", "gw", "gb", "moment1", "moment2", "costs"), array)
    frame = msgspec.msgpack.encode({"type": "Held", **fields, "step": step}) if step != 2**70 else b"\xff"
    with pytest.raises(GarbageError):
        decoded(frame, Held)


def test_a_frame_that_claims_to_be_endless_is_not_waited_for(ends):
    ours, other = ends
    other.socket.sendall(struct.pack(">I", 2**32 - 1))
    with pytest.raises(GarbageError, match="at most"):
        ours.receive(5.0)


def test_silence_ends_in_time_also_within_a_frame(ends):
    ours, other = ends
    with pytest.raises(SilenceError, match="no answer within 0 seconds"):
        ours.receive(0.05)
    other.socket.sendall(struct.pack(">I", 100) + b"abc")
    with pytest.raises(SilenceError):
        ours.receive(0.05)


def test_a_side_that_closes_is_told(ends):
    ours, other = ends
    other.close()
    with pytest.raises(ChannelClosedError):
        ours.receive(1.0)
    with pytest.raises(ChannelClosedError):
        ours.send(Ready())
