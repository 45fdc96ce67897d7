"""The comparison: each field held to its bound, and what is not finite or not of its type never agrees."""

import math

import numpy as np
import pytest

from expectations import ADAM, expected, snapshot_of
from stepkernels import synthetic_problem
from stepkernels.agreement import STEP_FIELDS, UPDATE_FIELDS, Expected, compare, smallest_visible_change


@pytest.fixture
def expectation():
    return expected(synthetic_problem(9, 3), np.ones(3), optimizer=ADAM, l2=0.1)


def test_the_truth_agrees_with_itself(expectation):
    agreement = compare(snapshot_of(expectation), expectation, "float64")
    assert agreement.agrees
    assert agreement.worst == 0.0
    assert agreement.reason == ""
    assert set(agreement.errors) == set(STEP_FIELDS)


@pytest.mark.parametrize("field", STEP_FIELDS)
@pytest.mark.parametrize(("bounds", "agrees"), [(0.8, True), (-0.8, True), (1.25, False), (-1.25, False)])
def test_each_field_is_held_to_its_bound(expectation, field, bounds, agrees):
    value, bound = expectation[field]
    moved = np.array(value)
    moved.flat[-1] += bounds * np.asarray(bound).flat[-1]
    agreement = compare(snapshot_of(expectation, **{field: moved}), expectation, "float64")
    assert agreement.agrees is agrees
    assert agreement.worst == pytest.approx(abs(bounds), rel=0.1)
    assert agreement.worst_field == field
    assert (f"{field} is off by 1." in agreement.reason) is not agrees


def test_a_bound_is_the_last_error_that_agrees(expectation):
    at_bound = expectation | {"J": Expected(np.asarray(1.0), np.asarray(0.25))}
    for J, agrees in ((1.25, True), (0.75, True), (math.nextafter(1.25, 2.0), False)):
        agreement = compare(snapshot_of(expectation, J=np.asarray(J)), at_bound, "float64")
        assert agreement.agrees is agrees
        assert (agreement.reason == "") is agrees


def test_the_reason_names_no_field_that_is_within_its_bound(expectation):
    value, bound = expectation["J"]
    moved = {"J": value + 0.5 * bound, "b": expectation["b"].value + 3.0 * expectation["b"].bound}
    assert compare(snapshot_of(expectation, **moved), expectation, "float64").reason.startswith(
        "b is off by 3 bounds (b is "
    )


@pytest.mark.parametrize("field", STEP_FIELDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_never_agrees(expectation, field, value):
    spoilt = np.array(expectation[field].value)
    spoilt.flat[0] = value
    agreement = compare(snapshot_of(expectation, **{field: spoilt}), expectation, "float64")
    assert agreement.worst == np.inf
    assert not agreement.agrees


def test_a_wrong_shape_or_dtype_is_a_fault(expectation):
    reshaped = compare(snapshot_of(expectation, b=np.zeros(1)), expectation, "float64")
    assert reshaped.faults == ("b is float64 of shape (1,), not float64 of shape ()",)
    converted = compare(snapshot_of(expectation, "float32"), expectation, "float64")
    assert not converted.agrees
    assert len(converted.faults) == len(STEP_FIELDS)


def test_a_shorter_field_and_a_wider_type_are_faults_too():
    narrow = expected(synthetic_problem(9, 3, "float32"), np.ones(3))
    shorter = compare(snapshot_of(narrow, "float32", w=np.ones(2, np.float32)), narrow, "float32")
    assert shorter.faults == ("w is float32 of shape (2,), not float32 of shape (3,)",)
    wider = compare(snapshot_of(narrow, "float32", J=np.asarray(narrow["J"].value)), narrow, "float32")
    assert wider.faults == ("J is float64 of shape (), not float32 of shape ()",)


def test_only_the_fields_asked_for_are_judged(expectation):
    spoilt = snapshot_of(expectation, J=np.asarray(1e9))
    assert compare(spoilt, expectation, "float64", UPDATE_FIELDS).agrees
    assert not compare(spoilt, expectation, "float64", ("J",)).agrees


def test_smallest_visible_change_is_where_disagreement_begins(expectation):
    for name, change in smallest_visible_change(expectation).items():
        for part, agrees in ((0.7, True), (1.4, False)):
            scaled = snapshot_of(expectation, **{name: expectation[name].value * (1.0 + part * change)})
            assert compare(scaled, expectation, "float64").agrees is agrees, name


def test_zeros_are_left_out_of_a_relative_change():
    for sign in (1.0, -1.0):
        part = Expected(sign * np.array([0.0, 2.0, -1.0]), np.array([1e-9, 0.5, 0.1]))
        assert smallest_visible_change({"J": part, "gw": part, "gb": part})["gw"] == pytest.approx(0.1)


def test_a_field_of_zeros_shows_no_relative_change():
    zeros = Expected(np.zeros(2), np.ones(2))
    assert smallest_visible_change({"J": zeros, "gw": zeros, "gb": zeros})["gw"] == np.inf


def test_what_disagrees_is_told_with_its_place_what_it_is_what_was_expected_and_the_bound(expectation):
    gw = np.array(expectation["gw"].value)
    gw[1] = gw[1] + 2.0
    told = compare(snapshot_of(expectation, gw=gw), expectation, "float64").reason
    value, bound = (float(part[1]) for part in expectation["gw"])
    assert f"(gw[1] is {gw[1]:.9g}, expected {value:.9g} within {bound:.2g})" in told
    gw[2] = np.nan
    assert "(gw[2] is nan, expected " in compare(snapshot_of(expectation, gw=gw), expectation, "float64").reason
