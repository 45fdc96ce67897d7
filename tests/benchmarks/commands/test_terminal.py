"""What every command is made of: the options of a dataclass, and a sentence for bad input."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from stepbench.commands.terminal import options_of, sentences, split_list, whole_numbers
from stepkernels.problem import ProblemError


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    data: Annotated[Path, typer.Argument(help="A file.")]
    turns: Annotated[int, typer.Option("--turns", help="So many.")] = 3
    cold: Annotated[bool, typer.Option("--cold", help="Out of the caches.")] = False


def run(command, *arguments):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, arguments)


def test_the_fields_of_a_dataclass_are_the_options_of_a_command():
    asked = []
    command = options_of(Options)(asked.append)
    assert run(command, "a.csv").exit_code == 0
    assert run(command, "b.csv", "--turns", "5", "--cold").exit_code == 0
    assert asked == [Options(data=Path("a.csv")), Options(data=Path("b.csv"), turns=5, cold=True)]


@pytest.mark.parametrize("arguments", [(), ("a.csv", "--turns", "many"), ("a.csv", "--hot")], ids=str)
def test_what_is_no_option_is_bad_usage_and_the_command_is_not_called(arguments):
    asked = []
    assert run(options_of(Options)(asked.append), *arguments).exit_code == 2
    assert asked == []


def test_a_commands_help_is_its_own_docstring_and_its_fields():
    @options_of(Options)
    def time_it(asked):
        """Time a file."""

    shown = run(time_it, "--help").output
    assert all(told in shown for told in ("Time a file.", "A file.", "--turns", "So many.", "Out of the caches."))


def test_bad_input_is_its_sentence_and_exit_status_2(capsys):
    @sentences
    def refuse():
        raise ProblemError("X is empty; give it rows.")

    with pytest.raises(typer.Exit) as ended:
        refuse()
    assert ended.value.exit_code == 2
    assert "X is empty; give it rows." in capsys.readouterr().err


def test_a_list_is_split_at_commas_and_numbers_are_whole():
    assert split_list(" a, b ,,c") == ["a", "b", "c"]
    assert whole_numbers("1, 2") == [1, 2]
    with pytest.raises(typer.BadParameter, match=r"'1.5' is not a list of whole numbers"):
        whole_numbers("1.5")
