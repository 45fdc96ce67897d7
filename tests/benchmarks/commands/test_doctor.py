"""doctor: the line to paste into a report of a fault."""

from stepbench.commands.doctor import paste_line
from stepbench.machine.description import describe_machine


def test_the_pasted_line_is_one_line():
    limits = {"threads": 2, "read_gb_per_s": [(1, 50.0), (2, 30.0)], "fma_gflops": {"float32": 200.0, "float64": 100.0}}
    line = paste_line(describe_machine(), limits)
    assert "\n" not in line
    assert "read 30 GB/s" in line
