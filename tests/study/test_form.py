"""The rating form in other languages; what its file holds is the same in each."""

from __future__ import annotations

import html
import json
import re

import pytest

from scalptrack.study.form import CANNOT_JUDGE, SCALE, FormItem, rating_form
from scalptrack.translation import in_language
from tests.pseudo import LANGUAGE, outside, write_pseudo_language

ITEMS = (FormItem("01", b"left", b"right"), FormItem("02", b"left", b"right"))
WORD = re.compile(r"[^\W\d_]{2,}")


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory):
    return write_pseudo_language(tmp_path_factory.mktemp("locale"))


def test_all_that_the_form_says_is_in_the_catalogue(pseudo):
    with in_language(LANGUAGE, folder=pseudo):
        form = rating_form("falcon", ITEMS, number=1, forms=2)
    said = re.findall(r'alt="([^"]*)"', form)
    body = re.sub(r"<[^>]*>", "", re.sub(r"(?s)<(style|script).*?</\1>", "", form))
    shown = html.unescape("\n".join((*said, body)))
    assert set(WORD.findall(outside([shown]))) - {"falcon"} == set()
    words = json.loads(re.search(r"const WORDS = (.*);", form)[1])
    assert (
        set(WORD.findall(outside(re.sub(r"\{\w+\}", "", each) for each in words.values()))) == set()
    )
    script = re.search(r"(?s)<script>(.*)</script>", form)[1]
    script = script.replace(json.dumps(words), "")
    assert set(words) <= set(re.findall(r'"(\w+)"', script))
    assert re.findall(r'"[A-Z][a-z]+ [^"]*"', script) == []


def test_what_a_form_saves_is_the_same_in_each_language():
    def kept(language: str) -> list[str]:
        with in_language(language):
            form = rating_form("falcon", ITEMS, number=1, forms=1)
        assert f'<html lang="{language}">' in form
        constants = re.findall(r"const (?:PACK|CANNOT|KEEP) = .*", form)
        return constants + re.findall(r'value="([^"]*)"', form)

    assert kept("de") == kept("en")
    assert {CANNOT_JUDGE, *(str(value) for value, _ in SCALE)} <= set(kept("de"))


def test_names_are_escaped():
    form = rating_form("<b>x</b>", ITEMS, number=1, forms=1)
    assert "Pack &lt;b&gt;x&lt;/b&gt;." in form
    assert "the <b>right</b> picture" in form
