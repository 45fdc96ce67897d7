"""Where a training can go on from: the state of its optimizer in a file, written whole or not at all, by rank 0.

A checkpoint says which training it is of: the settings, which are known before any data are read, and the data.
"""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stepkernels.interface import Snapshot
from stepkernels.problem import Array, ProblemError
from stepreports.records.files import write_whole

NAME = "checkpoint.npz"
EVERY_SECONDS = 1.0
ARRAYS = ("w", "b", "moment1", "moment2", "step", "iterations", "settings", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """Where checkpoints are kept, if anywhere, and whether to go on from the one that is there."""

    checkpoint: Path | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """The state after so many iterations, of which `step` were updates of gd or adam."""

    w: Array
    b: float
    moments: tuple[Array, Array]
    step: int
    iterations: int


def require_going(going: Going, settings: str) -> None:
    """Raise `ProblemError` for a checkpoint that would be written over, and for one to go on from that is of no use.

    As far as that can be said before any data are read.
    """
    if going.checkpoint is None:
        if going.resume:
            raise ProblemError("--resume needs --checkpoint DIR: the folder in which the training left its state.")
    elif going.resume:
        load_checkpoint(going.checkpoint, settings)
    elif (path := going.checkpoint / NAME).exists():
        raise ProblemError(
            f"{path} is the state of an earlier training; go on from it with --resume, or choose another folder."
        )


def load_checkpoint(folder: Path, settings: str, data: str | None = None) -> Checkpoint:
    """The checkpoint in a folder. Raises `ProblemError` where there is none, a damaged one, or one of another training.

    `settings` and `data` say which training it has to be of; None is data that nobody has looked at yet.
    """
    path = folder / NAME
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            found = {name: file[name] for name in ARRAYS}
    except FileNotFoundError:
        raise ProblemError(f"There is no checkpoint {path}; start without --resume.") from None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ProblemError(f"{path} is no checkpoint that Stepbench wrote, or it is cut off.") from error
    for kind, wanted in (("settings", settings), ("data", data)):
        if wanted is not None and (other := str(found[kind])) != wanted:
            raise ProblemError(f"{path} is of a training with other {kind} ({other}), not with these ({wanted}).")
    return Checkpoint(
        w=found["w"],
        b=float(found["b"]),
        moments=(found["moment1"], found["moment2"]),
        step=int(found["step"]),
        iterations=int(found["iterations"]),
    )


class Keeper:
    """Writes checkpoints into a folder, no more often than every second, beginning with the first that it is shown."""

    def __init__(self, folder: Path, settings: str, data: str) -> None:
        self.path, self.settings, self.data = folder / NAME, settings, data
        self.last = -np.inf

    def keep(self, state: Snapshot, iterations: int) -> None:
        """Raises `ProblemError` where it cannot be written. A state that is not finite replaces none that is."""
        if not all(np.isfinite(each).all() for each in (state.w, state.b, state.moment1, state.moment2)):
            return
        if time.monotonic() - self.last < EVERY_SECONDS:
            return
        stream = io.BytesIO()
        np.savez(
            stream,
            w=state.w, b=state.b, moment1=state.moment1, moment2=state.moment2,
            step=np.array(state.step), iterations=np.array(iterations),
            settings=np.array(self.settings), data=np.array(self.data),
        )  # fmt: skip
        try:
            write_whole(self.path, stream.getvalue())
        except OSError as error:
            raise ProblemError(
                f"{self.path} could not be written ({error.strerror or error}). Make room, and go on with --resume."
            ) from None
        self.last = time.monotonic()
