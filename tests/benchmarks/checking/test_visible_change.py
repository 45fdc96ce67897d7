"""What a check says that it can see, it does see; and it says so of the largest data."""

import json
import math

import numpy as np
import pytest

from gallery.controls import DigitsToSpare
from runs import KERNELS
from stepbench.checking import check, load_kernel
from stepbench.checking.bound_row import BoundRow
from stepbench.checking.scenes import LARGE, LONG_AND_WIDE, scene
from stepbench.checking.scheduled_trial import ScheduledTrial
from stepbench.checking.tally import Tally
from stepbench.checking.trials import ONE_STEP
from stepbench.checking.verdicts import CheckReport, RowReport, Verdict, VisibleChange
from stepkernels import Config, Implementation, Op

LARGEST = max(m * n for m, n in LARGE)


class Scaled(DigitsToSpare):
    """Right in every digit of its dtype, and then one field is multiplied by a factor."""

    def __init__(self, problem, config, field, factor):
        self.field, self.factor = field, factor
        super().__init__(problem, config)

    def forward(self):
        super().forward()
        self.J *= self.factor if self.field == "J" else 1

    def backward(self):
        super().backward()
        part = {"gw": slice(None, -1), "gb": slice(-1, None)}.get(self.field, slice(0))
        self.exact[part] *= self.factor
        self.gradients[:] = self.exact


def bind(problem, config, field, factor):
    return Scaled(problem, config, field, factor)


def scaled(field="J", factor=1.0):
    return Implementation(
        name="scaled", module=__file__, ops=tuple(Op), options={"field": field, "factor": factor}, optimizers=("gd",)
    )


def visible(dtype, m, n, J=1.0, gw=1.0, gb=1.0):
    return VisibleChange(dtype=dtype, m=m, n=n, relative_change={"J": J, "gw": gw, "gb": gb})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", LONG_AND_WIDE, ids=["long", "wide"])
@pytest.mark.parametrize("kind", ["ordinary data", "planted rows"])
def test_a_change_above_the_smallest_visible_is_rejected_and_one_below_is_not(kind, shape, dtype):
    trial, tally = ScheduledTrial(ONE_STEP, kind, shape, dtype, "gd", (3,)), Tally()
    assert trial.run(scaled(), tally) is None
    seen = tally.visible[dtype]
    assert (seen.m, seen.n) == shape
    for field, change in seen.relative_change.items():
        for sign in (1.0, -1.0):
            above = trial.run(scaled(field, 1.0 + sign * 1.2 * change), Tally())
            assert above is not None, field
            assert f"{field} is off by" in above.sentence
            assert above.error == pytest.approx(1.2, abs=0.15)  # a row's own last digit is some hundredths of a bound
            assert trial.run(scaled(field, 1.0 + sign * 0.5 * change), Tally()) is None, field


def test_the_largest_data_counts_and_of_equal_data_the_smaller_change():
    tally = Tally()
    for seen in (
        visible("float32", 9, 9, gw=5.0),
        visible("float32", 100, 2, J=3.0, gw=4.0),
        visible("float32", 100, 2, J=4.0, gw=3.0),
        visible("float32", 2, 100, gw=1.0),  # as many elements, and shorter sums
        visible("float64", 7, 3),
    ):
        tally.see(seen)
    assert tally.visible == {"float32": visible("float32", 100, 2, J=3.0, gw=3.0), "float64": visible("float64", 7, 3)}


def test_a_state_judged_more_loosely_shows_nothing():
    """Where a trajectory may drift by several bounds, a change of one bound is not seen."""
    tally, config = Tally(), Config(dtype="float64")
    row = BoundRow(scaled(), scene("ordinary data", 33, 7, "float64", np.random.default_rng(3)), config, tally)
    point = row.reset()
    row.run(Op.STEP)
    row.judge(point, "step", slack=8.0)
    assert not tally.visible
    row.judge(point, "step")
    assert tally.visible["float64"].size == (33 * 7, 33)


def test_a_check_reports_it_for_every_dtype_on_its_largest_data():
    row = check([load_kernel(KERNELS / "matrix_form.py")], seed=1).rows[0]
    assert [each.dtype for each in row.smallest_visible_changes] == ["float32", "float64"]
    single, double = row.smallest_visible_changes
    assert single.m * single.n == double.m * double.n == LARGEST
    assert 0.0 < 1e6 * double.relative_change["gw"] < single.relative_change["gw"] < 1.0
    assert row.summary.endswith(f"; smallest change it can see: {single}")


def test_the_sentence_is_of_the_dtype_in_which_least_is_seen():
    seen = (visible("float64", 20, 3, gw=2e-13), visible("float32", 70_003, 3, gw=3.14e-5))
    row = RowReport(row="r", verdict=Verdict.AGREES, worst={"w": 0.5}, trials=2, smallest_visible_changes=seen)
    assert row.summary.endswith("of its bound; smallest change it can see: 3.1e-05 of gw, at 70,003 × 3 in float32")
    content = json.loads(CheckReport(rows=(row,), required=frozenset(), seed=1).to_json())
    assert content["rows"][0]["smallest_visible_changes"][1] == {
        "dtype": "float32", "m": 70_003, "n": 3, "relative_change": {"J": 1.0, "gw": 3.14e-5, "gb": 1.0},
    }  # fmt: skip


def test_a_field_of_zeros_is_seen_nowhere():
    blind = visible("float32", 9, 9, gw=math.inf)
    row = RowReport(row="r", verdict=Verdict.AGREES, worst={"w": 0.5}, smallest_visible_changes=(blind,))
    assert row.summary.endswith("of its bound")
    content = json.loads(CheckReport(rows=(row,), required=frozenset(), seed=1).to_json(), parse_constant=pytest.fail)
    assert content["rows"][0]["smallest_visible_changes"][0]["relative_change"]["gw"] is None


def test_a_disagreement_says_nothing_of_it():
    seen = (visible("float32", 9, 9),)
    row = RowReport(row="r", verdict=Verdict.DISAGREES, worst={"w": 0.5}, reason="no", smallest_visible_changes=seen)
    assert row.summary == "no"
