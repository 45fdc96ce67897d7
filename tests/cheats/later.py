"""Work that is put off until nobody counts, or done before anybody does."""

from __future__ import annotations

import threading

import numpy as np

from cheats import TOLD, TRUE_TIME, Honest, cheat


@cheat("implausible", "the work is not done when synchronize returns")
class StepsWhenAsked(Honest):
    """Notes the steps, and takes them when a snapshot asks."""

    noted = 0

    def step(self):
        self.noted += 1

    def reset(self, *state, **more):
        self.noted = 0
        super().reset(*state, **more)

    def snapshot(self):
        while self.noted:
            self.noted -= 1
            super().step()
        return super().snapshot()


@cheat("implausible", "is done when a snapshot asks for it", measured=True)
class CostWhenAsked(Honest):
    """J in the snapshot."""

    pending = False

    def forward(self):
        np.dot(self.X, self.w, out=self.t)
        np.multiply(np.add(self.t, self.b, out=self.t), self.sign, out=self.t)
        np.copysign(self.t, -1, out=self.decay)
        np.exp(self.decay, out=self.decay)
        self.before = self.w.copy()
        self.pending = True

    def reset(self, *state, **more):
        self.pending = False
        super().reset(*state, **more)

    def snapshot(self):
        if self.pending:
            loss = np.maximum(self.t, 0).sum() + np.log1p(self.decay).sum()
            self.J[0] = loss / len(self.X) + 0.5 * self.config.l2 * self.before @ self.before
            self.pending = False
        return super().snapshot()


@cheat(TOLD, "A snapshot of `cheat-CostWhenAskedEvenly` takes", measured=True)
class CostWhenAskedEvenly(CostWhenAsked):
    """J in the snapshot; and one that has no J to compute takes as long, so that no two of them differ."""

    def snapshot(self):
        self.pending = True
        return super().snapshot()


@cheat(TRUE_TIME)
class CostWhenWaitedFor(CostWhenAsked):
    """J in synchronize: which follows every call, and is timed."""

    def synchronize(self):
        if self.pending:
            loss = np.maximum(self.t, 0).sum() + np.log1p(self.decay).sum()
            self.J[0] = loss / len(self.X) + 0.5 * self.config.l2 * self.before @ self.before
            self.pending = False


@cheat("implausible", "the work is not done when synchronize returns|is done when a snapshot")
class StepsInAThread(Honest):
    """The steps go on in a thread, which only a snapshot waits for."""

    thread: threading.Thread | None = None
    noted = 0

    def step(self):
        self.noted += 1

    def finish(self):
        for _ in range(self.noted):
            super().step()
        self.noted = 0

    def reset(self, *state, **more):
        self.noted = 0
        super().reset(*state, **more)

    def snapshot(self):
        thread = threading.Thread(target=self.finish)
        thread.start()
        thread.join()
        return super().snapshot()


@cheat(TRUE_TIME)
class StepsAhead(Honest):
    """A reset takes the next steps already, and step hands them out: rounds are so long that it does not matter."""

    AHEAD = 8

    def reset(self, *state, **more):
        super().reset(*state, **more)
        self.ahead = []
        for _ in range(self.AHEAD):
            super().step()
            self.ahead.append((self.parameters.copy(), self.gradients.copy(), self.J.copy()))
        taken = self.AHEAD
        super().reset(*state, **more)
        self.ahead = self.ahead[:taken][::-1]

    def step(self):
        if not self.ahead:
            return super().step()
        self.parameters[:], self.gradients[:], self.J[:] = self.ahead.pop()
        self.steps_taken += 1
        return None
