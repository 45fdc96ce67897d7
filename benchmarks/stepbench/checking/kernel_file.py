"""A kernel from outside the repository: a .py file with IMPLEMENTATION (an `Implementation`) and bind(problem, config).

The file runs in child processes only. What is wrong with it is told as Python would tell its author: the file, the
line, the error; never a traceback of ours.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from stepbench.checking.child_process import start_child
from stepbench.checking.raised import described_in_file
from stepbench.machine.children import environment_of_child
from stepkernels import Implementation, Op, ProblemError
from stepkernels.interface import load_file
from stepkernels.problem import DTYPES, OPTIMIZERS

UNSENDABLE = "IMPLEMENTATION holds what cannot be sent to another process ({}); give plain values"
LOADING_SECONDS = 240.0  # a cold import of torch or JAX takes tens of seconds


class KernelFileError(ProblemError):
    """A kernel file that cannot be used; the message says where and why."""


def load_kernel(path: Path) -> Implementation:
    """The row of a kernel file, its module the file. Raises `KernelFileError`.

    A child loads the file and sends back what it declares, so that a file that crashes takes nothing with it.
    """
    path = path.resolve()
    if not path.is_file() or path.suffix != ".py":
        raise KernelFileError(f"There is no kernel file {path}; give the path of a .py file.")
    answer = _answer_of_child(path)
    if isinstance(answer, str):
        raise KernelFileError(f"{path.name}: {answer}.")
    return Implementation.from_json(answer)


def _answer_of_child(path: Path) -> dict[str, Any] | str:
    """The row that the file declares, or what is wrong with it."""
    child, ours = start_child("kernel", str(path), environment=environment_of_child())
    with ours, child:
        try:
            answer: dict[str, Any] | str = (
                ours.recv() if ours.poll(LOADING_SECONDS) else "did not finish loading and was ended"
            )
        except (EOFError, OSError):
            answer = f"ended its process while it was loaded (exit status {child.wait()})"
        except (ImportError, AttributeError) as error:  # an object of a class that the file defines
            answer = UNSENDABLE.format(error)
        child.kill()
    return answer


def declared_row(path: Path) -> Implementation:
    """Load the file in this process and validate what it declares. Raises `KernelFileError`."""
    try:
        module = load_file(path)
    except Exception as error:
        raise KernelFileError(described_in_file(error, path)) from error
    row = getattr(module, "IMPLEMENTATION", None)
    if not isinstance(row, Implementation):
        raise KernelFileError("needs IMPLEMENTATION = Implementation(name=…, module=__file__, …) at its top level")
    if not callable(getattr(module, "bind", None)):
        raise KernelFileError("needs a function bind(problem, config) that returns a workspace")
    choices: tuple[tuple[str, object, tuple[str, ...]], ...] = (
        ("ops", row.ops, tuple(Op)),
        ("dtypes", row.dtypes, DTYPES),
        ("optimizers", row.optimizers, tuple(OPTIMIZERS)),
    )
    for name, declared, known in choices:
        if not isinstance(declared, tuple | list) or not declared or not set(declared) <= set(known):
            raise KernelFileError(
                f"IMPLEMENTATION.{name} is {declared!r}; it must be a tuple out of {', '.join(known)}"
            )
    return replace(row, module=str(path), ops=tuple(map(Op, row.ops)))


def main(descriptor: int, path: Path) -> None:
    """Send the row's fields, or the sentence of what is wrong."""
    with Connection(descriptor) as pipe:
        try:
            answer: dict[str, Any] | str = declared_row(path).to_json()
        except KernelFileError as error:
            answer = str(error)
        try:
            pipe.send(answer)
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            pipe.send(UNSENDABLE.format(error))
