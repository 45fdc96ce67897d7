"""What a child process finds in its environment: our import path, and the variables it was given."""

import os
import sys
from pathlib import Path

from stepbench.machine.children import CACHES, compile_caches, environment_of_child


def test_the_last_variables_win_and_the_import_path_is_our_own(monkeypatch):
    monkeypatch.setenv("STEPBENCH_TEST", "ours")
    found = environment_of_child({"STEPBENCH_TEST": "first"}, {"STEPBENCH_TEST": "last"})
    assert found["STEPBENCH_TEST"] == "last"
    assert found["PYTHONPATH"].split(os.pathsep) == [path for path in sys.path if path]
    assert environment_of_child()["STEPBENCH_TEST"] == "ours"


def test_every_compile_cache_is_in_the_folder_given(tmp_path):
    folders = compile_caches(tmp_path)
    assert set(folders) == set(CACHES)
    assert len(set(folders.values())) == len(CACHES)
    assert {Path(folder).parent for folder in folders.values()} == {tmp_path}
