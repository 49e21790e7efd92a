import dataclasses
import datetime as dt
import json
import re
from html.parser import HTMLParser

import pytest

from scalptrack.chart import timeline_svg
from scalptrack.longitudinal import MEASURED_ERRORS, ErrorModel, build_timelines
from scalptrack.records import (
    Event,
    Finding,
    Outcome,
    Quality,
    Reason,
    Severity,
    Status,
    Tier,
    VisitConditions,
)
from scalptrack.report import FollowUpPictures, ReportContext, TimelineSection, build_report
from scalptrack.report.hair_index import hair_index_rows
from scalptrack.report.live import live_chart
from scalptrack.report.precision import precision_rows, precision_words
from tests.longitudinal.series import FIRST_DAY, measured, refused, replicated

EVIL = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>{{ 7 * 7 }}"
STUB = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><text id="a">chart</text></svg>'
VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """What a reader of the page meets: elements with attributes, and text by nearest element."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        shown = (data for tag, data in self.texts if tag not in {"script", "style"})
        return " ".join(" ".join(shown).split())


def stray(name: str, message: str) -> Outcome:
    return Outcome(name, "", "", None, None, "", Status.REJECTED, Reason("bad", message))


def pictures_of(outcome: Outcome, *, folder: str = "pictures") -> FollowUpPictures:
    assert outcome.visit_date is not None
    stem = f"{folder}/{outcome.visit_date.isoformat()}_{outcome.replicate}"
    return FollowUpPictures(
        name=outcome.name,
        visit_date=outcome.visit_date,
        replicate=outcome.replicate,
        baseline=f"{folder}/baseline.jpg",
        aligned=f"{stem}.aligned.jpg",
        overlay=f"{stem}.overlay.jpg",
        gain_loss=f"{stem}.gain-loss.jpg",
    )


def context_of(
    outcomes: list[Outcome],
    *,
    events: tuple[Event, ...] = (),
    title: str = "A folder",
    drawn: bool = False,
    error_model: ErrorModel | None = None,
) -> ReportContext:
    sections = []
    for timeline in build_timelines(outcomes, events=events, error_model=error_model):
        own = tuple(o for o in outcomes if (o.subject, o.view) == (timeline.subject, timeline.view))
        sections.append(
            TimelineSection(
                timeline=timeline,
                outcomes=own,
                chart_svg=timeline_svg(timeline, heading=False).decode() if drawn else STUB,
                follow_ups=tuple(
                    pictures_of(o)
                    for o in own
                    if o.status is Status.MEASURED and not o.is_reference
                ),
                reference_overlay="pictures/reference.overlay.jpg",
                chart_png="pictures/timeline.png",
            )
        )
    return ReportContext(
        title=title,
        outcomes=tuple(outcomes),
        sections=tuple(sections),
        provenance=(("Version", "scalptrack 1.2.3"), ("Model", "sha256 0123abcd")),
        files=(("measurements.csv", "measurements.csv"),),
        notes=("Two folders were empty.",),
    )


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    finding = Finding("burnt_out", Severity.WARNING, 4.25, 2.0, "%", "Turn the flash off.")
    copied = Finding("messenger_copy", Severity.INFO, 0.0, 1.0, "originals", "Use the original.")
    silent = Finding("small", Severity.INFO, 1.0, 2.0, "px", "Nothing to do.")
    series = replicated([[0.30, 0.32], [0.31, 0.33], [0.50, 0.52]])
    series[0] = dataclasses.replace(series[0], is_reference=True)
    series[2] = dataclasses.replace(series[2], quality=Quality((finding, silent, copied)))
    return [
        *series,
        refused(day=45, message="The scalp is blurred; tap on it to focus."),
        measured(0.62, subject="bert", is_reference=True),
        refused(subject="cleo", view="frontal", message="No head was found."),
        stray("notes/readme.txt", "This is a text file."),
        stray("scans/IMG_1.jpg", "The JPEG ends too early."),
    ]


@pytest.fixture(scope="module")
def source(outcomes: list[Outcome]) -> str:
    events = (Event(FIRST_DAY, "haircut"),)
    return build_report(context_of(outcomes, events=events, drawn=True))


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def test_every_file_appears_with_its_reason(outcomes: list[Outcome], page: Page) -> None:
    for outcome in outcomes:
        assert outcome.name in page.text
        if outcome.reason is not None:
            assert outcome.reason.message in page.text
    assert "Files that belong to no subject and view" in page.text
    assert page.text.count("notes/readme.txt") == 2


def test_counts(page: Page) -> None:
    for count in (
        "11 files in the folder",
        "7 measured",
        "2 refused: a number would not be safe",
        "2 not a usable photograph",
    ):
        assert count in page.text


def test_overview_links_to_every_timeline_with_its_verdict(page: Page) -> None:
    anchors = {a["id"] for a in page.all("article")}
    links = {a["href"] for a in page.all("a") if a["href"].startswith("#timeline")}
    assert links == {f"#{anchor}" for anchor in anchors}
    assert len(anchors) == 3
    assert "anna · vertex ▲ higher 8 Jul 2024 +20.0 points" in page.text
    assert "bert · vertex One visit with a number; a change needs a second one." in page.text
    assert "cleo · frontal No coverage can be stated." in page.text


def test_sentences_come_before_charts(source: str, outcomes: list[Outcome]) -> None:
    for timeline in build_timelines(outcomes):
        escaped = timeline.summary.replace("'", "&#39;")
        article = source.index(f"{timeline.subject} · {timeline.view}</h2>")
        assert article < source.index(escaped, article) < source.index("<svg", article)


def test_nothing_is_loaded_from_elsewhere(source: str, page: Page) -> None:
    assert not re.search(r"https?:|[\"'(=]\s*//|@import|url\((?!#)", source)
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "action", "poster", "srcset"):
            assert not attributes.get(name, "").startswith(("http", "//", "/", "javascript:"))
    (policy,) = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'; img-src 'self' data: file:;")


def test_policy_knows_the_page_s_own_script_only(source: str, page: Page) -> None:
    import base64
    import hashlib

    (script,) = re.findall(r"<script>(.*?)</script>", source, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert f"script-src 'sha256-{digest}'" in policy
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)


def test_one_labelled_slider_per_follow_up(outcomes: list[Outcome], page: Page) -> None:
    compared = [o for o in outcomes if o.status is Status.MEASURED and not o.is_reference]
    ranges = [i for i in page.all("input") if i["type"] == "range"]
    assert len(ranges) == len(compared) == 5
    assert len({i["id"] for i in ranges}) == 5
    assert {i["id"] for i in ranges} == {label["for"] for label in page.all("label")}
    assert all(i["aria-label"] for i in ranges)
    sources = [img["src"] for img in page.all("img")]
    for outcome in compared:
        assert pictures_of(outcome).aligned in sources
        assert pictures_of(outcome).gain_loss in sources


def test_the_latest_visit_with_pictures_is_open(page: Page) -> None:
    assert len([d for d in page.all("details") if "open" in d]) == 1


def test_readable_without_seeing_it(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert all(img["alt"].strip() for img in page.all("img"))
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1
    for svg in page.all("svg"):
        assert svg["role"] == "img"
        assert "Chart of visible hair coverage over time" in svg["aria-label"]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for reference in attributes.get("aria-labelledby", "").split():
            assert reference in ids
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids


def test_tables_hold_the_numbers(page: Page) -> None:
    assert "8 Jul 2024 51.0 %" in page.text
    assert "+20.0" in page.text
    assert "9 Apr 2024 +1.0" in page.text
    assert "24 Feb 2024 × not comparable" in page.text


def test_trend_and_what_it_would_miss(outcomes: list[Outcome], page: Page) -> None:
    trend = build_timelines(outcomes)[0].trend
    assert trend is not None
    assert "would be missed in one case of five" in trend.sentence
    assert f"Straight-line trend {trend.sentence} A line is a summary of the past" in page.text


def test_why_no_trend_is_stated() -> None:
    said = "Too short a time for a yearly trend: 3 visits in 10 days, and it takes at least 90."
    short = Page(build_report(context_of(replicated([[0.4], [0.5], [0.9]], every_days=5))))
    assert f"Straight-line trend {said}" in short.text
    pair = Page(build_report(context_of(replicated([[0.4], [0.5]]))))
    assert "Straight-line trend" not in pair.text


def test_precision_is_stated_with_its_own_uncertainty(outcomes: list[Outcome], page: Page) -> None:
    timeline = build_timelines(outcomes)[0]
    low, high = 100 * timeline.mdc_low_fraction, 100 * timeline.mdc_high_fraction
    assert low < 100 * timeline.mdc_fraction < high
    assert (
        f"(MDC95); it is itself known to lie between {low:.1f} and {high:.1f} points." in page.text
    )


def test_the_hair_index_is_shown_apart_from_the_percentages() -> None:
    nearly_full = replicated([[0.5], [0.6], [0.4], [0.94], [0.97]])
    (timeline,) = build_timelines(nearly_full)
    # By hand: −ln 0.5 = 0.69, −ln 0.4 = 0.92, −ln 0.6 = 0.51, −ln 0.06 = 2.81.
    levels = [row.level.partition(" (")[0] for row in hair_index_rows(timeline)]
    assert levels == ["0.69", "0.92", "0.51", "2.81", "–"]
    changes = [row.change.partition(" (")[0] for row in hair_index_rows(timeline)]
    assert changes == ["–", "+0.22", "−0.18", "+2.12", "–"]
    low, high = timeline.visits[1].hair_index_low, timeline.visits[1].hair_index_high
    shown = f"0.92 ({low:.2f} to {high:.2f})"
    assert hair_index_rows(timeline)[1].level == shown
    assert hair_index_rows(timeline)[3].level.endswith(" to –)")
    page = Page(build_report(context_of(nearly_full)))
    assert shown in page.text
    assert "−ln(1 − coverage), without a unit: not a percentage, and no count." in page.text


def _rows_of(timeline) -> dict[str, str]:
    return {row.part.partition(":")[0]: row.sd for row in precision_rows(timeline)}


def test_precision_names_what_goes_into_the_interval() -> None:
    doubtful = [measured(0.4 + day / 900, day=day, doubt=0.04) for day in (0, 90)]
    (timeline,) = build_timelines(doubtful, error_model=MEASURED_ERRORS)
    # By hand: the shared part is the root of 0.5² and (0.65 · 4)² points, d the prior of 2.0.
    assert precision_words(timeline).startswith(
        "Compared with other photographs of this view, one photograph may be off by 3.3 points "
        "(one standard deviation). Two things make that up: how much photographs of one visit "
        "differ (2.0 points, assumed, because there are too few repeated photographs), and how "
        "surely hair can be told from skin in these photographs (2.6 points). Taking more"
    )
    assert _rows_of(timeline) == {
        "a": "2.0",
        "b": "0.5",
        "c": "0.0",
        "d": "2.0",
        "e": "2.6",
        "one photograph": "3.3",
    }
    assert (
        "e: shared by a visit 2.6 12 from the network’s doubt"
        in Page(build_report(context_of(doubtful, error_model=MEASURED_ERRORS))).text
    )


def test_a_part_that_outweighs_the_replicates_is_named() -> None:
    shaky = [measured(0.4, day=day, segmentation_sd=0.03, registration_sd=0.04) for day in (0, 90)]
    (timeline,) = build_timelines(shaky, error_model=MEASURED_ERRORS)
    assert (
        "differ (5.0 points, from copies of each photograph in other light, colour, sharpness and "
        "size, and from how surely it is aligned, which move the number more than repeated "
        "photographs say)"
    ) in precision_words(timeline)
    assert {"a": "2.0", "b": "3.0", "c": "4.0", "d": "5.0"}.items() <= _rows_of(timeline).items()


def test_what_rests_on_a_less_sure_alignment_says_so_beside_the_number() -> None:
    rough = [
        measured(0.3, is_reference=True, aligned_by="reference"),
        measured(0.5, day=90, tier=Tier.B, aligned_by="points"),
        measured(0.6, day=180, tier=Tier.B, aligned_by="outline"),
    ]
    text = Page(build_report(context_of(rough))).text
    by_hand, by_outline = "aligned by points set by hand", "aligned by the outline of the head"
    # At a glance (the latest visit), and in the table of changes.
    assert len(re.findall(rf"points \([^)]*\) less sure \(tier B\): {by_outline}", text)) == 1
    assert len(re.findall(rf"\d \([^)]*\) less sure \(tier B\): {by_hand}", text)) == 1
    # In the table of visits, and in that of all files.
    assert text.count("1 B by points set by hand") == 1
    assert text.count("B, by the outline of the head") == 1
    sure = Page(build_report(context_of([measured(0.3), measured(0.5, day=90)]))).text
    assert "less sure (tier B)" not in sure


def test_visits_made_in_vain_are_said_at_a_glance() -> None:
    vain = [measured(0.3, is_reference=True), refused(day=90), refused(day=180)]
    text = Page(build_report(context_of(vain))).text
    assert "One visit with a number; 2 other visits not comparable with it." in text
    assert "a change needs a second one" not in text


def test_the_interactive_chart_leaves_far_events_out_as_the_still_one_does() -> None:
    near, far = (Event(FIRST_DAY + dt.timedelta(days=n), "treatment") for n in (30, -3650))
    (section,) = context_of([measured(0.3), measured(0.5, day=90)]).sections
    section = dataclasses.replace(
        section, timeline=dataclasses.replace(section.timeline, events=(far, near))
    )
    events = json.loads(live_chart(section))["events"]
    assert events == [{"day": near.event_date.toordinal(), "label": "treatment"}]


def test_the_interactive_chart_tells_a_partly_refused_visit_from_a_refused_one() -> None:
    some = [measured(0.3), measured(0.5, day=90), refused(day=90, replicate=2), refused(day=180)]
    (section,) = context_of(some).sections
    assert [gap["lines"][0] for gap in json.loads(live_chart(section))["gaps"]] == [
        "9 April 2024: no number for 1 of 2 photographs",
        "8 July 2024: no number",
    ]
    fibres = VisitConditions("anna", FIRST_DAY + dt.timedelta(days=90), fibres=True)
    (barred,) = build_timelines(some[:2], conditions=[fibres])
    (gap,) = json.loads(live_chart(dataclasses.replace(section, timeline=barred)))["gaps"]
    assert gap["lines"][0] == "9 April 2024: not comparable"


def test_the_report_tells_a_comparison_from_a_level() -> None:
    text = Page(build_report(context_of([measured(0.3), measured(0.5, day=90)]))).text
    assert "The interval is for comparing these visits with one another." in text
    assert "it was off by 6 points on average, and by more than 15 in one of ten." in text
    assert "so a verdict near it may be withdrawn by a later report." in text


def test_the_interactive_chart_draws_and_says_less_sure_visits() -> None:
    (section,) = context_of(
        [measured(0.3), measured(0.5, day=90, tier=Tier.B, aligned_by="points")]
    ).sections
    first, second = json.loads(live_chart(section))["series"][0]["visits"]
    assert (first["hollow"], second["hollow"]) == (False, True)
    assert second["lines"][-1] == "Less sure (tier B): aligned by points set by hand"
    assert not any("Less sure" in line for line in first["lines"])
    assert json.loads(live_chart(section))["less_sure"] == "less sure (tier B)"


def test_what_was_stated_of_the_visits(outcomes: list[Outcome]) -> None:
    stated = (
        VisitConditions("anna", FIRST_DAY, wet=False, hair_length_mm=12.5, note=EVIL),
        VisitConditions("anna", FIRST_DAY + dt.timedelta(days=180), fibres=True, parting="left"),
    )
    timelines = build_timelines(outcomes, conditions=stated)
    context = context_of(outcomes)
    sections = tuple(
        dataclasses.replace(section, timeline=timeline)
        for section, timeline in zip(context.sections, timelines, strict=True)
    )
    page = Page(build_report(dataclasses.replace(context, sections=sections)))
    assert (
        f"Stated of the visits 10 January 2024: hair 12.5 mm long, dry, {EVIL}; 8 July 2024: "
        "hair fibres, parting left."
    ) in page.text
    assert "8 Jul 2024 × not comparable" in page.text


def test_findings_worth_a_reader_s_time(page: Page) -> None:
    assert "burnt out (warning) 4.25 % (limit 2 %) Turn the flash off." in page.text
    assert "messenger copy (info) Use the original." in page.text
    assert "Nothing to do." not in page.text


def test_methods_limits_and_provenance(page: Page) -> None:
    for text in ("scalptrack 1.2.3", "sha256 0123abcd", "Two folders were empty.", "MDC95"):
        assert text in page.text
    assert "It doesn't count hairs" in page.text
    assert "10 January 2024: haircut" in page.text


def test_the_same_context_gives_the_same_page(outcomes: list[Outcome], source: str) -> None:
    events = (Event(FIRST_DAY, "haircut"),)
    again = build_report(context_of(outcomes, events=events, drawn=True))
    assert again == source


def test_hostile_names_stay_text() -> None:
    hostile = [
        measured(0.4, subject=EVIL, view=EVIL, is_reference=True),
        measured(0.6, subject=EVIL, view=EVIL, day=90),
        dataclasses.replace(refused(subject=EVIL, view=EVIL, day=91), reason=Reason(EVIL, EVIL)),
        stray(EVIL, EVIL),
    ]
    events = (Event(FIRST_DAY + dt.timedelta(days=20), EVIL),)
    source = build_report(context_of(hostile, events=events, title=EVIL, drawn=True))
    page = Page(source)
    assert len(page.all("script")) == 1
    assert "x" not in [img["src"] for img in page.all("img")]
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert EVIL in page.text
    assert "49" not in page.text.split("How to read this")[0].replace("2024", "")


@pytest.mark.parametrize("name", ["a\nb\x00.jpg", "gpj.\u202eexe", "\udcff.jpg", "山田.jpg"])
def test_unprintable_names_do_not_break_the_page(name: str) -> None:
    outcome = dataclasses.replace(measured(0.4, subject=name), name=name)
    source = build_report(context_of([outcome], title=name))
    source.encode("utf-8")
    assert not re.search("[\x00\u202e]", source)


def test_charts_of_one_page_do_not_share_identifiers(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"] for attributes in page.all("use")}
    assert targets
    assert targets <= {f"#{name}" for name in ids}


@pytest.mark.parametrize(
    "address",
    ["https://example.org/a.jpg", "//host/a.jpg", "/etc/passwd", "../secret.jpg", "a/../b.jpg", ""],
)
def test_pictures_must_lie_beside_the_report(address: str) -> None:
    context = context_of([measured(0.4, is_reference=True), measured(0.5, day=90)])
    pictures = dataclasses.replace(context.sections[0].follow_ups[0], aligned=address)
    section = dataclasses.replace(context.sections[0], follow_ups=(pictures,))
    with pytest.raises(ValueError, match="not a path relative to the report"):
        build_report(dataclasses.replace(context, sections=(section,)))


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("S 1/50 %#2?.jpg", "S%201/50%20%25%232%3F.jpg"),
        ("ä/b.jpg", "%C3%A4/b.jpg"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("data:image/png;base64,iVBORw0KGgo=", "data:image/png;base64,iVBORw0KGgo="),
        ("data:image/svg+xml,<svg>", "data%3Aimage/svg%2Bxml%2C%3Csvg%3E"),
    ],
)
def test_addresses_are_encoded(address: str, written: str) -> None:
    context = context_of([measured(0.4, is_reference=True), measured(0.5, day=90)])
    pictures = dataclasses.replace(context.sections[0].follow_ups[0], aligned=address)
    section = dataclasses.replace(context.sections[0], follow_ups=(pictures,))
    page = Page(build_report(dataclasses.replace(context, sections=(section,))))
    assert written in [img["src"] for img in page.all("img")]


def test_pictures_that_were_not_made_are_left_out() -> None:
    context = context_of([measured(0.4, is_reference=True), measured(0.5, day=90)])
    pictures = dataclasses.replace(context.sections[0].follow_ups[0], overlay=None, gain_loss=None)
    section = dataclasses.replace(
        context.sections[0], follow_ups=(pictures,), reference_overlay=None, chart_png=None
    )
    page = Page(build_report(dataclasses.replace(context, sections=(section,))))
    assert len(page.all("img")) == 2


def test_an_empty_run_is_a_page() -> None:
    page = Page(build_report(ReportContext("Nothing", (stray("a.txt", "A text file."),), ())))
    assert "No file of this folder belongs to a subject and a view." in page.text
    assert "a.txt" in page.text
    assert "1 file in the folder" in page.text
