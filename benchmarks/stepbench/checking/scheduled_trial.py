"""A trial to come, and what it finds when it is run."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from stepbench.checking import scenes
from stepbench.checking.bound_row import Bind, Rejected
from stepbench.checking.draws import draw_config
from stepbench.checking.scenes import Random, Scene
from stepbench.checking.tally import Tally
from stepbench.checking.trials import Setup, Trial
from stepbench.checking.verdicts import Disagreement
from stepbench.executor.line import RaisedByRow
from stepbench.executor.remote import RemoteRow
from stepkernels import Config, Implementation, Problem


class ScheduledTrial(NamedTuple):
    """A trial with its scene, dtype and optimizer, and the seed of all that it draws; its data is made when it runs.

    `storage` is what X is kept in, None for its dtype; `label` that of every row, None for the scene's own.
    """

    trial: Trial
    kind: str
    shape: tuple[int, int]
    dtype: str
    optimizer: str
    seed: tuple[int, ...]
    storage: str | None = None
    label: float | None = None

    def __str__(self) -> str:
        m, n = self.shape
        return f"{self.trial.name}; {self.kind}, {m} × {n}, {self._kept}, {self.optimizer}"

    @property
    def _kept(self) -> str:
        return self.dtype if self.storage is None else f"{self.storage} in {self.dtype}"

    def run(self, row: Implementation, tally: Tally, bind: Bind | None = None) -> Disagreement | None:
        """Try the row; what it raises is a disagreement too.

        `bind` binds it where it is to compute, which may raise `Lost`; without one it computes in this process.
        """
        random = np.random.default_rng(self.seed)
        scene = scenes.scene(self.kind, *self.shape, self.dtype, random)
        if self.label is not None:
            scene = scene.labelled(self.label)
        config, other = self._configs(row, scene, random)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                setup = Setup(row, scene, config, other, random, tally, bind or RemoteRow(row).bind, label=self.label)
                self.trial.run(setup)
                setup.finish()
        except Rejected as rejected:
            return self._disagreement(scene, rejected.field, rejected.error, str(rejected))
        except RaisedByRow as raised:
            return self._disagreement(scene, "", math.inf, str(raised))
        return None

    def lost(self, what: str) -> Disagreement:
        """The row answers no more, since it did `what` in this trial."""
        _, data = str(self).split("; ", 1)
        return Disagreement(trial=self.trial.name, data=data, field="", error=math.inf, sentence=f"the row {what}")

    def _configs(self, row: Implementation, scene: Scene, random: Random) -> tuple[Config, Config]:
        """Two configurations of this trial's own; or the check's own, for a row that would compile others anew."""
        problem: Problem | None = scene.problem
        if row.compiles_per_shape:
            random, problem = np.random.default_rng([self.seed[0], *f"{self.dtype}{self.optimizer}".encode()]), None
        first, second = (
            replace(draw_config(random, problem, self.dtype, self.optimizer), storage=self.storage) for _ in range(2)
        )
        return first, second

    def _disagreement(self, scene: Scene, field: str, error: float, sentence: str) -> Disagreement:
        data = f"{scene}, {self._kept}, {self.optimizer}"
        return Disagreement(trial=self.trial.name, data=data, field=field, error=error, sentence=sentence)
