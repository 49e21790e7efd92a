"""What became of one photograph."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from scalptrack.records.codes import Reason, Status, Tier
from scalptrack.records.heads import Gate
from scalptrack.records.photographs import Finding, Quality


@dataclass(frozen=True, slots=True)
class Measurement:
    """Coverage of one region in one photograph; numerator and denominator are kept.

    Attributes
    ----------
    hair_px : float
        Sum of the hair fraction over the region, in pixels of the photograph.
    region_px : int
        Pixels of the region in the photograph.
    excluded_fraction : float
        Share of the scalp visible in this photograph that is not in the region.
    segmentation_sd_fraction, registration_sd_fraction : float
        Components of the error of the coverage, one standard deviation each.
    zones : tuple of ZoneMeasurement
        The same per named zone of the region; empty when there are none.
    doubt_fraction : float
        Mean of the segmentation's doubt over the region; 0 where it has none.
    """

    hair_px: float
    region_px: int
    excluded_fraction: float
    segmentation_sd_fraction: float
    registration_sd_fraction: float
    zones: tuple[ZoneMeasurement, ...] = ()
    doubt_fraction: float = 0.0

    @property
    def coverage_fraction(self) -> float:
        """Visible hair coverage of the region, 0 to 1."""
        return self.hair_px / self.region_px


@dataclass(frozen=True, slots=True)
class ZoneMeasurement:
    """Coverage of one named zone."""

    zone: str
    hair_px: float
    region_px: int
    registration_sd_fraction: float = 0.0
    doubt_fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: exactly one per file of the folder, whatever happened.

    ``flags`` are stable codes of doubts that did not prevent the measurement, ``warnings`` their
    sentences. ``reference_reason`` says of the reference why it is the one. ``aligned_by`` is
    ``"reference"``, ``"features"`` (tier A), ``"points"`` (set by hand), ``"strip"`` (the printed
    headband) or ``"outline"`` (all three tier B); empty where there is no alignment.
    """

    name: str
    subject: str
    view: str
    visit_date: date | None
    replicate: int | None
    sha256: str
    status: Status
    reason: Reason | None
    quality: Quality | None = None
    measurement: Measurement | None = None
    tier: Tier | None = None
    is_reference: bool = False
    reference_reason: Reason | None = None
    residual_px: float | None = None
    inliers: int | None = None
    overlap: float | None = None
    gates: tuple[Gate, ...] = ()
    warnings: tuple[Finding, ...] = ()
    aligned_by: str = ""
