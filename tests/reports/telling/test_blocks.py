"""Generated blocks of a page: made from their names, and nothing else of the page is touched."""

from __future__ import annotations

import pytest

from stepreports.telling.page_blocks import with_blocks


def block(name, content):
    return f"<!-- stepbench:{name} -->\n{content}\n<!-- /stepbench:{name} -->"


LINES = "old, of\ntwo lines"


def test_each_block_is_made_from_its_own_name_and_what_lies_between_stays():
    page = f"# Title\n\n{block('a', 'old')}\nbetween\n{block('b@c', LINES)}\n\nThe end.\n"
    assert with_blocks(page, str.upper) == f"# Title\n\n{block('a', 'A')}\nbetween\n{block('b@c', 'B@C')}\n\nThe end.\n"


def test_a_block_without_new_content_stays():
    page = f"{block('mine', 'old')}\n{block('another', 'old')}\n"
    assert with_blocks(page, {"mine": "new"}.get) == f"{block('mine', 'new')}\n{block('another', 'old')}\n"


def test_a_page_made_again_does_not_change():
    page = with_blocks(block("a", "old"), str.upper)
    assert with_blocks(page, str.upper) == page


@pytest.mark.parametrize(
    "page", ["", "no markers", "<!-- stepbench:a -->\nnever closed", f"{block('a', 'x')[:-9]}b -->"]
)
def test_what_is_no_whole_block_is_left_alone(page):
    assert with_blocks(page, str.upper) == page
