import datetime as dt
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from scalptrack.chart import draw_timeline, timeline_png, timeline_svg
from scalptrack.chart.plan import MINIMUM_SPAN, percent_range, time_ticks
from scalptrack.longitudinal import build_timelines
from scalptrack.records import Event, Outcome, Tier, Timeline, VisitConditions
from tests.longitudinal.series import FIRST_DAY, measured, refused, replicated


def timeline_of(outcomes: list[Outcome], events: tuple[Event, ...] = ()) -> Timeline:
    (timeline,) = build_timelines(outcomes, events=events)
    return timeline


def day(number: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(days=number)


def by_gid(figure: Figure, gid: str) -> Artist:
    (artist,) = figure.findobj(lambda artist: artist.get_gid() == gid)
    return artist


def line(figure: Figure, gid: str) -> Line2D:
    artist = by_gid(figure, gid)
    assert isinstance(artist, Line2D)
    return artist


def texts(figure: Figure) -> list[str]:
    figure.canvas.draw()
    found = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return [text for artist in found if (text := artist.get_text().strip())]


def legend_labels(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.fixture
def mixed() -> Timeline:
    """Baseline, nothing, higher, refused, lower; pairs except at the last visit (tier B)."""
    outcomes = replicated([[0.40, 0.42], [0.41, 0.43], [0.60, 0.62]])
    outcomes += [refused(day=270), measured(0.15, day=360, tier=Tier.B)]
    return timeline_of(outcomes, (Event(day(30), "haircut"), Event(day(200), "new shampoo")))


def test_visits_stand_at_their_dates_and_coverages(mixed: Timeline) -> None:
    figure = draw_timeline(mixed)
    for visit in mixed.visits:
        mark = line(figure, f"visit-{visit.visit_date.isoformat()}")
        assert list(mark.get_xdata()) == [visit.visit_date.toordinal()]
        assert list(mark.get_ydata()) == [pytest.approx(100 * visit.coverage_fraction)]
        assert mark.get_linestyle() == "None"


def test_verdicts_differ_in_shape_and_colour(mixed: Timeline) -> None:
    figure = draw_timeline(mixed)
    marks = [line(figure, f"visit-{visit.visit_date.isoformat()}") for visit in mixed.visits]
    assert [mark.get_marker() for mark in marks] == ["s", "o", "^", "v"]
    assert len({mark.get_color() for mark in marks}) == 4
    assert [mark.get_markerfacecolor() == "#ffffff" for mark in marks] == [False] * 3 + [True]


def test_no_line_joins_the_visits(mixed: Timeline) -> None:
    figure = draw_timeline(mixed)
    assert len(figure.axes) == 2
    for axes in figure.axes:
        for drawn in axes.lines:
            if drawn.get_linestyle() != "None":
                assert drawn.get_gid() == "baseline" or len(set(drawn.get_xdata())) == 1


def test_interval_bars_span_the_intervals(mixed: Timeline) -> None:
    axes = draw_timeline(mixed).axes[0]
    bars = {
        (segment[0][0], round(segment[0][1], 6), round(segment[1][1], 6))
        for collection in axes.collections
        if hasattr(collection, "get_segments")
        for segment in collection.get_segments()
    }
    for visit in mixed.visits:
        low, high = round(100 * visit.low_fraction, 6), round(100 * visit.high_fraction, 6)
        assert (visit.visit_date.toordinal(), low, high) in bars


def test_band_is_the_limit_around_baseline(mixed: Timeline) -> None:
    figure = draw_timeline(mixed)
    vertices = by_gid(figure, "band").get_paths()[0].vertices  # type: ignore[attr-defined]
    centre = mixed.visits[0].coverage_fraction
    for change in mixed.changes:
        if np.isnan(change.mdc_fraction):
            continue
        reach = 100 * (centre + change.mdc_fraction)
        assert np.any(np.isclose(vertices[:, 1], reach)), change
    assert vertices[:, 0].min() == mixed.visits[0].visit_date.toordinal()
    assert "can't be told from baseline" in legend_labels(figure)


def test_a_point_outside_the_band_has_a_verdict_and_one_inside_has_none(mixed: Timeline) -> None:
    """What the picture shows and what the sentence says agree at every visit."""
    path = by_gid(draw_timeline(mixed), "band").get_paths()[0]  # type: ignore[attr-defined]
    for visit, change in zip(mixed.visits[1:], [mixed.changes[i] for i in (0, 1, 3)], strict=True):
        inside = path.contains_point((visit.visit_date.toordinal(), 100 * visit.coverage_fraction))
        assert inside == (change.verdict == "no detectable change")


def test_single_photographs_are_dots(mixed: Timeline) -> None:
    figure = draw_timeline(mixed)
    dots = line(figure, f"replicates-{day(180).isoformat()}")
    assert list(dots.get_ydata()) == pytest.approx([60.0, 62.0])
    assert not figure.findobj(lambda a: a.get_gid() == f"replicates-{day(360).isoformat()}")


def test_refused_visit_is_a_numbered_cross_with_its_reason(mixed: Timeline) -> None:
    figure = draw_timeline(mixed)
    lane = figure.axes[1]
    assert [list(cross.get_xdata()) for cross in lane.lines] == [[day(270).toordinal()]]
    assert [cross.get_marker() for cross in lane.lines] == ["x"]
    assert lane.texts[0].get_text() == "1"
    assert "× 1  6 Oct 2024: The photograph is blurred" in texts(figure)


def test_partly_refused_visit_says_so() -> None:
    outcomes = [measured(0.4), measured(0.5, day=90), refused(day=90, replicate=2)]
    figure = draw_timeline(timeline_of(outcomes))
    expected = "× 1  9 Apr 2024 (1 of 2 photographs): The photograph is blurred"
    assert expected in texts(figure)


def test_long_reasons_and_many_gaps_are_cut_but_counted() -> None:
    outcomes = [measured(0.4)]
    outcomes += [refused(day=30 * n, message=f"{n} " + "far too long " * 40) for n in range(1, 9)]
    written = texts(draw_timeline(timeline_of(outcomes)))
    assert sum(text.startswith("× ") for text in written) == 5
    assert "… and 3 more visits without a number" in written
    assert max(len(text) for text in written) <= 80


def test_events_are_labelled_lines(mixed: Timeline) -> None:
    figure = draw_timeline(mixed)
    axes = figure.axes[0]
    labels = {text.get_text(): text.xy[0] for text in axes.texts}  # type: ignore[attr-defined]
    assert labels == {"haircut": day(30).toordinal(), "new shampoo": day(200).toordinal()}


def test_far_events_are_written_and_do_not_squash_the_axis() -> None:
    outcomes = replicated([[0.4], [0.5]])
    figure = draw_timeline(timeline_of(outcomes, (Event(dt.date(1999, 1, 1), "diagnosis"),)))
    assert "Outside this time: diagnosis, 1 January 1999" in texts(figure)
    low, high = figure.axes[0].get_xlim()
    assert high - low < 200


def test_labels_of_close_events_do_not_overlap() -> None:
    events = tuple(Event(day(5 * n), f"event number {n}") for n in range(6))
    figure = draw_timeline(timeline_of(replicated([[0.4], [0.5], [0.4]]), events))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 6
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_title_and_summary(mixed: Timeline) -> None:
    written = texts(draw_timeline(mixed))
    assert "anna · vertex" in written
    assert any(text.startswith("4 January 2025: Visible hair coverage is") for text in written)
    without = texts(draw_timeline(mixed, heading=False))
    assert "anna · vertex" not in without
    assert not any(text.startswith("4 January 2025: Visible") for text in without)


def test_trend_is_written_below_a_chart_that_stands_alone() -> None:
    timeline = timeline_of(replicated([[0.4], [0.5], [0.4]]))
    assert timeline.trend is not None
    standing_alone = " ".join(texts(draw_timeline(timeline)))
    assert timeline.trend.sentence in standing_alone
    assert timeline.trend.sentence not in " ".join(texts(draw_timeline(timeline, heading=False)))


def test_why_no_trend_is_stated_is_written_in_its_place() -> None:
    timeline = timeline_of(replicated([[0.4], [0.5], [0.9]], every_days=5))
    assert timeline.trend is None
    said = "Too short a time for a yearly trend: 3 visits in 10 days, and it takes at least 90."
    assert said in " ".join(texts(draw_timeline(timeline)))
    pair = timeline_of(replicated([[0.4], [0.5]]))
    assert "yearly trend" not in " ".join(texts(draw_timeline(pair)))


def test_uncalibrated_is_said_only_when_it_is() -> None:
    text = "Uncalibrated: take two photographs per visit."
    assert text in texts(draw_timeline(timeline_of(replicated([[0.4], [0.5]]))))
    paired = replicated([[0.4, 0.41], [0.5, 0.51], [0.5, 0.51]])
    assert text not in texts(draw_timeline(timeline_of(paired)))


def test_hollow_marks_are_explained_below_the_chart() -> None:
    outcomes = [
        measured(0.4),
        measured(0.5, day=90, tier=Tier.B, aligned_by="points"),
        measured(0.5, day=180, tier=Tier.B, aligned_by="outline"),
        measured(0.5, day=270, tier=Tier.B, aligned_by="points"),
    ]
    written = " ".join(texts(draw_timeline(timeline_of(outcomes), heading=False)))
    assert (
        "Hollow, less sure (tier B): aligned by points set by hand (9 Apr 2024, 6 Oct 2024); "
        "aligned by the outline of the head (8 Jul 2024)."
    ) in written
    assert "Hollow" not in " ".join(texts(draw_timeline(timeline_of([measured(0.4)]))))


def test_a_line_through_hollow_marks_says_so_below_the_chart() -> None:
    rough = [measured(0.5, day=day, tier=Tier.B, aligned_by="outline") for day in (90, 180)]
    written = " ".join(texts(draw_timeline(timeline_of([measured(0.4), *rough]))))
    assert written.count("2 of the 3 visits are aligned by the outline of the head") == 1
    assert "which can't tell whether it is the same head." in written


def test_nothing_measured_is_drawn_and_said() -> None:
    outcomes = [refused(day=n, message=f"reason {n}") for n in (0, 60)] + [refused(day=None)]
    figure = draw_timeline(timeline_of(outcomes, (Event(day(10), "haircut"),)))
    written = texts(figure)
    assert "No coverage can be stated" in written
    assert "× 3  no date: The photograph is blurred" in written
    assert len(figure.axes[1].lines) == 2
    assert figure.axes[0].get_ylim() == (0.0, 100.0)


def test_a_single_visit_can_be_drawn() -> None:
    figure = draw_timeline(timeline_of([measured(0.62)]))
    assert list(line(figure, f"visit-{day(0).isoformat()}").get_ydata()) == [pytest.approx(62.0)]


@pytest.mark.parametrize(
    "coverages", [[0.5, 0.5], [0.0, 0.01], [0.99, 1.0], [0.05, 0.95], [0.3, 0.35, 0.6]]
)
def test_percent_axis_shows_everything_and_exaggerates_nothing(coverages: list[float]) -> None:
    timeline = timeline_of(replicated([[value] for value in coverages]))
    low, high, step = percent_range(timeline)
    assert 0.0 <= low < high <= 100.0
    assert high - low >= MINIMUM_SPAN
    for visit in timeline.visits:
        assert low <= 100 * visit.low_fraction <= 100 * visit.high_fraction <= high
    assert (high - low) / step <= 8


@pytest.mark.parametrize("span", [1, 20, 60, 74, 75, 120, 300, 400, 800, 2000, 6000])
def test_time_ticks_are_true_dates_few_and_name_the_year(span: int) -> None:
    first = dt.date(2023, 11, 20)
    last = first + dt.timedelta(days=span)
    ticks = time_ticks(first, last)
    assert len(ticks) <= 9
    assert all(first <= when <= last for when, _ in ticks)
    if span > 20:
        assert len(ticks) >= 2
    years = [label for _, label in ticks if re.search(r"\n\d{4}$", label)]
    assert len(years) == len({when.year for when, _ in ticks})


def test_the_same_timeline_gives_the_same_bytes(mixed: Timeline) -> None:
    assert timeline_svg(mixed) == timeline_svg(mixed)
    assert timeline_png(mixed) == timeline_png(mixed)


def test_png_is_wide_enough_for_print(mixed: Timeline) -> None:
    with Image.open(io.BytesIO(timeline_png(mixed))) as image:
        assert image.format == "PNG"
        assert image.width == 1152
        assert "Software" not in image.info


def test_svg_keeps_text_as_text_and_no_date(mixed: Timeline) -> None:
    source = timeline_svg(mixed).decode()
    root = ET.fromstring(source)
    words = [text for element in root.iter() for text in [(element.text or "").strip()] if text]
    assert "anna · vertex" in words
    assert "<dc:date>" not in source
    assert source.count("'DejaVu Sans', Verdana, sans-serif") > 10


@pytest.mark.parametrize(
    "name", ["$x^2$ \\frac{", "山田太郎", "Ærø ñandú ẞ", "a\nb\x00c", "\udcff\u202egnp.", "W" * 200]
)
def test_any_name_can_be_drawn(name: str) -> None:
    timeline = timeline_of([measured(0.4, subject=name)], (Event(day(3), name),))
    root = ET.fromstring(timeline_svg(timeline))
    words = [element.text or "" for element in root.iter()]
    title, *_ = [word for word in words if word.endswith(("· vertex", "W…"))]
    assert len(title) <= 44
    assert timeline_png(timeline).startswith(b"\x89PNG")


def test_drawing_leaves_the_users_settings_alone(mixed: Timeline) -> None:
    import matplotlib as mpl

    names = [name for name in mpl.rcParams if name != "backend"]
    before = [mpl.rcParams[name] for name in names]
    timeline_svg(mixed)
    assert [mpl.rcParams[name] for name in names] == before


def test_what_was_stated_of_the_visits_is_not_cut_from_the_summary() -> None:
    stated = [
        VisitConditions("anna", FIRST_DAY, hair_length_mm=10.0, parting="left"),
        VisitConditions("anna", day(90), hair_length_mm=15.0, parting="right", dyed=True),
    ]
    (timeline,) = build_timelines(replicated([[0.4], [0.5]]), conditions=stated)
    assert len(timeline.changes[0].caveats) == 3
    assert timeline.summary in " ".join(texts(draw_timeline(timeline)))
