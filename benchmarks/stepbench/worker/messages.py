"""What the runner and a worker say to one another, over a `Channel`.

The runner asks one question at a time, and the worker gives one answer; the runner judges it, and keeps the time:

Orders   its row and its cases                       Started    the row is loaded
Bind     a case: its data and configuration          Bound      copied, allocated, compiled
Begin    the first call                              Begun      made, with all that is compiled or loaded on the way
Prepare  warm up, then stand at a point              Ready
Repeat   a loop that is no round                     Repeated   done
Round    the timed loop                              Rounded    done, and how long it took by the worker's own clock
Hold     what the workspace holds                    Held       a snapshot's arrays
Finish   no more of this case                        Finished

or, to any of them, `Failed`. Nothing that the worker sends is believed alone.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np

from stepbench.cases.case import Case
from stepbench.executor.wire import Values
from stepkernels.interface import Snapshot
from stepkernels.problem import OPTIMIZERS, Config
from stepkernels.reference import Point

MOST_REASON = 4000  # characters of a reason: a line of a record


class WirePoint(msgspec.Struct, frozen=True):
    """A point to stand at."""

    w: Values
    b: float
    moment1: Values
    moment2: Values
    step: int

    @classmethod
    def of(cls, point: Point) -> WirePoint:
        arrays = {name: Values.of(getattr(point, name)) for name in ("w", "moment1", "moment2")}
        return cls(b=point.b, step=point.step, **arrays)

    def point(self) -> Point:
        arrays = {name: getattr(self, name).array() for name in ("w", "moment1", "moment2")}
        return Point(b=self.b, step=self.step, **arrays)


class WireConfig(msgspec.Struct, frozen=True):
    """A configuration."""

    dtype: str
    optimizer: str
    settings: dict[str, float]
    l2: float
    storage: str | None = None

    @classmethod
    def of(cls, config: Config) -> WireConfig:
        settings = {name: getattr(config.optimizer, name) for name in config.optimizer.__slots__}
        return cls(config.dtype, config.optimizer.name, settings, config.l2, config.storage)

    def config(self) -> Config:
        optimizer = OPTIMIZERS[self.optimizer](**self.settings)
        return Config(dtype=self.dtype, optimizer=optimizer, l2=self.l2, storage=self.storage)


class Orders(msgspec.Struct, tag=True):
    row: dict[str, Any]  # of `Implementation.to_json`
    cases: list[Case]


class Bind(msgspec.Struct, tag=True):
    case: str  # its name
    data: str  # the folder of `save_problem`
    config: WireConfig
    rounds: int
    x_offset_bytes: int = 0  # how far into its first page X begins


class Begin(msgspec.Struct, tag=True):
    pass


class Prepare(msgspec.Struct, tag=True):
    """Make so many calls to warm up, then stand at the point with every workspace that the next calls use."""

    warm_up: int
    calls: int
    point: WirePoint


Loop = Literal["operations", "waiting", "snapshots", "snapshots twice", "moving", "moves only", "points", "points only"]


class Repeat(msgspec.Struct, tag=True):
    """So many operations: waiting after each, on a GPU too; with snapshots; after updates; at points; or none there."""

    loop: Loop
    calls: int
    points: list[WirePoint] = []


class Round(msgspec.Struct, tag=True):
    calls: int


class Hold(msgspec.Struct, tag=True):
    """Of a cold case, the workspace that made the last call but so many."""

    back: int = 0


class Finish(msgspec.Struct, tag=True):
    pass


class Started(msgspec.Struct, tag=True):
    import_seconds: float
    library_version: str


class Bound(msgspec.Struct, tag=True):
    seconds: float
    copy_to_device_seconds: float | None


class Begun(msgspec.Struct, tag=True):
    """`plan` is how the workspace goes about it, where it says so."""

    seconds: float
    pools: dict[str, int]
    plan: str | None = None


class Ready(msgspec.Struct, tag=True):
    pass


class Repeated(msgspec.Struct, tag=True):
    pass


class Rounded(msgspec.Struct, tag=True):
    seconds: float  # of the whole round
    device_seconds: float | None


class Held(msgspec.Struct, tag=True):
    J: Values
    w: Values
    b: Values
    gw: Values
    gb: Values
    moment1: Values
    moment2: Values
    costs: Values
    step: int

    @classmethod
    def of(cls, snapshot: Snapshot) -> Held:
        names = [name for name in cls.__struct_fields__ if name != "step"]
        arrays = {name: Values.of(np.asarray(getattr(snapshot, name))) for name in names}
        return cls(step=snapshot.step, **arrays)

    def snapshot(self) -> Snapshot:
        """Raises `NoAnswer` for what holds no arrays of numbers."""
        arrays = {name: getattr(self, name).array() for name in self.__struct_fields__ if name != "step"}
        return Snapshot(step=self.step, **arrays)


class Finished(msgspec.Struct, tag=True):
    device_state: dict[str, Any] | None


class Failed(msgspec.Struct, tag=True):
    kind: str
    reason: str


Question = Orders | Bind | Begin | Prepare | Repeat | Round | Hold | Finish
