"""Backward in full: the example is the reference's step, and every link of the chain is a derivative."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import mpmath
import pytest

from stepbench.lesson import (
    graph,
    wording,
)
from stepbench.lesson import worked_example as worked
from stepkernels import reference
from stepkernels.problem import GD
from stepkernels.reference import Point


def test_the_example_is_the_reference_step():
    example = worked.worked_example()
    z, a, J = reference.forward(worked.problem(), worked.W, worked.B)
    truth = reference.gradient(worked.problem(), worked.W, worked.B)
    after = reference.update(Point.start(worked.problem()), truth, GD(learning_rate=worked.RATE))
    assert example.z == pytest.approx(z, rel=1e-15)
    assert example.a == pytest.approx(a, rel=1e-15)
    assert pytest.approx(example.J, rel=1e-14) == J
    assert example.gw == pytest.approx(truth.gw, rel=1e-13)
    assert example.gb == pytest.approx(truth.gb, rel=1e-13)
    assert example.new_w == pytest.approx(after.w, rel=1e-12)
    assert example.new_b == pytest.approx(after.b, rel=1e-12)
    assert example.new_J == pytest.approx(reference.gradient(worked.problem(), after.w, after.b).J, rel=1e-13)
    assert example.new_J < example.J


def test_every_link_of_the_chain_is_a_derivative_and_their_product_is_a_minus_y():
    example = worked.worked_example()
    for i, label in enumerate(worked.Y):
        loss = lambda a, label=label: -(label * mpmath.log(a) + (1 - label) * mpmath.log(1 - a))  # noqa: E731
        sigmoid = lambda z: 1 / (1 + mpmath.exp(-z))  # noqa: E731
        z = mpmath.mpf(example.z[i])
        assert example.loss[i] == pytest.approx(float(loss(sigmoid(z))), rel=1e-13)
        assert example.dloss_da[i] == pytest.approx(float(mpmath.diff(loss, sigmoid(z))), rel=1e-9)
        assert example.da_dz[i] == pytest.approx(float(mpmath.diff(sigmoid, z)), rel=1e-9)
        assert example.dz[i] == pytest.approx(example.a[i] - label, rel=1e-13)
        assert example.products[i] == pytest.approx(worked.X[i] * worked.W)
        assert example.shares[i] == pytest.approx(worked.X[i] * (example.a[i] - label) / 2, rel=1e-13)


def test_the_graph_carries_the_first_samples_numbers():
    example = worked.worked_example()
    nodes = graph.nodes(example)
    assert nodes["w2"].slope == pytest.approx((example.a[0] - worked.Y[0]) * worked.X[0, 1], rel=1e-13)
    assert nodes["b"].slope == nodes["z"].slope == example.dz[0]
    drawing = ET.fromstring(str(graph.drawing(example, "the graph")))
    written = {element.text for element in drawing.iter("text")}
    assert {wording.places(nodes["z"].value, 4), wording.places(nodes["a"].slope, 4)} <= written
