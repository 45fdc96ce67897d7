"""What passes between a judge and an executor, in frames: eight bytes that say how many follow, then those.

Requests come from the judge and are pickled: a row may declare options that no other format holds. Answers come from
a process that runs a stranger's code and may say anything: they are MessagePack, decoded into the few types below and
nothing else, none longer than what was asked for can be. What does not decode is `NoAnswer`.

Every request carries a token that nobody could know before, and its answer carries it back: an answer prepared
beforehand, given twice, or by two processes after a fork, is an answer to something else.
"""

from __future__ import annotations

import math
import pickle
import secrets
import struct
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np

from stepkernels import Snapshot
from stepkernels.problem import Array

HEADER = struct.Struct("<Q")
ARRAYS = ("J", "w", "b", "gw", "gb", "moment1", "moment2", "costs")
LONGEST_SENTENCE = 2000

# What an array may be made of, to be told apart from what it should be made of; by the kind and size of an element.
_ELEMENTS = {
    np.dtype(kind).str: np.dtype(kind)
    for kind in ("f2", "<f4", ">f4", "<f8", ">f8", "longdouble", "c8", "c16", "?", "i1", "i2", "i4", "i8", "u1", "u8")
}


class NoAnswer(Exception):  # noqa: N818 - a verdict on the executor, not an error of ours
    """What came back is not an answer to what was asked; the message says why, as the end of a sentence."""


class Request(NamedTuple):
    """`task` names a method of the executor's `Host`."""

    token: int
    task: str
    arguments: tuple[Any, ...]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """An answer to the request of this token."""

    token: int


class Done(Answer, frozen=True):
    """It was done."""


class Values(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An array: NumPy's name of an element, the shape, and the elements in C order."""

    element: Annotated[str, msgspec.Meta(max_length=16)]
    shape: Annotated[tuple[Annotated[int, msgspec.Meta(ge=0)], ...], msgspec.Meta(max_length=8)]
    data: bytes

    @classmethod
    def of(cls, array: Array) -> Values:
        return cls(element=array.dtype.str, shape=array.shape, data=array.tobytes())

    def array(self) -> Array:
        """Raises `NoAnswer` for elements that are no numbers, and for another number of them than the shape says."""
        kind = _ELEMENTS.get(self.element)
        if kind is None:
            raise NoAnswer(f"an array of {self.element!r}")
        if len(self.data) != math.prod(self.shape) * kind.itemsize:
            raise NoAnswer(f"{len(self.data)} bytes for an array of shape {self.shape}")
        try:
            return np.frombuffer(self.data, kind).reshape(self.shape)
        except (ValueError, OverflowError) as error:  # a length beyond any, beside one of zero
            raise NoAnswer(str(error)) from None


class Taken(Answer, frozen=True):
    """A snapshot."""

    arrays: dict[str, Values]
    step: int

    @classmethod
    def of(cls, token: int, snapshot: Snapshot) -> Taken:
        arrays = {name: Values.of(getattr(snapshot, name)) for name in ARRAYS}
        return cls(token=token, arrays=arrays, step=snapshot.step)

    def snapshot(self) -> Snapshot:
        """Raises `NoAnswer` for other fields than a snapshot has."""
        if set(self.arrays) != set(ARRAYS):
            raise NoAnswer(f"a snapshot of {', '.join(map(repr, self.arrays)) or 'nothing'}")
        return Snapshot(step=self.step, **{name: self.arrays[name].array() for name in ARRAYS})


class Counted(Answer, frozen=True):
    """A number."""

    count: int


class Raised(Answer, frozen=True):
    """The row's code raised: what, and in which line of its own."""

    sentence: Annotated[str, msgspec.Meta(max_length=2 * LONGEST_SENTENCE)]


_ANSWERS = msgspec.msgpack.Decoder(Done | Taken | Counted | Raised)


def new_request(task: str, *arguments: Any) -> Request:
    return Request(secrets.randbits(62), task, arguments)


def frame(payload: bytes) -> bytes:
    return HEADER.pack(len(payload)) + payload


def request_frame(request: Request) -> bytes:
    return frame(pickle.dumps(tuple(request), pickle.HIGHEST_PROTOCOL))


def answer_frame(answer: Answer) -> bytes:
    return frame(msgspec.msgpack.encode(answer))


def read_request(payload: bytes) -> Request:
    return Request(*pickle.loads(payload))  # noqa: S301 - from the judge, which is trusted


def read_answer(payload: bytes | bytearray, token: int) -> Answer:
    """The answer to the request of this token. Raises `NoAnswer`."""
    try:
        answer: Answer = _ANSWERS.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NoAnswer(str(error)[:200]) from None
    if answer.token != token:
        raise NoAnswer("an answer to something else than it was asked, as after a fork")
    return answer
