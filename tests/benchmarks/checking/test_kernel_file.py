"""A kernel file from outside: it keeps what it declares, and what is wrong with it is told by its own line."""

from pathlib import Path

import pytest

from checks import kernel_file
from runs import KERNELS
from stepbench.checking import KernelFileError, load_kernel
from stepkernels import Op


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\ndef bind(:\n", r"bad\.py: line 2: .*\n    def bind\(:"),
        ("x = 1\n\ny = x / 0\n", r"bad\.py: line 3: ZeroDivisionError: division by zero\n    y = x / 0"),
        ("import no_such_module\n", r"line 1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("x = 1\n", "needs IMPLEMENTATION"),
        (
            "from stepkernels import Implementation\nIMPLEMENTATION = Implementation(name='x', module='x')\n",
            "needs a function bind",
        ),
        ("import os\nos._exit(3)\n", "ended its process while it was loaded .exit status 3."),
    ],
)
def test_a_bad_file_is_told_its_own_line(tmp_path, text, says):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(KernelFileError, match=says) as error:
        load_kernel(path)
    assert "Traceback" not in str(error.value)


@pytest.mark.parametrize("field", ["ops=('fly',)", "dtypes='float32'", "optimizers=()"])
def test_a_wrong_declaration_is_told(tmp_path, field):
    path = kernel_file(tmp_path, "def bind(problem, config): ...\n", f", {field}")
    with pytest.raises(KernelFileError, match=f"IMPLEMENTATION.{field.split('=')[0]} is .*; it must be a tuple out of"):
        load_kernel(path)


@pytest.mark.parametrize("option", ["lambda: 1", "Own()"], ids=["a function", "an object of a class of the file"])
def test_an_option_that_cannot_be_sent_is_told(tmp_path, option):
    path = tmp_path / "own.py"
    path.write_text(
        "from stepkernels import Implementation\n"
        "class Own: pass\n"
        f"IMPLEMENTATION = Implementation(name='own', module=__file__, options={{'own': {option}}})\n"
        "def bind(problem, config, own): ...\n"
    )
    with pytest.raises(
        KernelFileError, match=r"holds what cannot be sent to another process \(.*\); give plain values"
    ):
        load_kernel(path)


def test_an_option_that_json_cannot_hold_arrives(tmp_path):
    path = kernel_file(tmp_path, "def bind(problem, config, own): ...\n", ", options={'own': {1, 2j}}")
    assert load_kernel(path).options == {"own": {1, 2j}}


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(KernelFileError, match=r"There is no kernel file .*nowhere\.py"):
        load_kernel(Path("nowhere.py"))


def test_a_kernel_file_keeps_what_it_declares():
    row = load_kernel(KERNELS / "matrix_form.py")
    assert row.module == str(KERNELS / "matrix_form.py")
    assert row.ops == (Op.GRADIENT, Op.UPDATE, Op.STEP)
    assert row.allocates
