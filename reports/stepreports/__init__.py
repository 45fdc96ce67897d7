"""The report of a run, from its records alone: a page, a summary, a table and figures.

Knows neither the kernels nor the harness, so it renders on any machine that the folder was copied to. What is public is
loaded when it is asked for: most processes of the harness want a name of `stepreports.records`, and no statistics.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepreports.comparison.comparison_report import compare_report
    from stepreports.comparison.gate import GateResult, gate
    from stepreports.comparison.gate_told import gate_as_json, gate_in_markdown, gate_lines
    from stepreports.records.files import RecordError
    from stepreports.render import write_report
    from stepreports.telling.of_a_folder import answer_lines, overhead_sentence, ranking, run_as_json, run_in_markdown

__all__ = [
    "GateResult",
    "RecordError",
    "answer_lines",
    "compare_report",
    "gate",
    "gate_as_json",
    "gate_in_markdown",
    "gate_lines",
    "overhead_sentence",
    "ranking",
    "run_as_json",
    "run_in_markdown",
    "write_report",
]

_MODULES = {
    "comparison.comparison_report": ("compare_report",),
    "comparison.gate": ("GateResult", "gate"),
    "comparison.gate_told": ("gate_as_json", "gate_in_markdown", "gate_lines"),
    "records.files": ("RecordError",),
    "render": ("write_report",),
    "telling.of_a_folder": ("answer_lines", "overhead_sentence", "ranking", "run_as_json", "run_in_markdown"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
