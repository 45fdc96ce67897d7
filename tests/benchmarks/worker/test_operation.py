"""The call that is timed: the operation itself, or k steps of it, over one problem or over copies in turn."""

from dataclasses import replace

import pytest

from stepbench.cases.case import Case
from stepbench.worker.operation import ROUND_SECONDS, iterations_of, operation_of, rotation, run_once, warm_up_of
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
def test_an_operation_is_one_call_of_the_workspace(op):
    workspace = Recorder()
    operation_of(workspace, ROW, replace(TRAIN, op=op, steps=1))()
    assert workspace.log == [(op,)]


def test_a_row_with_train_takes_all_steps_in_one_call():
    workspace = Recorder()
    operation_of(workspace, replace(ROW, ops=(Op.STEP, Op.TRAIN)), TRAIN)()
    assert workspace.log == [("train", 5)]


def test_a_row_without_train_takes_as_many_steps():
    workspace = Recorder()
    operation_of(workspace, replace(ROW, ops=(Op.STEP,)), TRAIN)()
    assert workspace.log == [("step",)] * 5


@pytest.mark.parametrize(
    ("ops", "op", "calls"),
    [
        ((Op.FORWARD, Op.BACKWARD), Op.BACKWARD, ["forward", "backward"]),
        ((Op.FORWARD, Op.BACKWARD, Op.UPDATE), Op.UPDATE, ["forward", "backward", "update"]),
        ((Op.GRADIENT, Op.UPDATE), Op.UPDATE, ["gradient", "update"]),
        ((Op.STEP,), Op.TRAIN, ["step"]),
        ((Op.STEP, Op.TRAIN), Op.TRAIN, ["train"]),
    ],
)
def test_what_an_operation_needs_comes_before_it(ops, op, calls):
    workspace = Recorder()
    run_once(workspace, replace(ROW, ops=ops), op)
    assert [name for name, *_ in workspace.log] == calls


def test_copies_take_turns():
    log = []
    operation = rotation([lambda k=k: log.append(k) for k in range(3)])
    for _ in range(7):
        operation()
    assert log == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize(("per_call", "iterations"), [(ROUND_SECONDS / 10.5, 11), (ROUND_SECONDS, 1), (1.0, 1)])
def test_a_round_is_the_fewest_calls_that_fill_it(per_call, iterations):
    assert iterations_of(per_call) == iterations


def test_a_row_warms_up_with_its_own_operation_at_least_once():
    log = []
    warm_up_of(lambda: log.append("operation"), per_call=1.0)()
    assert log == ["operation"]
