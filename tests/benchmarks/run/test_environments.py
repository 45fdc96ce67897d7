"""Environments of versions: called after what is in them, made once, and whole however often their making is killed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runs import environment
from stepbench.machine.children import Home
from stepbench.run.commits.environments import LOCK, Asked, asked_by, home_of
from stepbench.run.commits.kept_trees import HALF_MADE
from stepkernels.problem import ProblemError

KILLS = int(os.environ.get("STEPBENCH_TEST_KILLS", "8"))
# In the place of uv: makes an environment whose Python is this one, and "installs" in twenty steps that take a while.
UV = """#!/bin/sh
case "$1" in
    venv) for each; do folder=$each; done; mkdir -p "$folder/bin"; ln -s "{python}" "$folder/bin/python" ;;
    pip) [ -z "$FAILS" ] || {{ echo "no matching distribution" >&2; exit 1; }}
         for each; do case "$each" in */{lock}) folder=$(dirname "$each") ;; esac; done
         for step in 1 2 3 4 5 6 7 8 9; do echo $step >> "$folder/installed"; sleep 0.02; done ;;
esac
"""
ASKED = Asked(["numpy>=2"], "numpy==2.4\n")
CALL = """
import sys
from pathlib import Path
from stepbench.run.commits.environments import Asked, home_of
home_of(Path("kernels"), Asked(["numpy>=2"], "numpy==2.4\\n"), lambda: print("making", flush=True))
"""


@pytest.fixture
def uv(tmp_path, monkeypatch):
    """A cache of its own, and the program in place of uv."""
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(UV.format(python=sys.executable, lock=LOCK))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "stepbench" / "versions"


def test_it_is_made_once_and_called_after_what_is_in_it(uv):
    made = []
    first, again, other = (
        home_of(Path("kernels"), asked, lambda: made.append(1))
        for asked in (ASKED, ASKED, Asked(ASKED.requirements, "numpy==2.3\n"))
    )
    assert first.python == again.python != other.python
    assert len(made) == 2
    assert (first.python.parents[1] / LOCK).read_text() == ASKED.lock


def test_its_processes_find_the_version_then_our_packages_and_nothing_beside_them(uv):
    home = home_of(Path("kernels"), ASKED, lambda: None)
    assert home.variables["PYTHONPATH"].split(os.pathsep) == ["kernels", str(home.harness)]
    assert {path.name for path in home.harness.iterdir()} == {"stepbench", "stepreports"}
    assert sys.prefix not in home.variables["PYTHONPATH"]
    assert str(Path("kernels")) == Home(Path("kernels")).variables["PYTHONPATH"].split(os.pathsep)[0]


def test_what_cannot_be_installed_is_a_sentence_and_leaves_nothing(uv, monkeypatch):
    monkeypatch.setenv("FAILS", "1")
    with pytest.raises(ProblemError, match=r"cannot be installed \(no matching distribution\)"):
        home_of(Path("kernels"), ASKED, lambda: None)
    assert [path.name for path in uv.iterdir() if path.name.startswith((HALF_MADE, "environment"))] == []


def test_killed_at_any_moment_the_next_call_has_a_whole_one(uv):
    random.seed(1)
    for _ in range(KILLS):
        variables = {name: os.environ[name] for name in ("PATH", "XDG_CACHE_HOME")}
        process = subprocess.Popen([sys.executable, "-c", CALL], env=environment(**variables), stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(random.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        home = home_of(Path("kernels"), ASKED, lambda: None)
        assert len((home.python.parents[1] / "installed").read_text().split()) == 9
        assert [path.name for path in uv.iterdir() if path.name.startswith(HALF_MADE)] == []
        home.python.parents[1].rename(uv.parent / f"seen-{process.pid}")


def test_what_is_asked_for_is_what_the_rows_and_our_worker_import(tmp_path):
    own = {
        "": frozenset({"numpy>=2.0,<3", "Numba>=0.61", "torch>=2.5", "pandas>=2"}),
        "jax": frozenset({"jax>=0.8,<1"}),
    }
    asked = asked_by(tmp_path, own, ["numba", "c++", "python"])
    assert {"numpy>=2.0,<3", "Numba>=0.61"} <= set(asked.requirements)
    assert not [each for each in asked.requirements if each.startswith(("torch", "pandas", "jax"))]
    assert [each for each in asked.requirements if each.startswith("pytest-benchmark==")], "as it is installed here"
    assert asked.lock == ""
    (tmp_path / LOCK).write_text("numpy==2.1\n")
    other = asked_by(tmp_path, own, ["jax", "numba"])
    assert "jax>=0.8,<1" in other.requirements
    assert other.lock == "numpy==2.1\n"
    assert other.name != asked.name
