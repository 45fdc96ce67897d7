"""The journal: every event on disk, a torn end forgiven, one that is no run's refused with a sentence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepbench.run.journal import Journal
from stepreports.records.files import RecordError
from stepreports.records.journal import NAME, SCHEMA, read_events

HEADER = {"event": "run", "schema": SCHEMA}
ABOUT = {"case": "a", "participant": "numpy-blas", "generation": 0}


def write_lines(folder, events):
    (folder / NAME).write_text("".join(json.dumps(event) + "\n" for event in events))


def test_what_is_written_is_read_back(tmp_path):
    with Journal(tmp_path) as journal:
        journal.write("run", schema=SCHEMA)
        journal.write("turn", seconds=[1e-6, 0.25], **ABOUT)
    header, turn = read_events(tmp_path)
    assert 0 <= header["elapsed_seconds"] <= turn.pop("elapsed_seconds")
    written = {"event": "turn", "seconds": [1e-6, 0.25], **ABOUT}
    assert {name: turn[name] for name in written} == written


@given(cut=st.integers(min_value=1, max_value=40))
def test_a_torn_last_line_loses_itself_alone(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("journal")
    write_lines(folder, [HEADER, {"event": "turn", **ABOUT}, {"event": "turn", **ABOUT, "seconds": [0.5]}])
    content = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(content[:-cut])
    with Journal(folder) as journal:
        journal.write("resumed")
    events = read_events(folder)
    assert [event["event"] for event in events] == ["run", "turn", "resumed"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "is not a run folder"),
        ("", "does not start with a run"),
        ('{"event": "turn"}\n', "does not start with a run"),
        ('{"event": "run", "schema": 99}\n', "has schema 99"),
    ],
)
def test_a_damaged_journal_is_refused_with_a_sentence(tmp_path, content, sentence):
    if content is not None:
        (tmp_path / NAME).write_text(content)
    with pytest.raises(RecordError, match=sentence):
        read_events(tmp_path)
