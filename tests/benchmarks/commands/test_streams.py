"""Standard output that knows few signs, is closed or full: everything is said, nothing is lost, the status is true."""

import contextlib
import fcntl
import functools
import io
import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import environment, stepbench
from stepbench.cli import COMMANDS
from stepbench.commands.endings import Status
from stepbench.commands.streams import SIGNS, SPELLED, stand_in_for_streams
from stepkernels.catalog import CATALOG
from stepkernels.sources import source_files

FULL = Path("/dev/full")
ASCII = {"PYTHONIOENCODING": "ascii"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LATIN_1 = {"PYTHONIOENCODING": "latin-1"}


def shell(line, **variables):
    """The command line in a shell, its streams as the shell makes them; bytes, since they may be in any encoding."""
    line = line.replace("stepbench", f"{sys.executable} -m stepbench")
    variables = environment(**variables)
    return subprocess.run(["bash", "-c", line], env=variables, capture_output=True, timeout=300, check=False)


@given(st.text(), st.sampled_from(["ascii", "latin-1", "cp1252", "utf-8"]))
def test_any_text_can_be_written_in_any_encoding(text, encoding):
    stand_in = io.TextIOWrapper(io.BytesIO(), encoding, SPELLED)
    stand_in.write(text)
    stand_in.flush()
    written = stand_in.buffer.getvalue().decode(encoding)
    known = "".join(sign for sign in text if sign.encode(encoding, "replace") != b"?" and sign not in SIGNS)
    remaining = iter(written)
    assert all(sign in remaining for sign in known), "what the stream knows is written as it is, and in order"


@given(st.binary())
def test_a_files_name_can_be_shown_also_where_it_is_no_text(name):
    shown = os.fsdecode(name).encode("utf-8", SPELLED)
    try:
        assert shown.decode("utf-8") == name.decode("utf-8")
    except UnicodeDecodeError:
        assert b"\\x" in shown


@pytest.fixture(scope="module", autouse=True)
def handler():
    """The error handler is registered with the streams; those of the tests are put back."""
    kept = sys.stdout, sys.stderr
    stand_in_for_streams()
    sys.stdout, sys.stderr = kept


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        *((f"{name} --help", ASCII) for name in ("", *COMMANDS)),
        *(("run -µ", variables) for variables in (C_LOCALE, LATIN_1)),
    ],
    ids=str,
)
def test_every_sign_is_spelled_out(command, variables):
    finished = shell(f"stepbench {command}", **variables)
    assert finished.returncode == (2 if command == "run -µ" else 0), finished.stderr
    assert b"Traceback" not in finished.stderr
    shown = finished.stdout + finished.stderr
    assert shown.decode("latin-1" if variables is LATIN_1 else "ascii").strip()


@pytest.mark.parametrize("variables", [C_LOCALE, LATIN_1], ids=str)
def test_source_is_data_and_comes_as_it_is_written(variables):
    """Python is in UTF-8 whatever the terminal knows; a sign spelled out would be another program."""
    finished = shell("stepbench show numpy-blas", **variables)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.decode("utf-8") == source_files(CATALOG["numpy-blas"])[0].read_text("utf-8")


def test_a_micro_sign_is_a_u_and_a_product_an_x():
    assert "2.0 µs at 37 × 5 …".encode("ascii", SPELLED) == b"2.0 us at 37 x 5 ..."
    assert "中 é".encode("ascii", SPELLED) == b"\\u4e2d \\xe9"


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", ["show numpy-blas", "--help", "run --dry-run --rows numpy-blas"])
def test_a_full_disk_behind_standard_output_is_a_sentence_and_a_status_of_its_own(command):
    finished = shell(f"stepbench {command} > /dev/full")
    assert finished.returncode == Status.NOT_WRITTEN
    assert finished.stderr.decode().startswith("Standard output is not whole: No space left on device.")


def test_a_closed_standard_output_is_a_sentence():
    finished = shell("stepbench show numpy-blas >&-")
    assert finished.returncode == Status.NOT_WRITTEN
    assert b"it is closed" in finished.stderr


@pytest.mark.parametrize("streams", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_without_a_place_for_errors_the_status_still_tells(streams):
    assert shell(f"stepbench show nothing {streams}").returncode == 2


@pytest.mark.parametrize("command", ["show numba-fused", "check --help", "run --dry-run --rows numpy-blas"])
def test_a_reader_that_has_enough_is_no_failure(command):
    finished = shell(f"set -o pipefail; stepbench {command} | true")
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == b""


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
def test_a_stream_that_fails_does_not_end_the_work(tmp_path):
    report = tmp_path / "report.json"
    finished = shell(f"stepbench check python-loop --json {report} > /dev/full")
    assert finished.returncode == Status.NOT_WRITTEN
    assert [row["verdict"] for row in json.loads(report.read_text("utf-8"))["rows"]] == ["agrees"]


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="a pipe's size cannot be set here")
def test_a_slow_reader_of_a_stream_that_does_not_wait_gets_everything():
    """A terminal may be left in this mode by another program; writing to it then fails where it should wait."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    with subprocess.Popen(
        [sys.executable, "-m", "stepbench", "show", "numba-fused"], env=environment(), stdout=writing
    ) as process:
        os.close(writing)
        time.sleep(3.0)  # it has begun to write, most likely, and nobody reads; too soon, and the test shows nothing
        with os.fdopen(reading, encoding="utf-8") as stream:
            shown = stream.read()
    assert process.returncode == 0
    assert shown == stepbench("show", "numba-fused").stdout


def test_a_class_is_written_to_a_pipe_as_it_is_called_whatever_the_terminal_knows(tmp_path):
    """Spelled out, µ would be u: another class."""
    rows = [f"{x},{'µ' if x < 20 else 'u'}" for x in range(40)]
    (tmp_path / "data.csv").write_text("\n".join(["x,class", *rows]) + "\n", encoding="utf-8")
    folder = f"cd {tmp_path}; "
    assert shell(folder + "stepbench train data.csv --row numpy-blas --out model.npz", **ASCII).returncode == 0
    finished = shell(folder + "stepbench predict model.npz data.csv", **ASCII)
    assert finished.returncode == 0, finished.stderr
    found = {line.split(",")[0] for line in finished.stdout.decode("utf-8").splitlines()[1:]}
    assert found == {"µ", "u"}
    finished.stderr.decode("ascii")


@functools.cache
def on_a_wide_screen(command):
    return shell(f"stepbench {command}", COLUMNS="200")


@pytest.mark.parametrize("columns", ["0", "20"])
@pytest.mark.parametrize("command", ["check --help", "run --dry-run --rows numpy-blas", "show nothing"])
def test_no_width_cuts_anything_off(columns, command):
    narrow = shell(f"stepbench {command}", COLUMNS=columns, TERMINAL_WIDTH="odd")
    wide = on_a_wide_screen(command)
    assert narrow.returncode == wide.returncode
    for one, other in ((narrow.stdout, wide.stdout), (narrow.stderr, wide.stderr)):
        assert sorted(re.findall(rb"\w", one)) == sorted(re.findall(rb"\w", other))


def on_a_terminal(command, **variables):
    """The exit status, and what a terminal is sent."""
    decisive = {"NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "TERM"}
    others = {name: value for name, value in environment().items() if name not in decisive}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "stepbench", *command.split()],
        env={**others, "TERM": "xterm", **variables}, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # of a terminal whose other end is closed
        while part := os.read(ours, 4096):
            shown += part
    return process.wait(), shown


@pytest.mark.parametrize("columns", [50, 60, 80])
@pytest.mark.parametrize("command", ["run --help", "--help", "run --dry-run --rows numpy-blas", "run --seed odd"])
def test_a_screen_gets_no_line_wider_than_it_is_and_no_word_less(columns, command):
    """Nothing that it would have to fold: not a box, not a table, not a sentence in the middle of a word."""
    _, shown = on_a_terminal(command, COLUMNS=str(columns))  # a dumb one has 80, whatever it says
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).splitlines()
    fit = [line for line in lines if not re.fullmatch(r"\S+", line)]  # a name is never broken
    assert max(map(len, fit)) <= columns
    assert not re.search(r"\w…", "".join(lines))  # how Rich marks what it cut off


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color"}], ids=str)
def test_a_terminal_gets_colours_if_it_can_show_them_and_they_are_wanted(variables):
    status, shown = on_a_terminal("show python-loop", **variables)
    assert status == 0
    assert b"python-loop" in shown
    coloured = re.search(rb"\x1b\[(\d+;)*3\d(;\d+)*m", shown) is not None
    assert coloured == (variables == {"TERM": "xterm-256color"})
