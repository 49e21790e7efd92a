"""Timelines of zones: the statistics of a region, wider where the zone is smaller."""

from __future__ import annotations

from dataclasses import replace

import pytest
from longitudinal.series import measured, refused
from scipy import stats

from scalptrack.longitudinal import ErrorModel, build_timelines
from scalptrack.longitudinal.zone_timelines import build_zone_timelines
from scalptrack.records import Outcome, Verdict, ZoneMeasurement

MODEL = ErrorModel(visit_sd_fraction=0.02)


def _zoned(outcome: Outcome, **zones: tuple[float, int]) -> Outcome:
    """The outcome with zones: name -> (coverage, pixels)."""
    found = tuple(
        ZoneMeasurement(name.replace("_", "-"), coverage * px, px)
        for name, (coverage, px) in zones.items()
    )
    return replace(outcome, measurement=replace(outcome.measurement, zones=found))


def test_a_zone_as_large_as_the_region_has_the_regions_timeline():
    outcomes = [
        _zoned(measured(0.3, day=0), vertex=(0.3, 1_000_000)),
        _zoned(measured(0.6, day=90), vertex=(0.6, 1_000_000)),
        refused(day=180),
    ]
    zones = build_zone_timelines(outcomes, error_model=MODEL)
    assert list(zones) == [("anna", "vertex", "vertex")]
    (whole,) = build_timelines(outcomes, error_model=MODEL)
    assert zones["anna", "vertex", "vertex"] == whole


def test_a_doubtful_zone_has_its_own_doubt():
    model = ErrorModel(visit_sd_per_doubt=0.5)
    outcome = _zoned(measured(0.3, doubt=0.02), crown=(0.3, 900_000), side=(0.3, 900_000))
    calm, doubtful = outcome.measurement.zones
    zones = (calm, replace(doubtful, doubt_fraction=0.2))
    outcome = replace(outcome, measurement=replace(outcome.measurement, zones=zones))
    found = build_zone_timelines([outcome], error_model=model)
    sds = [found["anna", "vertex", name].visits[0].sd_fraction for name in ("crown", "side")]
    assert sds[1] ** 2 - sds[0] ** 2 == pytest.approx(0.1**2)


def test_each_zone_is_counted_on_its_own():
    outcomes = [
        _zoned(measured(0.4, day=0), vertex=(0.2, 500_000), occipital=(0.6, 500_000)),
        _zoned(measured(0.5, day=90), vertex=(0.6, 500_000), occipital=(0.6, 500_000)),
    ]
    zones = build_zone_timelines(outcomes, error_model=MODEL)
    (vertex,) = zones["anna", "vertex", "vertex"].changes
    (occipital,) = zones["anna", "vertex", "occipital"].changes
    assert vertex.change_fraction == pytest.approx(0.4)
    assert vertex.verdict is Verdict.INCREASE
    assert occipital.change_fraction == pytest.approx(0.0)
    assert occipital.verdict is Verdict.NO_DETECTABLE_CHANGE


@pytest.mark.parametrize(("pixels", "factor"), [(500_000, 2**0.5), (50_000, 2.0)])
def test_a_smaller_zone_is_expected_to_scatter_more(pixels, factor):
    outcomes = [_zoned(measured(0.4, day=day), vertex=(0.4, pixels)) for day in (0, 90)]
    timeline = build_zone_timelines(outcomes, error_model=MODEL)["anna", "vertex", "vertex"]
    assert timeline.within_sd_fraction == pytest.approx(MODEL.prior_sd_fraction * factor)


def test_two_zones_share_the_false_alarms_of_one():
    def timeline(**zones: tuple[float, int]):
        outcomes = [_zoned(measured(0.4, day=day), **zones) for day in (0, 90)]
        return build_zone_timelines(outcomes, error_model=MODEL)["anna", "vertex", "vertex"]

    alone = timeline(vertex=(0.4, 1_000_000))
    shared = timeline(vertex=(0.4, 1_000_000), occipital=(0.4, 1_000_000))
    dof = alone.effective_degrees_of_freedom
    assert shared.changes[0].mdc_fraction / alone.changes[0].mdc_fraction == pytest.approx(
        stats.t.ppf(1 - 0.0125, dof) / stats.t.ppf(1 - 0.025, dof), rel=2e-3
    )


def test_a_photograph_that_lacks_a_zone_is_a_gap_of_its_timeline():
    outcomes = [
        _zoned(measured(0.4, day=0), vertex=(0.4, 500_000)),
        measured(0.5, day=90),
        _zoned(measured(0.5, day=180), vertex=(0.5, 500_000)),
    ]
    timeline = build_zone_timelines(outcomes, error_model=MODEL)["anna", "vertex", "vertex"]
    assert len(timeline.visits) == 2
    (gap,) = timeline.gaps
    assert (gap.name, gap.reason.code) == (outcomes[1].name, "zone_hidden")
    assert timeline.changes[0].verdict is Verdict.NOT_COMPARABLE
    assert timeline.changes[0].sentence == (
        "Not comparable with the first visit: Too little of the vertex zone is seen in this "
        "photograph."
    )


def test_a_zone_that_the_first_visit_lacks_is_not_counted_from_the_first_visit():
    outcomes = [
        measured(0.4, day=0),
        _zoned(measured(0.4, day=90), vertex=(0.3, 500_000)),
        _zoned(measured(0.4, day=180), vertex=(0.6, 500_000)),
    ]
    timeline = build_zone_timelines(outcomes, error_model=MODEL)["anna", "vertex", "vertex"]
    assert "30.0 points higher than at the visit of 9 April 2024" in timeline.summary
    assert timeline.notes[0] == (
        "The first visit (10 January 2024) has no number, so changes are counted from 9 April "
        "2024, the earliest visit that has one. Too little of the vertex zone is seen in this "
        "photograph."
    )


def test_no_zones_no_timelines():
    assert build_zone_timelines([measured(0.4), refused(day=3)]) == {}
