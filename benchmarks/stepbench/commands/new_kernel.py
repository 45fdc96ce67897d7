"""new-kernel: a complete kernel file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stepbench.commands.options import Force
from stepbench.commands.places import require_absent, require_writable
from stepbench.commands.terminal import say, sentences


@sentences
def new_kernel(
    language: Annotated[str, typer.Argument(metavar="LANGUAGE", help="numpy, numba, torch, triton, cuda or cpp.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.py", help="The kernel file. Default: my_LANGUAGE_kernel.py, in this folder."),
    ] = None,
    force: Force = False,
) -> None:
    """Write a complete kernel file to start from: one that agrees, and is yours to make fast.

    Of cuda and cpp the source goes beside it, under the same name.
    """
    from stepbench.commands.scaffolds import FILES, scaffold
    from stepkernels.problem import ProblemError
    from stepreports.records.files import write_whole

    if language not in FILES:
        raise ProblemError(f"There is no kernel to start from in {language!r}. There is one in {', '.join(FILES)}.")
    path = out or Path(f"my_{language}_kernel.py")
    if path.suffix != ".py":
        raise ProblemError(f"{path} is no name of a kernel file, which ends in .py.")
    files = scaffold(language, path)
    for file in files:
        require_writable(file)
        require_absent(file, force=force)
    for file, text in files.items():
        write_whole(file, text)
    say(f"Written: {', '.join(map(str, files))}")
    simulate = " --simulate" if language in ("triton", "cuda") else ""
    say(f"Check it with: stepbench check{simulate} --kernel {path}", whole=True)
    say(f"Time it with:  stepbench run --kernel {path}", whole=True)
