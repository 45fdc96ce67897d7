"""The texts: complete in both languages, alike in all that is not words, and no computed number typed."""

from __future__ import annotations

import re

import pytest

from stepbench.lesson import (
    wording,
)


def marks_of(text):
    """What must not differ between languages: numbers by name, inline formulas and code."""
    numbers = sorted(re.findall(r"\{\{.*?\}\}", text))
    return numbers, sorted(set(wording.inline_formulas(text))), sorted(set(re.findall(r"`([^`]+)`", text)))


def test_every_text_says_the_same_in_both_languages():
    english, chinese = wording.texts("en"), wording.texts("zh")
    assert [(section, key) for section in english for key in english[section]] == [
        (section, key) for section in chinese for key in chinese[section]
    ]
    for section, entries_of in english.items():
        for key, text in entries_of.items():
            name = f"{section}.{key}"
            assert text.strip(), name
            assert marks_of(text) == marks_of(chinese[section][key]), name
            assert text.count("**") == chinese[section][key].count("**"), name
            assert text.count("\n\n") == chinese[section][key].count("\n\n"), name


def test_the_chinese_page_is_chinese():
    for section, entries_of in wording.texts("zh").items():
        for key, text in entries_of.items():
            words = re.sub(r"\{\{.*?\}\}|\$[^$]*\$|`[^`]*`", "", text)
            assert re.search(r"[\u4e00-\u9fff]", words) or not words.strip() or words.strip() == "Adam", (section, key)
            assert not re.search(r"[\u4e00-\u9fff][,;:?!]", words), f"{section}.{key}: half-width punctuation"


def test_a_formula_is_never_parted_from_the_punctuation_behind_it():
    marked = wording.marked_up("if $a$, then $b$ (or $c$). 设 $d$，则")
    behind = re.findall(r"</math>(.*?)</span>", marked)
    assert behind == [",", "", ").", "，"]


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_no_computed_number_is_typed_into_a_text(language):
    for section, entries_of in wording.texts(language).items():
        for key, text in entries_of.items():
            typed = re.sub(r"\{\{.*?\}\}|`[^`]*`", "", text)
            assert not re.search(r"\d\.\d|\d×|\d{3}", typed.replace("float64", "").replace("−800", "")), (section, key)
