"""From the findings of a row, as they come in, to its report."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stepbench.checking.protocol import CannotRun, Finding
from stepbench.checking.tally import Tally
from stepbench.checking.verdicts import Disagreement, RowReport, Verdict


class Findings:
    """What has been found of a row so far, held against the trials that it has to go through."""

    def __init__(self, row: str, due: Sequence[str]) -> None:
        self.row, self.due = row, due
        self.cannot_run: CannotRun | None = None
        self.latest: Finding | None = None
        self.trials = 0
        self.hint = ""
        self.disagreements: list[Disagreement] = []

    @property
    def complete(self) -> bool:
        return self.cannot_run is not None or (self.latest is not None and not self.latest.next_trial)

    def add(self, finding: Finding | CannotRun) -> None:
        if isinstance(finding, CannotRun):
            self.cannot_run = finding
            return
        self.trials += self.latest is not None
        self.latest = finding
        due = self.due[self.trials] if self.trials < len(self.due) else ""
        ended = finding.disagreement is not None and not finding.next_trial
        if finding.next_trial != due and not ended:
            told = f"after {self.trials} trials its judge told of {finding.next_trial!r}, when {due!r} was due"
            self.cannot_run = CannotRun(reason=told, broken=True)
        self.hint = self.hint or finding.hint
        if finding.disagreement is not None:
            self.disagreements.append(finding.disagreement)

    def end_early(self, how: str) -> None:
        """The child did not say that it was done: a verdict about the trial it was at, or about loading the row."""
        if self.latest is None:
            self.cannot_run = CannotRun(reason=f"while it was loaded, the row {how}", broken=True)
            return
        found = Disagreement(trial=self.latest.next_trial, data="", field="", error=math.inf, sentence=f"the row {how}")
        self.disagreements.append(found)

    def report(self, seconds: float, *, simulated: bool) -> RowReport:
        tally = self.latest.tally if self.latest else Tally()
        return RowReport(
            row=self.row,
            verdict=self._verdict(simulated=simulated),
            reason=self._reason(),
            trials=self.trials,
            judged=tally.judged,
            worst=tally.worst,
            smallest_visible_changes=tuple(tally.visible.values()),
            disagreements=tuple(self.disagreements),
            seconds=seconds,
        )

    def _verdict(self, *, simulated: bool) -> Verdict:
        if self.cannot_run is not None:
            return Verdict.ERROR if self.cannot_run.broken else Verdict.NOT_RUN
        if self.disagreements:
            return Verdict.DISAGREES if self._gave_numbers else Verdict.ERROR
        return Verdict.SIMULATED if simulated else Verdict.AGREES

    @property
    def _gave_numbers(self) -> bool:
        """Whether a number of the row's was ever looked at: else it only failed, and none of them is known wrong."""
        judged = self.latest.tally.judged if self.latest else 0
        return judged > 0 or any(each.field for each in self.disagreements)

    def _reason(self) -> str:
        if self.cannot_run is not None:
            return self.cannot_run.reason
        if not self.disagreements:
            return ""
        others = len(self.disagreements) - 1
        more = f"; {others} more of {self.trials} trials failed" if others else ""
        return f"{self.disagreements[0]}{more}{f'. {self.hint}' if self.hint else ''}"
