"""What a run stores, as types: the one schema that everything read of a run is held to.

What single values may be is in `bounded`, the machine in `machine_schema`.

A field without a default must be there; one with a default may be missing, and adding such a field is one line. Fields
that are not named are allowed. Numbers have bounds far beyond anything measured, so that whatever is computed of them
is finite; what is no JSON (NaN, infinity) never comes so far.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stepreports.records.beside_times import Distance, Energy, Memory
from stepreports.records.bounded import (
    Amount,
    Busy,
    Count,
    Duration,
    InBounds,
    Name,
    Ordinal,
    Plan,
    Seconds,
    Share,
    Told,
    Word,
)
from stepreports.records.machine_schema import Machine

SCHEMA = 1  # of all files of a run


# --- journal.jsonl: a line an event -----------------------------------------------------------------------------------


class Event(Struct):
    """Any line. `elapsed_seconds` is the clock of one sitting."""

    event: str
    elapsed_seconds: Duration | None = None


class Header(Event, kw_only=True):
    """`run`, the first line."""

    schema: Annotated[int, Meta(ge=SCHEMA, le=SCHEMA)]
    run_id: Name | None = None
    datetime: str | None = None
    machine: Machine | None = None
    commit: Told | None = None
    plan: Told | None = None


class Started(Event, kw_only=True):
    """A process of a generation has loaded its row."""

    participant: str
    generation: Ordinal
    import_seconds: Duration | None = None
    library_version: Name | None = None


class OfCase(Event, kw_only=True):
    """Whatever a participant did on a case in a generation, of a kind that is named here or not."""

    participant: str
    case: str
    generation: Ordinal
    agreement: dict[str, InBounds] | None = None
    device_state: Told | None = None


class Bound(OfCase, kw_only=True):
    """The row bound the case and agreed."""

    iterations: Count | None = None
    bind_seconds: Duration | None = None
    first_call_seconds: Duration | None = None
    copy_to_device_seconds: Duration | None = None
    pools: dict[str, Ordinal] | None = None
    plan: Plan | None = None


class Round(OfCase, kw_only=True):
    """A turn: the seconds of one call of the operation, of `calls`, or as many as were bound."""

    turn: Ordinal
    seconds: Seconds
    order: Ordinal | None = None
    calls: Count | None = None
    device_seconds: Seconds | None = None
    told_seconds: Duration | None = None
    seen_seconds: Duration | None = None


class Judged(OfCase, kw_only=True):
    """The row agreed again, after its rounds."""

    peak_memory_bytes: Amount | None = None


class Failed(OfCase, kw_only=True):
    """The participant left the case, or was never in it."""

    kind: Name
    reason: str
    skipped: bool


class Narrowed(Event, kw_only=True):
    """How far an X in a narrower storage is from the unrounded one, of the case `at`."""

    at: str
    storage: Word
    distance: Distance


class Closed(Event, kw_only=True):
    """The generation is done with the case."""

    case: str
    generation: Ordinal


class Decided(Event, kw_only=True):
    """After a generation: the cases that go on, and those that were found narrow enough."""

    generation: Ordinal
    go_on: list[str]
    narrow: list[str]
    seconds: Duration


EVENTS: dict[str, type[Event]] = {
    "run": Header,
    "started": Started,
    "bound": Bound,
    "round": Round,
    "judged": Judged,
    "failure": Failed,
    "narrowed": Narrowed,
    "closed": Closed,
    "decided": Decided,
}


# --- benchmark.json: pytest-benchmark's format ------------------------------------------------------------------------


class Info(Struct):
    """The extra_info of a benchmark: everything that is ours."""

    schema: int
    run_id: Name
    role: Name
    row: Name
    replica: Ordinal
    library: Name
    library_version: Name
    technique: Name
    device: Literal["cpu", "cuda"]
    op: Word
    steps: Count
    dtype: Literal["float32", "float64"]
    optimizer: Word
    m: Count
    n: Count
    dataset: Name
    threads: Count
    cache: Word
    train_as_steps: bool
    generation: list[Ordinal]
    turn: list[Ordinal]
    passes_over_x: Annotated[int, Meta(ge=1, le=2**20)]
    bytes: Amount
    flops: Amount
    implausible: bool
    agreement: dict[str, InBounds | None] | None
    pools: dict[str, Ordinal] | None
    summary: str = ""
    own_kernel: bool = False
    plan: list[Plan | None] | None = None
    import_seconds: list[Duration | None] | None = None
    bind_seconds: list[Duration | None] | None = None
    first_call_seconds: list[Duration | None] | None = None
    copy_to_device_seconds: list[Duration | None] | None = None
    device_seconds: list[float] | None = None
    device_state: Told | None = None
    processors_used: Busy | None = None
    peak_memory_bytes: Amount | None = None
    memory: Memory | None = None
    energy: Energy | None = None
    snapshot_seconds: float | None = None
    storage: Word | None = None
    distance: Distance | None = None


class Stats(Struct):
    """The seconds of each round."""

    data: list[float]


class Entry(Struct):
    """One benchmark."""

    extra_info: Info
    stats: Stats
    fullname: str = "a record without a name"


class BenchmarkFile(Struct):
    """benchmark.json. The machine is told as it is, and held to `Machine` where it is computed with."""

    benchmarks: list[Entry]
    machine_info: Told | None = None
    commit_info: Told | None = None
    datetime: str = ""


# --- failures.json and self-test.json ---------------------------------------------------------------------------------


class FailureEntry(Struct):
    """A row, or a row at a case, that gave no number."""

    row: Name
    kind: Name
    skipped: bool
    reason: str
    case: str | None = None
    op: str | None = None
    dtype: str | None = None
    dataset: str | None = None
    m: Count | None = None
    n: Count | None = None
    generation: Ordinal | None = None


class FailuresFile(Struct):
    """failures.json."""

    schema: int
    failures: list[FailureEntry]
    run_id: Name | None = None


class SelfTestAt(Struct):
    """The figures of the cases that find X in one place."""

    place: Name
    margin: Share
    same: Ordinal
    false_alarms: Ordinal
    slowed: Ordinal
    able: Ordinal
    seen: Ordinal


class JudgedAsVersions(Struct):
    """The same pairs as a comparison of versions judges them."""

    same: Ordinal
    false_alarms: Ordinal
    slower: Share
    slowed: Ordinal
    able: Ordinal
    seen: Ordinal


class SelfTest(Struct):
    """The figures of the harness's own test; `bias` by the seconds of a step, which are its keys.

    margin  the largest of those of the places
    layout  what processes of one row differ by, by what was drawn of their memory's layout
    """

    bias: dict[Annotated[str, Meta(pattern=r"\A[0-9]{1,9}(\.[0-9]{1,12})?(e-?[0-9]{1,2})?\Z")], Share]
    empty_seconds: Duration
    slower: Share
    margin: Share
    same: Ordinal
    false_alarms: Ordinal
    slowed: Ordinal
    able: Ordinal
    seen: Ordinal
    passed: bool
    places: list[SelfTestAt] | None = None
    layout: dict[str, Share] | None = None
    versions: JudgedAsVersions | None = None


class SelfTestFile(Struct):
    """self-test.json."""

    machine: Told | None = None
    self_test: Told | None = None
