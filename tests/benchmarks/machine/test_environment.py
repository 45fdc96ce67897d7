"""The user's environment: what could change a result is dropped, recorded or refused, by a table in the README."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runs import ROOT, environment, stepbench
from stepbench.machine.children import CACHES, environment_of_child, somewhere_to_cache
from stepbench.machine.environment import (
    RULES,
    Fate,
    inherited,
    of_baseline,
    recorded,
    refuse_variables,
    rule_of,
    set_by_harness,
    table_lines,
)
from stepbench.machine.simulators import SIMULATORS
from stepbench.machine.threads import POOL_VARIABLES
from stepkernels.problem import ProblemError

HOSTILE = {
    "PYTEST_ADDOPTS": "--collect-only",
    "PYTEST_XDIST_WORKER": "gw0",
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "PYTHONMALLOC": "debug",
    "PYTHONSTARTUP": "/nowhere.py",
    "PYTHONTRACEMALLOC": "20",
    "PYTHONDEVMODE": "1",
    "PYTHONINSPECT": "1",
    "PYTHONHASHSEED": "1",
    "COVERAGE_PROCESS_START": "/nowhere.cfg",
}
LOCAL = (
    "random",
    "secrets",
    "stepbench",
    "numba",
    "numpy",
    "json",
    "pytest",
    "stepkernels",
    "conftest",
    "sitecustomize",
)


def test_what_could_change_a_result_is_not_handed_on(monkeypatch):
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    found = environment_of_child()
    assert [name for name in HOSTILE if name in found] == []


def test_what_is_set_is_ours_whatever_the_user_has(monkeypatch):
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    found = environment_of_child()
    assert found["PYTEST_PLUGINS"] == "pytest_benchmark.plugin"
    assert found["PYTHONSAFEPATH"] == "1"
    assert "/nowhere" not in found["PYTHONPATH"].split(os.pathsep), "only if this process looks there"


@pytest.mark.parametrize("name", ["PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONHOME", "SOMETHING_ELSE"])
def test_what_nothing_computes_from_is_handed_on(name):
    assert inherited({name: "x"}) == {name: "x"}


def test_every_variable_that_we_set_has_a_rule_that_says_so():
    for name in (*POOL_VARIABLES, *CACHES, "PYTHONPATH", "PYTHONSAFEPATH", "PYTEST_PLUGINS", "JAX_PLATFORMS"):
        assert rule_of(name).fate is Fate.SET, name


def test_threads_and_blas_are_in_the_record_and_places_are_not():
    asked = {
        "OPENBLAS_CORETYPE": "Haswell",
        "OMP_PROC_BIND": "true",
        "LD_PRELOAD": "/home/me/lib.so",
        "HOME": "/home/me",
    }
    assert recorded(asked) == {"LD_PRELOAD": "set", "OMP_PROC_BIND": "true", "OPENBLAS_CORETYPE": "Haswell"}
    assert inherited(asked) == asked


@pytest.mark.parametrize(
    "name",
    ["OPENBLAS_CORETYPE", "OPENBLAS_VERBOSE", "MKL_CBWR", "OMP_PROC_BIND", "KMP_BLOCKTIME", "GOMP_CPU_AFFINITY",
     "BLIS_ARCH_TYPE", "NUMBA_OPT", "MALLOC_PERTURB_", "LD_PRELOAD"],
)  # fmt: skip
def test_what_may_change_the_baseline_is_in_the_record_and_tried(name):
    assert of_baseline({name: "1", "HOME": "/home/me"}) == [name]
    assert recorded({name: "1"}) == {name: "1"}


def test_what_the_harness_sets_stands_in_the_record_and_is_not_tried():
    assert set(POOL_VARIABLES) <= set(set_by_harness())
    assert of_baseline(dict.fromkeys(set_by_harness(), "1")) == []


REFUSED = [
    (name, "0" if rule.refused_when_off else "1") for rule in RULES if rule.fate is Fate.REFUSED for name in rule.names
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_variable_under_which_nothing_means_anything_is_refused(name, value):
    with pytest.raises(ProblemError, match=f"{name} is set"):
        refuse_variables({name: value})
    refuse_variables({name: {"0": "1", "1": "0"}[value]})
    assert inherited({name: value}) == {}


def test_every_simulator_is_refused():
    assert {name for each in SIMULATORS.values() for name in each.environment} <= {name for name, _ in REFUSED}


@pytest.mark.parametrize("command", [("run", "--rows", "numba-loop"), ("check", "numba-loop"), ("doctor",)])
def test_the_commands_refuse_it(tmp_path, command):
    finished = stepbench(*command, NUMBA_DISABLE_JIT="1")
    assert finished.returncode == 2
    assert "NUMBA_DISABLE_JIT is set" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_the_table_in_the_readme_is_the_one_in_the_code():
    text = (ROOT / "benchmarks" / "README.md").read_text()
    shown = text.split("<!-- stepbench:environment -->\n")[1].split("<!-- /stepbench:environment -->")[0]
    assert shown.strip().splitlines() == table_lines()


@pytest.mark.parametrize("started", [("-m", "stepbench"), ("-c", "from stepbench.cli import main; main()")])
def test_files_in_the_working_folder_are_not_imported(tmp_path, started):
    """Of `python -m stepbench` this holds but for a stepbench.py, which Python runs in its stead."""
    for name in LOCAL:
        if not (name == "stepbench" and "-m" in started):
            (tmp_path / f"{name}.py").write_text(
                f"open({str(tmp_path / 'imported')!r}, 'a').write('{name} ')\nraise SystemExit(9)\n"
            )
    options = ["-P"] if "-c" in started else []
    finished = subprocess.run(
        [sys.executable, *options, *started, "check", "numba-loop"],
        cwd=tmp_path,
        env={name: value for name, value in environment().items() if name != "PYTHONSAFEPATH"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert not (tmp_path / "imported").exists(), (tmp_path / "imported").read_text()
    assert finished.returncode == 0, finished.stderr


def test_a_check_has_somewhere_to_cache_where_nothing_can_be_written(monkeypatch):
    with somewhere_to_cache() as variables:
        assert variables == {}
    monkeypatch.setattr("stepbench.machine.children._can_be_written", lambda folder: folder != Path.home())
    with somewhere_to_cache() as variables:
        assert set(variables) == set(CACHES)
        folder = Path(variables["NUMBA_CACHE_DIR"]).parent
        assert folder.is_dir()
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_seen(tmp_path):
    from stepbench.machine.children import _can_be_written

    assert _can_be_written(tmp_path)
    assert not _can_be_written(tmp_path / "absent")
    assert not _can_be_written(Path("/proc"))
