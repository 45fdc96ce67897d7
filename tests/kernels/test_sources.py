"""The files of a row: each once, in reading order, found without the row's library."""

import subprocess
import sys

import pytest

from runs import KERNELS, environment
from stepkernels import Implementation
from stepkernels.catalog import CATALOG
from stepkernels.sources import source_files

every_row = pytest.mark.parametrize("row", CATALOG.values(), ids=CATALOG)


def names(row):
    return [file.name for file in source_files(row)]


@every_row
def test_every_file_of_a_row_is_there_once(row):
    main, *others = source_files(row)
    if main.name != "__init__.py":
        assert not others
        return
    sources = [file for file in main.parent.iterdir() if file.suffix in (".py", ".cu", ".cpp")]
    assert sorted([main, *others]) == sorted(sources)


def test_a_folder_begins_with_its_technique_and_goes_on_as_its_docstring_does():
    assert names(CATALOG["numba-fused"])[:4] == ["__init__.py", "stepping.py", "gradient.py", "pipeline.py"]


def test_what_only_other_files_import_comes_after_them():
    order = names(CATALOG["numba-fused"])
    assert order.index("residuals.py") > max(order.index("pipeline.py"), order.index("tiles.py"))


def test_what_the_docstring_does_not_mention_comes_after_what_it_does():
    assert names(CATALOG["numba-cuda-fused"]) == ["__init__.py", "kernels.py", "device_arrays.py"]


def test_cuda_code_comes_last():
    assert names(CATALOG["cupy-fused"]) == ["__init__.py", "tiling.py", "step_record.py", "fused_step.cu"]


def test_rows_of_one_module_have_the_same_files():
    assert source_files(CATALOG["numba-fused"]) == source_files(CATALOG["numba-fused-parallel"])


def test_no_library_of_a_row_is_loaded():
    source = (
        "import sys\n"
        "from stepkernels.catalog import CATALOG\n"
        "from stepkernels.sources import source_files\n"
        "assert all(file.is_file() for row in CATALOG.values() for file in source_files(row))\n"
        "print({row.library for row in CATALOG.values()} & set(sys.modules))\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, env=environment(), check=True
    )
    assert child.stdout.strip() == "{'numpy'}"


def test_a_kernel_file_is_its_own_source():
    path = KERNELS / "matrix_form.py"
    assert source_files(Implementation(name="own", module=str(path))) == [path]


def test_a_module_that_does_not_exist_raises():
    with pytest.raises(ModuleNotFoundError, match=r"own: there is no module stepkernels\.rows\.no_such_row"):
        source_files(Implementation(name="own", module="stepkernels.rows.no_such_row"))
