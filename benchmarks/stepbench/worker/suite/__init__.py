"""The benchmarks, as pytest-benchmark runs them: alone (`pytest FOLDER`) or in turns, started by a row's process."""

from pathlib import Path

FOLDER = Path(__file__).parent
