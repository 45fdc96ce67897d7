"""The computation graph of one sample with the worked example's numbers: forward above each node, backward below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from stepbench.lesson.wording import places
from stepbench.lesson.worked_example import WorkedExample


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A quantity: its place, its sign, its value on the way forward, and the slope of the loss in it."""

    x: float
    y: float
    sign: str
    value: float
    slope: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """From one node to the next, with what the backward pass multiplies by; no factor where nothing flows back."""

    start: str
    end: str
    factor: str | None = None


def nodes(example: WorkedExample) -> dict[str, Node]:
    """The quantities of the first sample."""
    (x1, x2), (w1, w2) = example.X[0], example.w
    dz = float(example.dz[0])
    return {
        "x1": Node(x=150, y=50, sign="x₁", value=x1),
        "w1": Node(x=150, y=130, sign="w₁", value=w1, slope=dz * x1),
        "x2": Node(x=150, y=210, sign="x₂", value=x2),
        "w2": Node(x=150, y=290, sign="w₂", value=w2, slope=dz * x2),
        "b": Node(x=150, y=370, sign="b", value=example.b, slope=dz),
        "z": Node(x=400, y=210, sign="z", value=float(example.z[0]), slope=dz),
        "a": Node(x=600, y=210, sign="a", value=float(example.a[0]), slope=float(example.dloss_da[0])),
        "y": Node(x=600, y=340, sign="y", value=float(example.y[0])),
        "loss": Node(x=790, y=210, sign="ℓ", value=float(example.loss[0]), slope=1.0),
    }


EDGES = (
    Edge(start="x1", end="z"),
    Edge(start="w1", end="z", factor="x₁"),
    Edge(start="x2", end="z"),
    Edge(start="w2", end="z", factor="x₂"),
    Edge(start="b", end="z", factor="1"),
    Edge(start="z", end="a", factor="a(1 − a)"),
    Edge(start="a", end="loss", factor="∂ℓ/∂a"),
    Edge(start="y", end="loss"),
)
RADIUS = 25
LEFT = 150  # the column of what is given and what is learned


def drawing(example: WorkedExample, description: str) -> Markup:
    """The graph as SVG. Colours and letters come from the page's style sheet."""
    placed = nodes(example)
    parts = [*(_edge(edge, placed) for edge in EDGES), *(part for node in placed.values() for part in _node(node))]
    return Markup('<svg class="graph" viewBox="0 0 850 420" role="img" aria-label="{}">{}</svg>').format(
        description, Markup("").join(parts)
    )


def _edge(edge: Edge, placed: dict[str, Node]) -> Markup:
    start, end = placed[edge.start], placed[edge.end]
    kind = "back" if edge.factor else "given"
    line = Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, start.x, start.y, end.x, end.y)
    if edge.factor is None:
        return line
    share = 0.45 if start.x == LEFT else 0.5
    left, top = start.x + share * (end.x - start.x), start.y + share * (end.y - start.y)
    return line + Markup('<text class="factor" x="{:.0f}" y="{:.0f}">× {}</text>').format(left, top - 8, edge.factor)


def _node(node: Node) -> Iterator[Markup]:
    yield Markup('<circle cx="{}" cy="{}" r="{}"/>').format(node.x, node.y, RADIUS)
    yield Markup('<text class="sign" x="{}" y="{}">{}</text>').format(node.x, node.y + 6, node.sign)
    left = node.x - RADIUS - 8 if node.x == LEFT else node.x
    kind = "aside" if node.x == LEFT else "over"
    above, below = (-3, 17) if node.x == LEFT else (-RADIUS - 8, RADIUS + 20)
    yield Markup('<text class="forward {}" x="{}" y="{}">{}</text>').format(
        kind, left, node.y + above, places(node.value, 4 if node.x > LEFT else 2)
    )
    if node.slope is not None:
        yield Markup('<text class="backward {}" x="{}" y="{}">{}</text>').format(
            kind, left, node.y + below, places(node.slope, 4)
        )
