"""Numba's pool of threads: of its simplest kind for one caller at a time, and of every kind lost to a forked child."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import Any, Protocol
from weakref import WeakSet

import numba

from stepkernels.probe import left_behind
from stepkernels.problem import ProblemError

_one_at_a_time = threading.Lock()


class User(Protocol):
    """What computes on the pool."""

    def leave_pool(self) -> None:
        """The pool is no more: refuse to compute on it."""


_users: WeakSet[Any] = WeakSet()


def start_for(user: User) -> None:
    """Start the pool, if nobody has, for calls that `user` makes until it is forked.

    Numba starts its pool itself where it compiles parallel code or finds it in its cache, but not for a function whose
    callee came from the cache when it was compiled itself: that would jump to zero.
    """
    numba.get_num_threads()
    _users.add(user)


def in_turn(call: partial[Any]) -> partial[Any]:
    """The call of parallel code, made in turn where the pool takes one caller at a time and else ends the process.

    Those of OpenMP and TBB take as many as come, and lose no time on a lock.
    """
    if numba.threading_layer() != "workqueue":  # type: ignore[attr-defined]
        return call

    def call_in_turn(*arguments: Any) -> Any:
        with _one_at_a_time:
            return call(*arguments)

    return partial(call_in_turn)


def refuse(*_: object) -> None:
    """What a call becomes in a process that was forked after it was bound."""
    raise ProblemError(f"This workspace cannot compute here: {left_behind('numba')}.")


def _forked() -> None:
    for user in list(_users):
        user.leave_pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
