"""One end of a conversation between two processes that need not trust one another: frames over a socket.

A frame is its length, four bytes, and a message in MessagePack, decoded into the one type that is expected. Nothing
is unpickled: what a kernel's process sends can be wrong, and is then refused, but it is never run. Every wait has an
end, also in the middle of a frame.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from typing import Any, TypeVar

import msgspec

LENGTH = struct.Struct(">I")
MOST_BYTES = 2**30  # of a message: far beyond any state, and what a process may be made to hold
PIECE_BYTES = 2**20

T = TypeVar("T")


class ChannelError(RuntimeError):
    """The other side cannot be talked to any more; the message says why."""


class ChannelClosedError(ChannelError):
    """The other side closed its end, or ended."""


class SilenceError(ChannelError):
    """The other side sent nothing, or not all, in time."""


class GarbageError(ChannelError):
    """What was sent is no message of the kind expected."""


class Channel:
    """A connected socket."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected

    @classmethod
    def pair(cls) -> tuple[Channel, socket.socket]:
        """Our end, and the socket of the other side's."""
        ours, theirs = socket.socketpair()
        return cls(ours), theirs

    def send(self, message: msgspec.Struct, seconds: float | None = None) -> None:
        """Send the whole message. Raises `ChannelClosedError`, or `SilenceError` where the other side does not read."""
        payload = msgspec.msgpack.encode(message)
        try:
            self.socket.settimeout(seconds)
            self.socket.sendall(LENGTH.pack(len(payload)) + payload)
        except TimeoutError:
            raise SilenceError(f"did not read within {seconds:.0f} seconds") from None
        except OSError:
            raise ChannelClosedError("closed its connection") from None

    def readable(self, seconds: float) -> bool:
        """Wait until something has come, or the other side has closed, for so long at most."""
        return bool(select.select([self.socket], [], [], seconds)[0])

    def receive(self, seconds: float | None = None, most_bytes: int = MOST_BYTES) -> bytes:
        """The next frame, whole, not yet decoded, so that the moment it came can be told.

        Raises `ChannelClosedError`, `SilenceError`, and `GarbageError` for a frame that claims to be too long.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            (length,) = LENGTH.unpack(self._exactly(LENGTH.size, deadline))
            if length > most_bytes:
                raise GarbageError(f"sent a message of {length:,} bytes, where at most {most_bytes:,} make sense")
            return bytes(self._exactly(length, deadline))
        except TimeoutError:
            raise SilenceError(f"gave no answer within {seconds:.0f} seconds") from None
        except ConnectionError:
            raise ChannelClosedError("closed its connection") from None

    def _exactly(self, length: int, deadline: float | None) -> bytearray:
        received = bytearray()
        while len(received) < length:
            self.socket.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-3))
            piece = self.socket.recv(min(length - len(received), PIECE_BYTES))
            if not piece:
                raise ConnectionResetError
            received += piece
        return received

    def close(self) -> None:
        self.socket.close()


def decoded(frame: bytes, kind: type[T] | Any) -> T:
    """The message of a frame, strictly of the type. Raises `GarbageError`."""
    try:
        message: T = msgspec.msgpack.decode(frame, type=kind, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise GarbageError(f"answered what is no answer ({error})") from None
    return message
