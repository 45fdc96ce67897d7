"""The runner's turnstile, from the worker's side: its questions and our answers over a channel."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from stepbench.cases.case import Case
from stepbench.cases.problem_files import load_problem
from stepbench.machine.process_state import reset_peak_memory
from stepbench.worker.channel import Channel, ChannelClosedError, decoded
from stepbench.worker.messages import MOST_REASON, Bind, Failed, Orders, Question
from stepbench.worker.read_only_pages import in_read_only_pages
from stepbench.worker.turnstile import AnyQuestion, Task
from stepkernels.interface import Implementation


class RunnerTurnstile:
    """Waits for the runner's questions, and answers each."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def orders(self) -> Orders:
        return self.expect(Orders)

    def next_task(self, _row: Implementation, case: Case) -> Task:
        asked = self.expect(Bind)
        if asked.case != case.name:
            raise RuntimeError(f"The runner is at {asked.case}, the worker at {case.name}.")
        problem = in_read_only_pages(load_problem(Path(asked.data), case.dtype), asked.x_offset_bytes)
        reset_peak_memory(os.getpid())  # to read the data took them twice; from here on it is the row's doing
        return Task(
            case=case,
            problem=problem,
            config=asked.config.config(),
            rounds=asked.rounds,
            x_offset_bytes=asked.x_offset_bytes,
        )

    def expect(self, kind: type[AnyQuestion]) -> AnyQuestion:
        """The next question, which is of the kind that is due."""
        asked = self.question()
        if not isinstance(asked, kind):
            raise TypeError(f"The runner asked {type(asked).__name__} where {kind.__name__} was due.")
        return asked

    def question(self) -> Question:
        """Block until the runner asks. The end of the run ends this process."""
        try:
            return decoded(self.channel.receive(), Question)
        except ChannelClosedError:
            os._exit(0)

    def answer(self, message: msgspec.Struct) -> None:
        self.channel.send(message)

    def failed(self, kind: str, reason: str) -> None:
        self.answer(Failed(kind=kind, reason=reason[:MOST_REASON]))
