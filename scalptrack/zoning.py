"""Zones of a measured series: defined on its reference, carried to the others like the region."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scalptrack.measurement import measure
from scalptrack.pipeline import MeasuredPhotograph, Series
from scalptrack.records import BoolArray, Grid, Status, ZoneMeasurement
from scalptrack.zones import FoundZones, find_zones


@dataclass(frozen=True, slots=True, eq=False)
class ZonedSeries:
    """A series whose measurements hold zones, and which zones are given and why others aren't."""

    series: Series
    found: FoundZones


def with_zones(series: Series, *, forehead: str = "") -> ZonedSeries:
    """Measure the zones of a series that can be told.

    Parameters
    ----------
    series : Series
        As `scalptrack.pipeline.track` yields it.
    forehead : str
        Where the forehead points in pictures from above: ``"top"``, ``"bottom"`` or ``""``.
    """
    if series.reference is None or series.region is None:
        return ZonedSeries(series, FoundZones())
    analysis = series.photographs[series.reference].member.analysis
    segmentation, features = analysis.segmentation, analysis.features
    if segmentation is None or features is None or not series.region.any():
        return ZonedSeries(series, FoundZones())
    found = find_zones(
        segmentation,
        series.region,
        view=series.view,
        focal_px=features.camera.focal_px,
        forehead=forehead,
    )
    photographs = tuple(
        _zoned(each, found.regions, segmentation.grid) for each in series.photographs
    )
    return ZonedSeries(replace(series, photographs=photographs), found)


def _zoned(
    photograph: MeasuredPhotograph, regions: dict[str, BoolArray], grid: Grid
) -> MeasuredPhotograph:
    """The photograph with its zones measured; one that shows too little of a zone lacks it."""
    outcome, segmentation = photograph.outcome, photograph.member.analysis.segmentation
    if outcome.status is not Status.MEASURED or outcome.measurement is None or segmentation is None:
        return photograph
    registration = photograph.registration
    zones = []
    for zone, region in regions.items():
        measured = measure(
            segmentation,
            region,
            grid,
            registration.transform if registration else None,
            resampled=registration.resampled if registration else (),
        )
        if measured is not None:
            zones.append(
                ZoneMeasurement(
                    zone=zone,
                    hair_px=measured.hair_px,
                    region_px=measured.region_px,
                    registration_sd_fraction=measured.registration_sd_fraction,
                    doubt_fraction=measured.doubt_fraction,
                )
            )
    measurement = replace(outcome.measurement, zones=tuple(zones))
    return replace(photograph, outcome=replace(outcome, measurement=measurement))
