"""The PDF: what stands on its pages, that nothing is cut off, and that it is the same again."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from scalptrack.longitudinal import build_timelines
from scalptrack.records import Tier
from scalptrack.report import build_report
from scalptrack.report.pdf import A4_IN, build_pdf, draw_pages
from tests.longitudinal.series import measured
from tests.report.made_up import context

PICTURE = np.full((301, 300, 3), 90, np.uint8)


def _texts(page: Figure) -> list[str]:
    return [text.get_text().replace("\u00a0", " ") for text in page.texts]


@pytest.fixture(scope="module")
def pages() -> list[Figure]:
    return draw_pages(context(), lambda name: PICTURE)


def test_each_view_begins_a_page_with_its_summary(pages):
    first = " ".join(_texts(pages[0]))
    assert first.startswith("anna · vertex 8 January 2025: Visible hair coverage is 24.0 points hi")
    titles = [text for page in pages for text in _texts(page)[:1]]
    assert [title for title in titles if " · " in title] == [
        "anna · vertex",
        "ben · left-temporal",
        "ben · occipital",
        "ben · right-temporal",
        "ben · vertex",
    ]
    assert titles[-1] == "About this report"


def test_every_visit_has_its_change_and_its_verdict_beside_the_chart(pages):
    texts = _texts(pages[0])
    assert texts[texts.index("10 Jan 2024") + 1] == "30.6 %, baseline"
    assert texts[texts.index("19 May 2024") + 1] == "× not comparable"
    at = texts.index("10 Jul 2024")
    assert texts[at + 1 : at + 3] == ["+12.0 points (+5.2 to +18.8)", "▲ higher"]


def test_the_hair_index_of_every_visit_is_given_with_its_difference():
    (timeline,) = build_timelines([measured(0.5), measured(0.6, day=90), measured(0.97, day=180)])
    section = replace(context().sections[0], timeline=timeline)
    drawn = draw_pages(replace(context(), sections=(section,)), lambda name: PICTURE)
    words = " ".join(text for page in drawn for text in _texts(page))
    # By hand: −ln 0.5 = 0.69, −ln 0.4 = 0.92.
    assert re.search(r"10 Jan 2024: 0\.69 \(\S+ to \S+\) 9 Apr 2024", words)
    assert re.search(r"9 Apr 2024: 0\.92 \(\S+ to \S+\); difference \+0\.22 \(", words)
    assert re.search(r"8 Jul 2024: – −ln\(1 − coverage\)", words)


def test_a_less_sure_alignment_is_said_beside_its_change():
    rough = [measured(0.3), measured(0.5, day=90, tier=Tier.B, aligned_by="points")]
    sections = context().sections[:1]
    (timeline,) = build_timelines(rough)
    zone = replace(sections[0].zones[0], timeline=timeline)
    section = replace(sections[0], timeline=timeline, zones=(zone,))
    page = draw_pages(replace(context(), sections=(section,)), lambda name: PICTURE)[0]
    words = " ".join(_texts(page))
    assert ") less sure (tier B): aligned by points set by hand ▲ higher" in words
    assert ", less sure (tier B): aligned by points set by hand; 83 % of the zone is seen." in words


def test_why_no_trend_is_stated_is_said():
    (timeline,) = build_timelines([measured(0.3 + day / 20, day=day) for day in (0, 5, 10)])
    section = replace(context().sections[0], timeline=timeline, zones=())
    pages = draw_pages(replace(context(), sections=(section,)), lambda name: PICTURE)
    words = " ".join(text for page in pages for text in _texts(page))
    assert "Straight-line trend Too short a time for a yearly trend: 3 visits in 10 days" in words


def test_zones_and_reasons_and_the_estimate_are_said(pages):
    words = " ".join(text for page in pages for text in _texts(page))
    assert "occipital, 8 Jan 2025: 74.6 % (68.8 to 80.4 %), +24.0 points" in words
    assert "anna/vertex/2024-05-19_1.jpg: Blurred: 1.2 px measured, the limit is 3 px" in words
    # 40 % of 40 + 24 % of 10 + 18 % of 20 + 18 % of 30, and 1.96 times 11 points and a little more.
    assert re.search(r"SALT estimate, ben, 10 Jan 2024: 27 \(6 to 49\)\.", words)


def test_an_estimate_of_less_sure_alignments_says_so():
    rough = replace(context().salt[0], tier=Tier.B, aligned_by=("outline",))
    pages = draw_pages(replace(context(), salt=(rough,)), lambda name: PICTURE)
    words = " ".join(text for page in pages for text in _texts(page))
    assert "Less sure (tier B): aligned by the outline of the head." in words
    page = build_report(replace(context(), salt=(rough,)))
    assert page.count("less sure (tier B): aligned by the outline of the head") == 1


def test_pages_are_a4_and_numbered_and_nothing_runs_over_their_edges(pages):
    assert [f"{n} of {len(pages)}" for n in range(1, len(pages) + 1)] == [
        next(text for text in _texts(page) if re.fullmatch(r"\d+ of \d+", text)) for page in pages
    ]
    for page in pages:
        assert tuple(page.get_size_inches()) == A4_IN
        for text in page.texts:
            box = text.get_window_extent().transformed(page.transFigure.inverted())
            assert 0.03 < box.x0 < box.x1 < 0.97, text.get_text()
            assert 0.02 < box.y0 < box.y1 < 0.98, text.get_text()


def test_pictures_stand_in_a_row_at_half_their_size(pages):
    shown = [axes.images[0].get_array().shape for axes in pages[0].axes if axes.images]
    assert shown == [(150, 150, 3)] * 3


def test_a_long_text_runs_on_over_the_page():
    long = replace(context(), notes=tuple(f"Line {number}." for number in range(90)))
    pages = draw_pages(long, lambda name: None)
    words = [text for page in pages for text in _texts(page)]
    assert [word for word in words if word.startswith("Line ")] == list(long.notes)


def test_the_same_report_gives_the_same_bytes():
    one, other = (build_pdf(context(), lambda name: PICTURE) for _ in range(2))
    assert one == other
    assert one.startswith(b"%PDF-")
    assert b"CreationDate" not in one
