"""doctor: the line to paste into a report of a fault."""

from stepbench.commands import doctor
from stepbench.machine.description import describe_machine

LIMITS = {
    "threads": 2, "read_gb_per_s": [(2**15, 50.0), (2**30, 30.0)], "fma_gflops": {"float32": 200.0, "float64": 100.0},
}  # fmt: skip


def test_the_pasted_line_is_one_line():
    line = doctor.paste_line(describe_machine(), LIMITS)
    assert "\n" not in line
    assert "read 30 GB/s" in line


def test_without_a_screen_each_fact_is_a_line_however_long(capsys):
    """Whoever searches for a fact finds it whole."""
    limits = LIMITS | {
        "read_gb_per_s_one_thread": [(2**15, 40.0), (2**30, 20.0)], "triad_gb_per_s": 20.0, "empty_call_seconds": 1e-7,
        "pool_wake_seconds": 1e-5, "clock_resolution_seconds": 1e-8,
    }  # fmt: skip
    machine = describe_machine()
    doctor.tell(machine, limits)
    lines = capsys.readouterr().out.splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert lines[: len(doctor.machine_lines(machine))] == doctor.machine_lines(machine)
    assert lines[-1] == doctor.paste_line(machine, limits)
    assert len(lines[-1]) > 80
