"""The turnstile of the suite on its own: it asks what a runner would, in the same process, and judges the answers."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.proof.judging import Judge
from stepbench.proof.points import random_point
from stepbench.worker.messages import Begin, Finish, Held, Hold, Prepare, Question, Round, WirePoint
from stepbench.worker.read_only_pages import in_read_only_pages
from stepbench.worker.turnstile import AnyQuestion, Task
from stepkernels.agreement import Traits
from stepkernels.agreement.expected import plain_truth
from stepkernels.interface import Implementation, Op
from stepkernels.problem import Config, Problem

ROUNDS, CALLS = 2, 3


class LocalTurnstile:
    """Waits for nobody: makes its own problems, and asks for rounds of a few operations."""

    def next_task(self, row: Implementation, case: Case) -> Task:
        problem = make_problem(case.dataset, case.m, case.n, case.dtype, seed=0)
        config, self.traits = case.config(problem), Traits.of(row)
        self.trains = case.op == Op.TRAIN and Op.TRAIN in row.ops
        self.judge = Judge(case, problem, config, plain_truth, [self.traits])
        self.questions = self._questions(problem, config)
        return Task(case=case, problem=in_read_only_pages(problem), config=config, rounds=ROUNDS)

    def question(self) -> Question:
        return next(self.questions)

    def expect(self, kind: type[AnyQuestion]) -> AnyQuestion:
        asked = self.question()
        if not isinstance(asked, kind):
            raise TypeError(f"{type(asked).__name__} was asked where {kind.__name__} was due.")
        return asked

    def answer(self, message: msgspec.Struct) -> None:
        """Raises `AssertionError` for what a row must not hold after a round."""
        if isinstance(message, Held):
            agreement = self.judge.judge(message.snapshot(), self.point, CALLS, self.traits, trains=self.trains)
            if not agreement.agrees:
                raise AssertionError(agreement.reason)

    def failed(self, kind: str, reason: str) -> None:
        """Pytest tells."""

    def _questions(self, problem: Problem, config: Config) -> Iterator[Question]:
        yield Begin()
        for seed in range(ROUNDS):
            self.point = random_point(problem, config, seed)
            yield Prepare(1, CALLS, WirePoint.of(self.point))
            yield Round(CALLS)
            yield Hold()
        yield Finish()
