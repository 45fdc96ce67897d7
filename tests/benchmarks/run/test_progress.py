"""The progress of long work: on a narrow screen the description gives way; where there is none, a line now and then."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from stepbench.run import progress
from stepbench.run.progress import TerminalProgress

LONG = "numba-fused-parallel: bind and check step-breast-cancer-569x30-float64-adam-16t-warm [bold]"


@pytest.mark.parametrize("width", [60, 80])
def test_bar_count_and_time_left_keep_their_room(width):
    screen = Console(force_terminal=True, width=width, file=io.StringIO(), color_system="truecolor")
    bar = TerminalProgress("Timing", 120, screen)
    bar.describe(LONG)
    bar.advance()
    screen.print(bar.bar.get_renderable())
    (line,) = Text.from_ansi(screen.file.getvalue()).plain.splitlines()
    assert len(line) <= width
    assert "━" * 20 in line.replace("╸", "━").replace("╺", "━")
    assert "  1/120 " in line
    assert "--:--" in line or "0:" in line
    assert line.rstrip().endswith("…")


def test_without_a_terminal_work_that_takes_long_says_what_it_is_at(monkeypatch):
    monkeypatch.setattr(progress, "LINE_EVERY_SECONDS", 0.0)
    console = Console(file=io.StringIO(), width=80)
    with TerminalProgress("Timing", 3, console) as bar:
        bar.describe(LONG)
        bar.advance()
    first, second = console.file.getvalue().splitlines()
    assert first == f"Timing: 0 of 3; {LONG}"
    assert second.startswith("Timing: 1 of 3, about ")
