from xml.etree import ElementTree as ET

import pytest

from scalptrack.chart import timeline_svg
from scalptrack.longitudinal import build_timelines
from scalptrack.report.inline_svg import THEME, inline_svg
from tests.longitudinal.series import refused, replicated

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


def inlined(body: str, label: str = "a chart") -> str:
    return inline_svg(f"{HEAD}{body}</svg>", prefix="t1", label=label)


def test_identifiers_and_references_get_the_prefix() -> None:
    shown = inlined(
        '<defs><path id="m1" d="M0 0"/></defs><use xlink:href="#m1" style="fill: url(#m1)"/>'
        '<g clip-path="url(#m1)"/>'
    )
    assert 'id="t1-m1"' in shown
    assert 'href="#t1-m1"' in shown
    assert shown.count("url(#t1-m1)") == 2
    assert "http" not in shown


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<style>@import 'x'</style>",
        "<metadata>x</metadata>",
        "<foreignObject>x</foreignObject>",
        "<image xlink:href='x.png'/>",
        "<a xlink:href='x'>x</a>",
        "<g><animate attributeName='x'/></g>",
        "<!-- note -->",
    ],
)
def test_only_what_draws_is_kept(body: str) -> None:
    shown = inlined(body)
    for word in ("alert", "import", "metadata", "foreign", "image", "animate", "note", "<a"):
        assert word not in shown


def test_handlers_and_links_outwards_are_dropped() -> None:
    shown = inlined('<rect onclick="alert(1)" onload="x"/><use xlink:href="other.svg#a"/>')
    assert "onclick" not in shown
    assert "onload" not in shown
    assert 'href="#"' in shown


def test_colours_follow_the_page() -> None:
    shown = inlined('<path style="fill: #1f2933; stroke: #0072b2"/>')
    assert "fill: var(--ink); stroke: var(--increase)" in shown


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (
            "font: 700 9.5px 'DejaVu Sans', serif; fill: red",
            "font: 700 9.5px var(--font); fill: red",
        ),
        ("font-size: 9px; font-family: 'X'", "font-size: 9px; font-family: var(--font)"),
    ],
)
def test_font_is_the_page_s(style: str, expected: str) -> None:
    assert f'style="{expected}"' in inlined(f'<text style="{style}">x</text>')


def test_label_is_escaped() -> None:
    root = ET.fromstring(inlined("", label='"><script>'))
    assert root.get("aria-label") == '"><script>'
    assert root.get("role") == "img"


def test_a_real_chart_keeps_its_texts_and_loses_its_colours() -> None:
    (timeline,) = build_timelines([*replicated([[0.4], [0.6], [0.2]]), refused(day=30)])
    shown = inline_svg(timeline_svg(timeline).decode(), prefix="t1", label="x")
    root = ET.fromstring(shown)
    texts = {element.text for element in root.iter("text")}
    assert {"anna · vertex", "baseline", "higher than at baseline"} <= texts
    assert not any(colour in shown for colour in THEME)
    assert "var(--font)" in shown
    assert "DejaVu" not in shown
    assert "width" not in root.attrib
    assert root.get("viewBox")
