"""A kernel file from outside: it keeps what it declares, and what is wrong with it is told by its own line."""

import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from checks import kernel_file
from runs import KERNELS, stepbench
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
        ("import os\nos.kill(os.getpid(), 11)\n", "was ended by SIGSEGV while it was loaded"),
        ("import os\nos.kill(os.getpid(), 19)\n", "stopped its process while it was loaded"),
        ("x = 1\nraise SystemExit(3)\n", "line 2: SystemExit: 3\n    raise SystemExit"),
        ("x = 1\nraise KeyboardInterrupt\n", "line 2: KeyboardInterrupt"),
        ("x = 1\nraise GeneratorExit\n", "line 2: GeneratorExit"),
        ("x = input()\n", "line 1: EOFError"),
        ("raise Exception('x' * 10**7)\n", r"line 1: Exception: x{3000}"),
        ("raise Exception('\\x1b[31m\\0')\n", r"Exception: \\x1b\[31m\\x00"),
        (
            "class Odd(Exception):\n    def __str__(self): raise SystemExit\nraise Odd\n",
            "raised an exception that cannot be told",
        ),
        ("import os\nos.closerange(3, 256)\n", "ended its process while it was loaded"),
        ("print('x' * 10**9)\n", "needs IMPLEMENTATION"),
        ("import os, time\nif os.fork() == 0: time.sleep(60)\n", "needs IMPLEMENTATION"),
        ("import os, time\nif os.fork(): os._exit(4)\ntime.sleep(60)\n", "exit status 4"),
    ],
)
def test_a_bad_file_is_told_its_own_line(tmp_path, text, says):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(KernelFileError, match=says) as error:
        load_kernel(path)
    assert "Traceback" not in str(error.value)


FIND_THE_CONNECTION = """
import os, stat
def is_socket(descriptor):
    try: return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError: return False
connection = next(filter(is_socket, range(3, 1000)))
"""


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ("b'x' * 2**21", "declares more than 1,048,576 bytes"),
        ("b'{'", "ended its process while it was loaded"),
        ("b'\\xff\\n'", "sent an answer that is none"),
        ("b'3\\n'", "sent an answer that is none"),
        ("b'[' * 10**5 + b'\\n'", "sent an answer that is none"),
        ("b'{}\\n'", "sent an empty answer"),
        ("b'{\"declared\": {}}\\n'", "does not have the fields of an Implementation"),
    ],
)
def test_what_a_process_sends_is_not_believed(tmp_path, sent, says):
    path = tmp_path / "sends.py"
    path.write_text(f"{FIND_THE_CONNECTION}os.write(connection, {sent})\nos._exit(0)\n")
    with pytest.raises(KernelFileError, match=says):
        load_kernel(path)


def test_what_a_process_sends_is_never_unpickled(tmp_path):
    """An object whose unpickling would leave a trace, framed as a connection of multiprocessing's frames it."""
    path, trace = tmp_path / "pickled.py", tmp_path / "trace"
    path.write_text(
        f"{FIND_THE_CONNECTION}import pathlib\nfrom multiprocessing.connection import Connection\n"
        f"class Odd:\n    def __reduce__(self): return (pathlib.Path.touch, (pathlib.Path({str(trace)!r}),))\n"
        "Connection(connection).send(Odd())\nos._exit(0)\n"
    )
    with pytest.raises(KernelFileError):
        load_kernel(path)
    assert not trace.exists()


@pytest.mark.parametrize("body", ["import time\ntime.sleep(600)\n", "while True: pass\n"], ids=["sleeps", "spins"])
def test_a_file_that_does_not_finish_loading_is_ended(tmp_path, body):
    path = tmp_path / "slow.py"
    path.write_text(body)
    with pytest.raises(KernelFileError, match="did not finish loading in 2 seconds and was ended"):
        load_kernel(path, seconds=2)


def test_what_a_file_started_ends_with_it(tmp_path):
    path, told = kernel_file(tmp_path, "def bind(problem, config): ...\n"), tmp_path / "pid"
    path.write_text(
        "import os, time\nchild = os.fork()\nif not child: time.sleep(600)\n"
        f"open({str(told)!r}, 'w').write(str(child))\n" + path.read_text()
    )
    assert load_kernel(path).name == "own"
    assert not is_running(int(told.read_text()))


def is_running(pid):
    """Whether it is, a second given to end."""
    for _ in range(10):
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.1)
                continue
        return False
    return True


def test_a_module_that_replaces_our_class_declares_nothing(tmp_path):
    path = tmp_path / "replaces.py"
    path.write_text(
        "import stepkernels, stepkernels.interface as interface\n"
        "class Implementation(interface.Implementation):\n    pass\n"
        "stepkernels.Implementation = interface.Implementation = Implementation\n"
        "IMPLEMENTATION = Implementation(name='own', module='')\n"
        "def bind(problem, config): ...\n"
    )
    with pytest.raises(KernelFileError, match="needs IMPLEMENTATION"):
        load_kernel(path)


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_wrong_field_is_bad_usage_of_every_command(tmp_path, command):
    path = kernel_file(tmp_path, "def bind(problem, config): ...\n", ", max_work=-1")
    finished = stepbench(command, "--kernel", path)
    assert finished.returncode == 2
    assert finished.stderr.startswith(
        "kernel.py: IMPLEMENTATION.max_work is -1; it must be a number from 1 on, or None."
    )


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


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(KernelFileError, match=r"There is no kernel file .*nowhere\.py"):
        load_kernel(Path("nowhere.py"))


def test_a_kernel_file_keeps_what_it_declares():
    row = load_kernel(KERNELS / "matrix_form.py")
    assert row.module == str(KERNELS / "matrix_form.py")
    assert row.ops == (Op.GRADIENT, Op.UPDATE, Op.STEP)
    assert row.allocates


def test_a_file_imports_what_lies_beside_it_but_nothing_in_the_place_of_what_is_installed(tmp_path):
    (tmp_path / "beside_my_kernel.py").write_text("from numpy import sqrt\nNAME = f'beside-{sqrt(4):g}'\n")
    (tmp_path / "numpy.py").write_text("raise ImportError('this is not the numpy that is installed')\n")
    text = (
        (KERNELS / "matrix_form.py").read_text("utf-8").replace('name="my-matrix-form"', "name=beside_my_kernel.NAME")
    )
    file = tmp_path / "kernel.py"
    file.write_text(text.replace("import numpy as np", "import beside_my_kernel\nimport numpy as np"), "utf-8")
    assert load_kernel(file).name == "beside-2"
