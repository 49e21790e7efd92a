"""zones.csv, and the small multiples of the zones."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from longitudinal.series import FIRST_DAY, measured, refused

from scalptrack.chart import draw_zones, zones_png, zones_svg
from scalptrack.longitudinal import build_timelines
from scalptrack.records import Reason, Tier, ZoneTimeline
from scalptrack.zone_tables import ZONE_COLUMNS, zone_timelines, zones_csv
from scalptrack.zones import FoundZones

(VERTEX,) = build_timelines([measured(0.2), measured(0.6, day=90), refused(day=180)])
(OCCIPITAL,) = build_timelines([measured(0.8), measured(0.81, day=90)])
WITHHELD = Reason("border_uncertain", "Not given.")
ZONES = (
    ZoneTimeline("anna", "vertex", "vertex", 0.83, VERTEX),
    ZoneTimeline("anna", "vertex", "occipital", 0.41, OCCIPITAL),
    ZoneTimeline("anna", "vertex", "frontal", reason=WITHHELD),
)


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_given_and_withheld_zones_are_listed_in_order():
    found = {
        ("b", "vertex"): FoundZones(withheld={"vertex": WITHHELD}),
        ("a", "vertex"): FoundZones({"vertex": None}, {"vertex": 0.5}, {"frontal": WITHHELD}),
    }
    listed = zone_timelines(found, {("a", "vertex", "vertex"): VERTEX})
    assert [(each.subject, each.zone, each.timeline is not None) for each in listed] == [
        ("a", "frontal", False),
        ("a", "vertex", True),
        ("b", "vertex", False),
    ]
    assert listed[1].seen_fraction == 0.5
    assert listed[2].reason is WITHHELD


def test_the_table_has_a_row_per_zone_and_visit_and_one_per_withheld_zone():
    text = zones_csv(ZONES)
    assert tuple(text.splitlines()[0].split(",")) == ZONE_COLUMNS
    rows = _rows(text)
    assert [(row["zone"], row["visit_date"]) for row in rows] == [
        ("vertex", "2024-01-10"),
        ("vertex", "2024-04-09"),
        ("vertex", "2024-07-08"),
        ("occipital", "2024-01-10"),
        ("occipital", "2024-04-09"),
        ("frontal", ""),
    ]
    assert rows[1]["coverage_percent"] == "60.000"
    assert rows[1]["change_points"] == "40.000"
    assert rows[1]["verdict"] == "increase"
    assert rows[1]["seen_percent"] == "83.0"
    assert rows[2]["photographs"] == "0"
    assert rows[2]["coverage_percent"] == ""
    assert rows[2]["verdict"] == "not comparable"
    assert (rows[5]["reason_code"], rows[5]["reason"]) == ("border_uncertain", "Not given.")
    assert rows[5]["coverage_percent"] == ""


def test_a_zone_that_rests_on_a_less_sure_alignment_says_so():
    by_hand = measured(0.6, day=90, tier=Tier.B, aligned_by="points")
    (timeline,) = build_timelines([measured(0.2), by_hand, measured(0.6, day=180)])
    zone = ZoneTimeline("anna", "vertex", "vertex", 0.83, timeline)
    rows = _rows(zones_csv([zone]))
    assert [(row["tier"], row["aligned_by"]) for row in rows] == [
        ("A", ""),
        ("B", "points"),
        ("A", ""),
    ]
    # Where the baseline is the less sure visit, every change rests on it.
    (turned,) = build_timelines(
        [replace(by_hand, visit_date=FIRST_DAY), measured(0.6, day=90), measured(0.6, day=180)]
    )
    rows = _rows(zones_csv([replace(zone, timeline=turned)]))
    assert [(row["tier"], row["aligned_by"]) for row in rows] == [("B", "points")] * 3


def test_the_panels_say_what_hollow_marks_are_aligned_by_and_when():
    by_hand = measured(0.6, day=90, tier=Tier.B, aligned_by="points")
    by_outline = measured(0.6, day=180, tier=Tier.B, aligned_by="outline")
    (both,) = build_timelines([measured(0.2), by_hand, by_outline])
    (one,) = build_timelines([measured(0.3), by_hand])
    zones = [
        ZoneTimeline("anna", "vertex", name, 0.83, each)
        for name, each in (("vertex", one), ("occipital", both))
    ]
    written = " ".join(text.get_text() for text in draw_zones(zones).texts)
    assert written.endswith(
        "Hollow, less sure (tier B): aligned by points set by hand (9 Apr 2024); aligned by the "
        "outline of the head (8 Jul 2024)."
    )


def test_visits_of_a_zone_without_a_number_are_crosses_below_its_panel():
    figure = draw_zones(ZONES)
    lanes = {axes.get_gid(): axes for axes in figure.axes}
    (cross,) = lanes["none-vertex"].lines
    assert list(cross.get_xdata()) == [FIRST_DAY.toordinal() + 180]
    assert list(lanes["none-occipital"].lines[0].get_xdata()) == []
    assert [axes.get_gid() for axes in draw_zones(ZONES[1:2]).axes] == ["zone-occipital"]


def test_the_panels_explain_their_marks():
    (legend,) = draw_zones(ZONES).legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "baseline",
        "higher than at baseline",
        "no detectable change",
        "can't be told from baseline",
    ]


def test_without_zones_the_table_has_its_columns_only():
    assert zones_csv(()) == ",".join(ZONE_COLUMNS) + "\n"


def _means(axes) -> list[float]:
    return [
        float(line.get_ydata()[0])
        for line in axes.lines
        if str(line.get_gid()).startswith("visit-")
    ]


def test_each_given_zone_has_a_panel_with_its_own_visits_on_one_scale():
    figure = draw_zones(ZONES)
    vertex, occipital = (axes for axes in figure.axes if str(axes.get_gid()).startswith("zone-"))
    assert [axes.get_gid() for axes in (vertex, occipital)] == ["zone-vertex", "zone-occipital"]
    assert _means(vertex) == pytest.approx([20.0, 60.0])
    assert _means(occipital) == pytest.approx([80.0, 81.0])
    assert vertex.get_ylim() == occipital.get_ylim()
    assert [limit % 10 for limit in vertex.get_ylim()] == [0, 0]
    assert vertex.get_xlim() == occipital.get_xlim()
    texts = [text.get_text() for text in figure.texts]
    assert texts == [
        "anna · vertex: zones",
        "vertex (83 % of the zone is seen)",
        "occipital (41 % of the zone is seen)",
    ]


def test_the_charts_of_zones_are_the_same_bytes_again():
    assert zones_svg(ZONES) == zones_svg(ZONES)
    assert zones_png(ZONES)[:4] == b"\x89PNG"


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError, match="no zone has a timeline"):
        draw_zones([replace(ZONES[2])])
