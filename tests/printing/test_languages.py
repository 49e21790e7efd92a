"""Printed pages in other languages: nothing stays English but names and what is typed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from scalptrack.cli.main import main
from scalptrack.fiducials.layout import patches
from scalptrack.printing import card_pdf, draw_protocol
from scalptrack.printing.card import draw_card
from scalptrack.printing.headband import draw_headband
from scalptrack.printing.protocol import VIEW_STEPS
from scalptrack.translation import in_language
from tests.pseudo import LANGUAGE, outside, write_pseudo_language
from tests.test_guide import PROTOCOL

WORD = re.compile(r"[^\W\d_]{2,}")
NAMES = {each.name for each in patches()}


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory):
    return write_pseudo_language(tmp_path_factory.mktemp("locale"))


def _lines(sheet) -> list[str]:
    (axes,) = sheet.figure.axes
    return [each.get_text() for each in axes.texts]


def _english(lines: list[str]) -> list[str]:
    """What stands outside of the brackets of a page, without names of colours and commands."""
    kept = [
        line for line in lines if line.split()[0] not in NAMES and "scalptrack check" not in line
    ]
    return WORD.findall(outside(kept))


@pytest.mark.parametrize("draw", [draw_card, draw_headband])
@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_all_that_the_printed_pages_say_is_in_the_catalogue(draw, paper, pseudo):
    with in_language(LANGUAGE, folder=pseudo):
        lines = _lines(draw(paper))
    assert len(lines) > 20
    assert _english(lines) == []


@pytest.mark.parametrize("view", [*VIEW_STEPS, "my own view"])
def test_all_that_a_protocol_says_is_in_the_catalogue(view, pseudo):
    unstated = {"distance_cm": None, "focal_length_35mm": None, "camera": None}
    for protocol in (replace(PROTOCOL, view=view), replace(PROTOCOL, view=view, **unstated)):
        with in_language(LANGUAGE, folder=pseudo):
            lines = _lines(draw_protocol(protocol, "a4"))
        left = set(_english(lines)) - {"Acme", "One"}
        assert left == set(), f"left in English: {left}"


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_protocol_has_room_for_its_words(language):
    longest = max(VIEW_STEPS, key=lambda view: len(VIEW_STEPS[view]))
    with in_language(language):
        sheet = draw_protocol(replace(PROTOCOL, view=longest), "letter")
    _assert_inside(sheet)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("draw", [draw_card, draw_headband])
def test_the_printed_pages_have_room_for_their_words(language, draw):
    with in_language(language):
        sheet = draw("letter")
    _assert_inside(sheet)


def _assert_inside(sheet) -> None:
    """No text reaches beyond the paper's margin, and no two lie on each other."""
    figure = sheet.figure
    figure.draw_without_rendering()
    (axes,) = figure.axes
    page = axes.get_window_extent()
    boxes = [(each.get_text(), each.get_window_extent()) for each in axes.texts]
    for words, box in boxes:
        assert page.x0 <= box.x0 < box.x1 <= page.x1, words
        assert page.y0 <= box.y0 < box.y1 <= page.y1, words
    for index, (words, box) in enumerate(boxes):
        for other_words, other in boxes[index + 1 :]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            along = min(box.y1, other.y1) - max(box.y0, other.y0)
            height = min(box.height, other.height)
            assert across <= 0 or along < 0.45 * height, (words, other_words)


def test_the_card_in_another_language_replaces_its_own_kind_and_nothing_else(tmp_path):
    out = tmp_path / "card.pdf"
    arguments = ["card", "--out", str(out), "--quiet"]
    with in_language("de"):
        german = card_pdf("letter")
    out.write_bytes(german)
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert out.read_bytes() == card_pdf("a4")
    in_german = [*arguments, "--language", "de", "--paper", "letter"]
    assert CliRunner().invoke(main, in_german).exit_code == 0
    assert out.read_bytes() == german
    out.write_bytes(b"mine")
    assert CliRunner().invoke(main, arguments).exit_code == 2
    assert out.read_bytes() == b"mine"
