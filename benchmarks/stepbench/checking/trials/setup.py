"""What a trial is, and what it is given: a row, a scene, two configurations, and the source of everything random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from stepbench.checking import scenes, trajectory
from stepbench.checking.bound_row import Bind, BoundRow
from stepbench.checking.scenes import Random, Scene
from stepbench.checking.tally import Tally
from stepkernels import Config, Implementation, Op

ROUTES: tuple[tuple[Op, ...], ...] = (
    (Op.STEP,),
    (Op.GRADIENT, Op.UPDATE),
    (Op.FORWARD, Op.BACKWARD, Op.UPDATE),
)


@dataclass
class Setup:
    """One trial on one scene. Random numbers are drawn anew for each, so that no answer can be kept from before."""

    implementation: Implementation
    scene: Scene
    config: Config
    other_config: Config
    random: Random
    tally: Tally = field(default_factory=Tally)
    binder: Bind | None = None
    bound_rows: list[BoundRow] = field(default_factory=list)
    label: float | None = None  # of every row, where the trial is asked for that

    def bind(self, scene: Scene | None = None, config: Config | None = None) -> BoundRow:
        """The row on a scene, whose data are rounded to what they are kept in: the truth is that of stored numbers."""
        scene, config = scene or self.scene, config or self.config
        if self.label is not None:
            scene = scene.labelled(self.label)
        if config.storage is not None:
            scene = scene._replace(problem=scene.problem.stored(config.storage))
        row = BoundRow(self.implementation, scene, config, self.tally, self.binder)
        self.bound_rows.append(row)
        return row

    def bind_slow(self, steps: int) -> BoundRow:
        """On a slow descent of so many steps, of which each shows."""
        dtype, optimizer = self.config.dtype, self.config.optimizer.name
        scene, config = trajectory.slow_descent(self.random, dtype, optimizer, steps)
        return self.bind(scene, replace(config, storage=self.config.storage))

    def bind_for(self, steps: int) -> BoundRow:
        """On the scene's own data, with settings that so many steps can be taken with."""
        dtype, optimizer = self.config.dtype, self.config.optimizer.name
        config = trajectory.slow_settings(self.random, self.scene.problem, dtype, optimizer, steps)
        return self.bind(config=replace(config, storage=self.config.storage))

    def finish(self) -> None:
        """What was kept is as it was; the workspaces are let go."""
        for row in self.bound_rows:
            row.finish()
            row.workspace.release()

    def routes(self) -> list[tuple[Op, ...]]:
        """The ways this row has of taking one step."""
        return [route for route in ROUTES if set(route) <= {*self.implementation.ops, Op.STEP}]

    def another_scene(self) -> Scene:
        """Other data of the same shape."""
        m, n = self.scene.problem.X.shape
        return scenes.scene("ordinary data", m, n, self.config.dtype, self.random)


class Trial(NamedTuple):
    """Something done to a row. `run` raises `Rejected` when the row breaks a law, and returns when it keeps it."""

    name: str
    run: Callable[[Setup], None]
    needs: frozenset[Op] = frozenset({Op.STEP})
