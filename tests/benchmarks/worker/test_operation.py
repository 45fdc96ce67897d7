"""The call that is timed, and what it needs before it."""

from dataclasses import replace

import pytest

from stepbench.cases.case import Case
from stepbench.worker.operation import operation_of, prelude
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op

ROW = CATALOG["numpy-blas"]
TRAIN = Case(op=Op.TRAIN, dtype="float64", m=7, n=3, steps=5)


class Recorder:
    """A workspace that writes down what it is asked."""

    def __init__(self):
        self.log = []

    def __getattr__(self, name):
        return lambda *arguments: self.log.append((name, *arguments))


@pytest.mark.parametrize("op", [Op.FORWARD, Op.BACKWARD, Op.GRADIENT, Op.UPDATE, Op.STEP])
def test_an_operation_is_one_call_of_the_workspace_and_the_wait_for_it(op):
    workspace = Recorder()
    operation_of(workspace, ROW, replace(TRAIN, op=op, steps=1)).run(2)
    assert workspace.log == [(op,), ("synchronize",)] * 2


def test_a_gpu_is_not_waited_for_within_a_round():
    workspace = Recorder()
    operation_of(workspace, replace(ROW, device="cuda"), replace(TRAIN, op=Op.STEP, steps=1)).run(2)
    assert workspace.log == [("step",)] * 2


def test_a_row_with_train_takes_all_steps_in_one_call():
    workspace = Recorder()
    operation_of(workspace, replace(ROW, ops=(Op.STEP, Op.TRAIN)), TRAIN).run(1)
    assert workspace.log == [("train", 5), ("synchronize",)]


def test_a_row_without_train_takes_as_many_steps():
    workspace = Recorder()
    operation_of(workspace, replace(ROW, ops=(Op.STEP,)), TRAIN).run(1)
    assert workspace.log == [("step",), ("synchronize",)] * 5


@pytest.mark.parametrize(
    ("ops", "op", "calls"),
    [
        ((Op.FORWARD, Op.BACKWARD), Op.BACKWARD, ["forward"]),
        ((Op.FORWARD, Op.BACKWARD, Op.UPDATE), Op.UPDATE, ["forward", "backward"]),
        ((Op.GRADIENT, Op.UPDATE), Op.UPDATE, ["gradient"]),
        ((Op.STEP,), Op.STEP, []),
        ((Op.STEP, Op.TRAIN), Op.TRAIN, []),
    ],
)
def test_what_an_operation_needs_comes_before_it(ops, op, calls):
    workspace = Recorder()
    for call in prelude(workspace, replace(ROW, ops=ops), op):
        call()
    assert [name for name, *_ in workspace.log] == calls
