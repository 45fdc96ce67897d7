"""What a check says: a row that did not run, or only in a simulator, is never told as one that agrees."""

import json

import pytest

from checks import verdict_of
from stepbench.checking import Verdict
from stepbench.checking.verdicts import CheckReport, RowReport
from stepkernels import Implementation


def test_a_row_that_cannot_run_is_seen_everywhere():
    row = Implementation(name="absent", module="nothing", library="no_such_library")
    found, report = verdict_of(row)
    assert found.verdict is Verdict.NOT_RUN
    assert "pip install no_such_library" in str(found)
    assert "| absent | unavailable |" in "\n".join(report.markdown_lines())
    assert json.loads(report.to_json())["rows"][0]["verdict"] == "unavailable"
    assert report.exit_code == 0
    assert verdict_of(row, require=frozenset({"absent"}))[1].exit_code == 1


def test_simulated_and_compiled_are_not_agreement():
    rows = tuple(RowReport(row=str(verdict), verdict=verdict) for verdict in Verdict)
    report = CheckReport(rows=rows, required=frozenset({"simulated", "agrees"}), seed=3)
    assert [row.row for row in report.failures] == ["disagrees", "error", "simulated"]
    lines = report.markdown_lines()
    assert "| simulated (required) | **simulated** |  |" in lines
    assert lines[-1] == "Seed 3."


def test_errors_without_a_measure_are_null_in_json(tmp_path):
    path = tmp_path / "raises.py"
    path.write_text("def bind(problem, config): raise RuntimeError('no')\n")
    _, report = verdict_of(Implementation(name="raises", module=str(path)))
    content = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert content["rows"][0]["disagreements"][0]["error"] is None
    assert content["seed"] == 1
    assert "raises.py, line 1, in bind" in content["rows"][0]["reason"]
