"""Whatever becomes of the files of a run: a report, or one sentence, and never anything else.

STEPBENCH_DAMAGED=1000 makes a thousand of each kind of damage instead of a few.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stepreports
from damage import damaged_file, damaged_lines
from stepreports.records.journal import read_journal
from synthetic_runs import FAILURES, MACHINE, READ_LIMIT, ROWS, SCHEMA, SELF_TEST, entry, write_run

EXAMPLES = int(os.environ.get("STEPBENCH_DAMAGED", "20"))
unhurried = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
)

LOOP, NUMPY, GPU = ROWS[0], ROWS[1], ROWS[8]
ENTRIES = [
    *(entry(row, 1000, 20) for row in (LOOP, NUMPY, GPU, READ_LIMIT)),
    entry(NUMPY, 1000, 20, replica=1),
    *(entry(NUMPY, 2000, 20, op=op) for op in ("step", "forward", "backward", "update")),
]
BENCHMARK = {
    "machine_info": MACHINE,
    "commit_info": {"id": "0123456789abcdef", "dirty": False},
    "datetime": "2025-03-01T12:00:00+00:00",
    "benchmarks": ENTRIES,
}
FAILED = {"schema": SCHEMA, "run_id": "damaged", "failures": list(FAILURES)}
TESTED = {"machine": MACHINE, "self_test": SELF_TEST}


def attempt(generation, case, rows=("a", "b"), turns=2):
    of_case = {"case": case, "generation": generation}
    bound = {"iterations": 10, "bind_seconds": 0.1, "first_call_seconds": 0.1, "copy_to_device_seconds": None,
             "pools": {"blas": 2}, "agreement": {"J": 0.1}}  # fmt: skip
    return [
        *({"event": "bound", "participant": row, **of_case, **bound} for row in rows),
        *(
            {"event": "round", "participant": row, **of_case, "turn": turn, "order": 0, "seconds": 1e-3}
            for turn in range(turns)
            for row in rows
        ),
        *({"event": "judged", "participant": row, **of_case, "agreement": {"J": 0.1}} for row in rows),
        {"event": "closed", **of_case},
    ]


def journal(*attempts):
    events = [{"event": "run", "schema": SCHEMA}, *(event for events in attempts for event in events)]
    return [{**event, "elapsed_seconds": 1.0 + place} for place, event in enumerate(events)]


EVENTS = journal(attempt(0, "c"), attempt(0, "d"), [{"event": "resumed"}], attempt(1, "c"), [{"event": "finished"}])

FILES = st.one_of(
    damaged_file(BENCHMARK).map(lambda content: ("benchmark.json", content)),
    damaged_file(FAILED).map(lambda content: ("failures.json", content)),
    damaged_file(TESTED).map(lambda content: ("self-test.json", content)),
    damaged_lines(EVENTS).map(lambda content: ("journal.jsonl", content)),
)


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("whole"), ENTRIES[:4], run_id="whole")


def sentence_of(read):
    """What a reading ended in: its one sentence, or nothing."""
    try:
        read()
    except stepreports.RecordError as error:
        return str(error)
    return None


def everything_of(folder, whole, out):
    """All that is ever made of a run."""
    stepreports.write_report(folder)
    stepreports.answer_lines(folder)
    stepreports.run_as_json(folder)
    stepreports.run_in_markdown(folder)
    stepreports.overhead_sentence(folder)
    stepreports.gate(whole, folder, 10.0)
    stepreports.compare_report([whole, folder], out)


@unhurried
@given(damage=st.lists(FILES, min_size=1, max_size=2))
def test_damaged_files_make_a_report_or_a_sentence(whole, damage):
    with tempfile.TemporaryDirectory() as name:
        folder = write_run(Path(name) / "run", ENTRIES, run_id="damaged")
        for file, content in damage:
            (folder / file).write_bytes(content)
        said = sentence_of(lambda: everything_of(folder, whole, Path(name) / "out"))
        assert said is None or (said.endswith(".") and said.isprintable())
        assert {path.name for path in Path(name).iterdir()} <= {"run", "out"}


@settings(unhurried, max_examples=10 * EXAMPLES)
@given(content=damaged_lines(EVENTS))
def test_what_is_believed_of_a_damaged_journal_holds_together(content):
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "journal.jsonl").write_bytes(content)
        found = []
        said = sentence_of(lambda: found.append(read_journal(Path(name))))
    if said is not None:
        assert said.endswith(".")
        return
    bound = set()
    for event in found[0].events:
        whose = tuple(event.get(name) for name in ("participant", "generation", "case"))
        if event["event"] == "bound":
            bound.add(whose)
        if event["event"] == "round":
            assert whose in bound
            assert 0 < event["seconds"] < 1e10
    assert all(loss.isprintable() for loss in found[0].losses)
