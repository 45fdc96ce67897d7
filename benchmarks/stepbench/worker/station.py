"""A bound case at the turnstile: it answers what is asked of it, until a round or the end is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from stepbench.worker.binding import Binding
from stepbench.worker.messages import (
    Finish,
    Finished,
    Held,
    Hold,
    Prepare,
    Question,
    Ready,
    Repeat,
    Repeated,
    Round,
    Rounded,
)
from stepbench.worker.turnstile import Turnstile


class Station:
    """The runner may ask for a round only while `rounds` are left, and each of them once."""

    def __init__(self, binding: Binding, turnstile: Turnstile) -> None:
        self.binding, self.turnstile = binding, turnstile
        self.calls = 0  # of the round that was asked for last

    def until_round(self) -> None:
        """Answer questions up to the next round, whose calls are then known."""
        question = self._answer_until(Round)
        self.calls = question.calls

    def until_finish(self) -> None:
        self._answer_until(Finish)

    def run_round(self) -> None:
        """What is timed."""
        self.binding.run(self.calls)

    def rounded(self, seconds: float, device_seconds: float | None) -> None:
        self.turnstile.answer(Rounded(seconds, device_seconds))

    def finished(self, device_state: dict[str, Any] | None) -> None:
        self.turnstile.answer(Finished(device_state))

    def _answer_until(self, last: type[Question]) -> Any:
        while not isinstance(question := self.turnstile.question(), last):
            self.turnstile.answer(self._answer(question))
        return question

    def _answer(self, question: Question) -> msgspec.Struct:
        match question:
            case Prepare():
                self.binding.run(question.warm_up)
                self.binding.start_at(question.point.point(), question.calls)
                return Ready()
            case Repeat():
                self._loop(question)()
                self.binding.synchronize()
                return Repeated()
            case Hold():
                return Held.of(self.binding.snapshot(question.back))
            case _:
                raise RuntimeError(f"The runner asked {type(question).__name__} in the middle of a case.")

    def _loop(self, asked: Repeat) -> Callable[[], None]:
        binding, calls = self.binding, asked.calls
        points = [point.point() for point in asked.points]
        return {
            "operations": lambda: binding.run(calls),
            "waiting": lambda: binding.run_with_snapshots(calls, 0),
            "snapshots": lambda: binding.run_with_snapshots(calls, 1),
            "snapshots twice": lambda: binding.run_with_snapshots(calls, 2),
            "moving": lambda: binding.run_moving(calls, operate=True),
            "moves only": lambda: binding.run_moving(calls, operate=False),
            "points": lambda: binding.run_at_points(points, operate=True),
            "points only": lambda: binding.run_at_points(points, operate=False),
        }[asked.loop]
