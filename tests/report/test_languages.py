"""Reports in other languages: nothing stays English but names, codes and files."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.text import Text

from scalptrack.chart import draw_timeline, draw_zones
from scalptrack.doubts import doubts_of
from scalptrack.folders import outside_link_message
from scalptrack.longitudinal import build_timelines
from scalptrack.quality.check import BLURRED, COPIES, LOW_RESOLUTION, quality_reason
from scalptrack.records import (
    Event,
    Gate,
    Outcome,
    Quality,
    Reason,
    Registration,
    Severity,
    Status,
    Tier,
    VisitConditions,
)
from scalptrack.registration import refusals
from scalptrack.report import ReportContext, build_report
from scalptrack.report.pdf import draw_pages
from scalptrack.translation import available_languages, in_language
from tests.longitudinal.series import FIRST_DAY, measured, refused
from tests.pseudo import LANGUAGE, outside, write_pseudo_language
from tests.report import made_up

GIVEN = (
    "Blurred: 1.2 px measured, the limit is 3 px",
    "The frontal zone isn't given in vertex photographs.",
    "treatment started",
    "made-up people",
    "scalptrack",
    "test",
    "anna",
    "ben",
    "cleo",
    "vertex",
    "occipital",
    "frontal",
    "left-temporal",
    "right-temporal",
    "Dr. Grey",
)
"""What the fixture says itself, names and views."""

CODES = re.compile(r"\S+\.(jpg|csv|json|html|png)|\b[ABC]\b|\bpx\b|\bmm\b")
LETTERS = re.compile(r"[^\W\d_]{2,}")


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory):
    return write_pseudo_language(tmp_path_factory.mktemp("locale"))


class _Words(HTMLParser):
    """Everything of a page that is read or read aloud, in its order."""

    SAID = ("alt", "aria-label", "title", "data-label", "data-before")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag, attrs):
        self._silent += tag in ("style", "script")
        for name, value in attrs:
            if name in self.SAID:
                self.said.append(value)
            if name in ("data-words", "data-chart"):
                self.said += list(_strings(json.loads(value)))

    def handle_endtag(self, tag):
        self._silent -= tag in ("style", "script")

    def handle_data(self, data):
        if not self._silent:
            self.texts.append(data)


def _strings(value):
    """Texts of a JSON document that are shown; keys and verdicts are codes."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key != "verdict":
                yield from _strings(each)


def _english(pieces) -> list[str]:
    """Words outside of brackets that are neither given nor codes."""
    rest = " ".join(outside(pieces).split())
    for each in GIVEN:
        rest = rest.replace(each, " ")
    return LETTERS.findall(CODES.sub(" ", rest))


def _cleo() -> tuple[list[Outcome], list[VisitConditions]]:
    """A series in which everything goes wrong that a report can tell."""
    link = Reason("outside_link", outside_link_message("link.jpg"))
    gate = Gate("correlation", 0.1, 0.2, passed=False)
    blurred = Quality((BLURRED.judge(2.0), LOW_RESOLUTION.judge(300.0)))
    by_hand = Registration(Tier.B, None, (), 1.0, 5, 0.9, (), None, method="points")
    outcomes = [
        measured(0.5, subject="cleo", is_reference=True),
        replace(
            measured(0.6, subject="cleo", day=90, tier=Tier.B, aligned_by="points"),
            warnings=doubts_of(by_hand),
        ),
        measured(0.61, subject="cleo", day=180, tier=Tier.B, aligned_by="outline"),
        replace(measured(0.61, subject="cleo", day=270), quality=Quality((blurred.findings[1],))),
        measured(0.62, subject="cleo", day=360),
        replace(
            refused(subject="cleo", day=400, status=Status.REJECTED),
            quality=blurred,
            reason=quality_reason(blurred),
        ),
        replace(refused(subject="cleo", day=430), reason=refusals.reason_of(gate)),
        Outcome("link.jpg", "", "", None, None, "", Status.REJECTED, link),
    ]
    day = dt.timedelta(days=1)
    conditions = [
        VisitConditions("cleo", FIRST_DAY, 10, 12.5, dyed=True, parting="left"),
        VisitConditions("cleo", FIRST_DAY + 180 * day, 40, 22.5, wet=False, parting="left"),
        VisitConditions("cleo", FIRST_DAY + 270 * day, wet=True),
        VisitConditions("cleo", FIRST_DAY + 360 * day, fibres=True),
    ]
    return outcomes, conditions


def _context() -> ReportContext:
    """The made-up report with one more series; in the language that was entered."""
    base = made_up.context()
    outcomes, conditions = _cleo()
    conditions = [replace(each, parting="") for each in conditions]
    events = [Event(FIRST_DAY + dt.timedelta(days=4000), "treatment started")]
    (timeline,) = build_timelines(outcomes, conditions=conditions, events=events)
    section = replace(
        base.sections[0],
        timeline=timeline,
        outcomes=tuple(outcomes[:-1]),
        zones=(),
        chart_png="chart.png",
        reference_overlay="first.jpg",
        follow_ups=tuple(
            replace(each, visit_date=FIRST_DAY + dt.timedelta(days=90), rough="")
            for each in base.sections[0].follow_ups
        ),
    )
    return replace(
        base,
        sections=(*base.sections, section),
        outcomes=(*base.outcomes, *outcomes),
        files=(("changes.csv", "changes.csv"),),
    )


def test_no_english_is_left_in_the_page(pseudo):
    with in_language(LANGUAGE, folder=pseudo):
        page = build_report(_context())
    words = _Words()
    words.feed(page)
    assert len(words.texts) > 300
    assert len(words.said) > 100
    assert _english(words.texts) == []
    for each in words.said:
        assert _english([each]) == [], each
    assert '<html lang="xx">' in page


def test_no_english_is_left_in_the_pdf(pseudo):
    with in_language(LANGUAGE, folder=pseudo):
        pages = draw_pages(_context(), lambda _name: np.full((40, 30, 3), 90, np.uint8))
    texts = [text.get_text() for page in pages for text in page.texts]
    charts = [
        text.get_text()
        for page in pages
        for figure in page.subfigs
        for text in figure.findobj(Text)
    ]
    assert len(texts) > 100
    assert len(charts) > 20
    assert _english(texts) == []
    assert _english(charts) == []


def test_no_english_is_left_in_the_charts(pseudo):
    with in_language(LANGUAGE, folder=pseudo):
        context = _context()
        figures = [draw_timeline(each.timeline) for each in context.sections]
        figures += [draw_zones(each.zones) for each in context.sections if each.zones]
        for figure in figures:
            texts = [text.get_text() for text in figure.findobj(Text)]
            assert len(texts) > 10
            assert _english(texts) == []


def test_what_is_not_bracketed_is_seen(pseudo):
    """The measure itself: English beside and between brackets is found."""
    assert _english(["⟦a ⟦b⟧ c⟧ 3.4 % anna/1.jpg vertex"]) == []
    assert _english(["⟦a⟧ visits ⟦b⟧"]) == ["visits"]
    assert _english(["⟦cut …", "later"]) == ["later"]


def test_copies_say_what_they_are_in_the_language(pseudo):
    code, advice = COPIES["screenshot"]
    with in_language(LANGUAGE, folder=pseudo):
        from scalptrack.quality.check import _origin_of
        from scalptrack.records import CaptureInfo

        found = _origin_of(CaptureInfo(copied_by="screenshot"))
    assert (found.code, found.severity) == (code, Severity.INFO)
    assert found.advice == f"⟦{advice}⟧"


@pytest.mark.parametrize("language", available_languages())
def test_every_language_gives_a_whole_report(language):
    with in_language(language):
        page = build_report(_context())
    assert f'<html lang="{language}">' in page
    assert "{" not in re.sub(r"(?s)<(style|script).*?</\1>|data-(words|chart)=\"[^\"]*\"", "", page)
