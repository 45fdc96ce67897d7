"""The benchmarks, as pytest-benchmark runs them: alone (`pytest benchmarks/stepbench/suite`) or in turns."""
