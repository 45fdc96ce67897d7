"""The cells: whole programs that run, shown with what they printed, which is what the text around them says."""

from __future__ import annotations

import ast
import html
import re

import pytest

from stepbench.lesson import cell_outputs, likelihood, wording
from stepbench.lesson.coloured_code import coloured
from stepbench.lesson.students import PASSED
from stepbench.lesson.worked_example import worked_example


def numbers(line):
    return [float(each) for each in re.findall(r"-?\d+\.?\d*", line)]


@pytest.fixture(scope="module")
def printed():
    return {name: cell.printed.splitlines() for name, cell in cell_outputs.cells().items()}


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_program_is_on_the_page_with_what_it_printed(pages, language):
    for name, cell in cell_outputs.cells().items():
        figure = re.search(rf'<figure class="cell" data-cell="{name}">.*?</figure>', pages[language], re.DOTALL)[0]
        code, output = (
            html.unescape(re.sub(r"<[^>]*>", "", part)) for part in re.findall(r"<pre.*?</pre>", figure, re.DOTALL)
        )
        assert code.strip() == (cell_outputs.CELLS / cell.file).read_text(encoding="utf-8").strip()
        assert output == cell.printed


def test_the_iterations_begin_with_the_two_costs_of_the_worked_example_either_way(printed):
    example = worked_example()
    expected = [wording.places(example.J, 6), wording.places(example.new_J, 6)]
    costs = [line.rpartition(" ")[2] for line in printed["k_iterations"] if "J =" in line]
    half = len(costs) // 2
    assert costs[:2] == expected
    assert costs[:half] == costs[half:]
    assert costs[:half] == sorted(costs[:half], reverse=True)


def test_autograd_finds_the_gradient_of_the_worked_example(printed):
    example = worked_example()
    _, J, gw, gb = printed["recorded_graph"]
    assert numbers(J) == pytest.approx([example.J], abs=1e-6)
    assert numbers(gw) == pytest.approx(example.gw, abs=1e-6)
    assert numbers(gb) == pytest.approx([example.gb], abs=1e-6)


def test_the_loss_on_probabilities_stops_pulling_and_the_one_on_logits_does_not(printed):
    rows = [numbers(line) for line in printed["loss_on_logits"][1:]]
    for z, on_probability, slope, on_logits, slope_on_logits in rows:
        assert on_logits == pytest.approx(z, abs=0.2)
        assert slope_on_logits > 0.8
        assert (slope == 0) == (z >= likelihood.likelihood().saturating)
        assert (on_probability == on_logits) == (z == 2)
    assert rows[-2][1] == rows[-1][1]  # every larger loss looks alike


def test_the_product_forgets_what_fell_and_the_logarithm_does_not(printed):
    few, many = (numbers(line) for line in printed["why_logarithm"][1:])
    assert (few[2], few[4]) == (many[4], few[4]) == (0.7, 0.7)
    assert (many[1], many[2]) == (0, 0.01)


def test_another_source_is_not_foretold(printed):
    first, others, harder = (numbers(line) for line in printed["another_source"][1:])
    assert others == pytest.approx(first, rel=0.1)
    assert harder[0] > 1.2 * first[0]
    assert harder[1] > 1.3 * harder[2]


def test_the_class_learns_and_is_tried_on_what_it_has_not_seen(printed):
    costs = [numbers(line)[1] for line in printed["classifier_by_hand"] if line.startswith("step")]
    assert len(costs) == 5
    assert costs == sorted(costs, reverse=True)
    scores = [numbers(line)[0] for line in printed["classifier_by_hand"] if line.startswith("score")]
    assert scores[0] > scores[1] > 90


def test_calling_a_module_runs_its_hook_and_calling_forward_does_not(printed):
    lines = printed["calling_a_module"]
    assert sum(line.startswith("hook") for line in lines) == 1
    assert lines[lines.index("model(X):") + 1].startswith("hook")
    assert lines[-1].endswith("True")


def test_gradients_add_up_unless_they_are_zeroed(printed):
    assert [numbers(line)[-1] for line in printed["gradients_add_up"]] == [4, 8, 12, 4, 4, 4]


def test_the_loop_reaches_the_minimum_and_batches_only_come_near(printed):
    least = likelihood.likelihood().mean
    ends = [numbers(line)[1] for line in printed["parts_and_loop"] if "k = 60" in line]
    assert ends == pytest.approx([least, least], abs=2e-4)
    costs = [numbers(line)[-1] for line in printed["mini_batches"]]
    assert all("[5, 5, 5, 1]" in line for line in printed["mini_batches"])
    assert min(costs) > least
    assert costs != sorted(costs, reverse=True)


@pytest.mark.parametrize("name", ["parts_and_loop", "mini_batches"])
def test_the_students_of_the_cells_are_the_pages(name):
    tree = ast.parse((cell_outputs.CELLS / f"{name}.py").read_text(encoding="utf-8"))
    (given,) = (
        node.value.args[0] for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "passed"
    )
    assert ast.literal_eval(given) == PASSED.tolist()


def test_a_program_that_fails_is_told_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("raise SystemExit('no such thing')\n", encoding="utf-8")
    monkeypatch.setattr(cell_outputs, "CELLS", tmp_path)
    with pytest.raises(cell_outputs.CellError, match=r"broken\.py of the lesson ended with 1: no such thing"):
        cell_outputs.cells()


def test_every_line_of_code_is_an_element_that_knows_its_indentation():
    lines = re.findall(
        r'<span class="line" style="--in:(\d+)ch">(.*?)\n</span>', coloured('if x:\n    """a\n    <b>"""\n\ny')
    )
    assert [int(indentation) for indentation, _ in lines] == [0, 4, 4, 0, 0]
    assert "&lt;b&gt;" in lines[2][1]
