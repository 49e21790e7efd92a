"""Zones of a series: defined once on the reference, carried to the others like the region."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from builders import Shift, disc, segmentation_of

from scalptrack import zoning
from scalptrack.aligning import Analysis, Member
from scalptrack.pipeline import MeasuredPhotograph, Series
from scalptrack.records import (
    Measurement,
    Outcome,
    Photograph,
    Quality,
    Reason,
    Registration,
    Status,
    Tier,
)
from scalptrack.zones import FoundZones
from scalptrack.zoning import with_zones

SIZE = 120
REGION = disc(SIZE, 45)
UPPER = REGION & (np.arange(SIZE) < 60)[:, None]
SPECK = disc(SIZE, 6)


@dataclass(frozen=True)
class Camera:
    focal_px: float = 500.0


@dataclass(frozen=True)
class Features:
    camera: Camera = Camera()


def _photograph(number: int, fraction: np.ndarray, shift: Shift | None) -> MeasuredPhotograph:
    photograph = Photograph(
        "s", "vertex", date(2026, number, 1), 1, Path("x"), f"{number}.jpg", "0", SIZE, SIZE
    )
    segmentation = segmentation_of(fraction, np.ones((SIZE, SIZE), bool))
    segmentation = replace(segmentation, doubt=segmentation.hair_fraction / 10)
    member = Member(photograph, Analysis(Quality(()), segmentation, Features()))
    registration = None
    if shift is not None:
        registration = Registration(Tier.A, shift, (), 1.0, 50, 0.9, ())
    outcome = Outcome(
        name=photograph.name,
        subject="s",
        view="vertex",
        visit_date=photograph.visit_date,
        replicate=1,
        sha256="0",
        status=Status.MEASURED,
        reason=None,
        measurement=Measurement(1.0, 10, 0.1, 0.0, 0.0),
        tier=Tier.A,
        is_reference=shift is None,
    )
    return MeasuredPhotograph(member, registration, outcome)


def _halves(upper: float, lower: float, border: int) -> np.ndarray:
    rows = np.arange(SIZE)[:, None]
    return np.broadcast_to(np.where(rows < border, upper, lower), (SIZE, SIZE))


def _series() -> Series:
    first = _photograph(1, _halves(0.2, 0.9, 60), None)
    # The head lies 7 pixels lower here, and its upper half has gained hair.
    lower = np.array(_halves(0.5, 0.9, 67))
    lower[:22] = 1.0
    second = _photograph(2, lower, Shift(0.0, 7.0))
    return Series("s", "vertex", (first, second), 0, REGION)


def _given(regions: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    seen = []

    def find(segmentation, region, **named):
        seen.append(named)
        return FoundZones(regions, dict.fromkeys(regions, 0.8), {"frontal": Reason("x", "X.")})

    monkeypatch.setattr(zoning, "find_zones", find)
    return seen


def test_a_zone_follows_the_head(monkeypatch):
    asked = _given({"vertex": UPPER}, monkeypatch)
    zoned = with_zones(_series(), forehead="top")
    zones = [zone for each in zoned.series.photographs for zone in each.outcome.measurement.zones]
    coverages = [zone.hair_px / zone.region_px for zone in zones]
    # The band of half a pixel at the straight border mixes in a little of the lower half.
    assert coverages == pytest.approx([0.2, 0.5], abs=0.01)
    assert [10 * zone.doubt_fraction for zone in zones] == pytest.approx(coverages, rel=1e-4)
    assert asked == [{"view": "vertex", "focal_px": 500.0, "forehead": "top"}]
    assert zoned.found.withheld["frontal"].code == "x"


def test_the_whole_measurement_stays_what_it_was(monkeypatch):
    _given({"vertex": UPPER}, monkeypatch)
    for before, after in zip(
        _series().photographs, with_zones(_series()).series.photographs, strict=True
    ):
        assert replace(after.outcome.measurement, zones=()) == before.outcome.measurement


def test_a_zone_too_small_to_measure_has_no_number(monkeypatch):
    _given({"vertex": UPPER, "occipital": SPECK}, monkeypatch)
    for each in with_zones(_series()).series.photographs:
        assert [zone.zone for zone in each.outcome.measurement.zones] == ["vertex"]


def test_a_refused_photograph_has_no_zones(monkeypatch):
    _given({"vertex": UPPER}, monkeypatch)
    series = _series()
    refused = replace(
        series.photographs[1].outcome, status=Status.REFUSED, measurement=None, tier=Tier.C
    )
    photographs = (series.photographs[0], replace(series.photographs[1], outcome=refused))
    zoned = with_zones(replace(series, photographs=photographs))
    assert zoned.series.photographs[1].outcome == refused


def test_a_series_without_a_reference_has_no_zones(monkeypatch):
    _given({"vertex": UPPER}, monkeypatch)
    series = replace(_series(), reference=None, region=None)
    zoned = with_zones(series)
    assert zoned.series == series
    assert zoned.found.regions == {}
