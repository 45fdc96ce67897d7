"""Rows and kernel files checked, for the tests of a check."""

from stepbench.checking import check


def verdict_of(row, **arguments):
    report = check([row], seed=1, **arguments)
    return report.rows[0], report


def kernel_file(tmp_path, body, declared=""):
    path = tmp_path / "kernel.py"
    path.write_text(
        "from stepkernels import Implementation, Op\n"
        "from stepkernels.rows import numpy_blas\n"
        f"IMPLEMENTATION = Implementation(name='own', module=__file__{declared})\n" + body
    )
    return path
