"""What every command is made of: the options of a dataclass, and a sentence for bad input."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from stepbench.commands.plain_help import in_paragraphs
from stepbench.commands.run_told import case_lines
from stepbench.commands.terminal import between_words, options_of, sentences, split_list, whole_numbers
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


SENTENCE = "Every time is over that of numpy-blas, which took 1.2 × [0.5, 2.0] its time at 300 × 10, within 5 % of it."


@pytest.mark.parametrize("columns", [20, 30, 60, 80])
def test_a_screen_breaks_a_sentence_between_words_and_leaves_a_number_with_its_sign(columns):
    lines = between_words(SENTENCE, columns).split("\n")
    assert max(map(len, lines)) <= columns
    assert " ".join(lines) == SENTENCE
    assert all("300 × 10" in line for line in lines if "300" in line)
    assert all("5 %" in line for line in lines if "%" in line)


@pytest.mark.parametrize("columns", [0, 1, float("inf")])
def test_a_file_gets_a_sentence_in_one_line_and_so_does_what_is_hardly_a_screen(columns):
    assert between_words(SENTENCE, columns) == SENTENCE


def test_a_table_that_fits_stays_as_it_is_and_a_path_is_never_broken():
    table = "row          time\n  numpy-blas  1 µs\n"
    assert between_words(table, 20) == table
    assert "a/path/that/is/longer/than/the/screen.html" in between_words(
        "  Report: a/path/that/is/longer/than/the/screen.html", 24
    )


def test_the_cases_are_a_table_or_two_lines_each_and_no_line_is_wider_than_the_screen():
    cases = [("step-20000x50-float64-gd-2t-warm", 13, "3,757 MiB"), ("step-7x3-float32-gd-2t-warm", 1, "12 MiB")]
    assert case_lines(cases, float("inf"))[1] == "step-20000x50-float64-gd-2t-warm    13  3,757 MiB"
    assert case_lines(cases, 40)[:2] == ["step-20000x50-float64-gd-2t-warm", "  13 rows, 3,757 MiB"]
    assert case_lines(cases, 40)[-1] == "  1 row, 12 MiB"


def test_help_is_broken_by_the_screen_and_not_where_the_source_was():
    assert in_paragraphs("One\ntwo.\n\nThree\n  four.") == "One two.\n\nThree four."
    assert in_paragraphs(None) is None
