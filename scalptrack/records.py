"""The frozen records that flow between the stages.

Conventions: points are ``(N, 2)`` float arrays of (x, y) with pixel centres at integers; masks are
bool ``(H, W)``; fractions are float32 ``(H, W)`` in [0, 1]. A field named ``*_fraction`` is in
[0, 1], ``*_px`` in pixels, ``*_deg`` in degrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]
ImageArray = NDArray[np.uint8]


class RegionClass(IntEnum):
    """Codes of ``NAME.classes.png``."""

    BACKGROUND = 0
    SCALP_SKIN = 1
    HAIR = 2
    OTHER_SKIN = 3
    OBJECT = 4


class Status(StrEnum):
    """What became of a file: a coverage, a refusal by a gate, or not a usable photograph."""

    MEASURED = "measured"
    REFUSED = "refused"
    REJECTED = "rejected"


class Tier(StrEnum):
    """How far a registration can be trusted."""

    A = "A"
    B = "B"
    C = "C"


class Severity(StrEnum):
    """How bad a quality finding is; a photograph with an ERROR is not usable."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Verdict(StrEnum):
    """What can be said about a change from baseline."""

    INCREASE = "increase"
    DECREASE = "decrease"
    NO_DETECTABLE_CHANGE = "no detectable change"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no number: a stable code and a sentence for a person."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class CaptureInfo:
    """What the file says about how it was taken; never a place, a name or a serial number.

    Attributes
    ----------
    taken_at : datetime or None
        Capture time written by the camera (naive: cameras rarely know their zone).
    focal_length_35mm : float or None
        Focal length in mm, equivalent on the 43.27 mm diagonal of 35 mm film.
    camera : str or None
        Make and model of the camera.
    view_hint : str or None
        One of the program's own views that the file names (DICOM only); never free text.
    copied_by : str or None
        ``"messenger"``, ``"screenshot"`` or ``"recompressed"`` where the file isn't the original.
    """

    taken_at: datetime | None = None
    focal_length_35mm: float | None = None
    camera: str | None = None
    view_hint: str | None = None
    copied_by: str | None = None


@dataclass(frozen=True, slots=True)
class Photograph:
    """One file that is a photograph of one view of one subject at one visit.

    ``path`` is where the original lies (read-only), ``name`` its path relative to the catalogued
    folder with forward slashes, ``sha256`` the identity of its content. ``set_as_reference`` is
    True where the user chose it as the reference of its subject and view.
    """

    subject: str
    view: str
    visit_date: date
    replicate: int
    path: Path
    name: str
    sha256: str
    width_px: int
    height_px: int
    capture: CaptureInfo = field(default_factory=CaptureInfo)
    set_as_reference: bool = False


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file that is not a usable photograph, with what is known of it."""

    path: Path
    name: str
    reason: Reason
    subject: str = ""
    view: str = ""
    visit_date: date | None = None
    replicate: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that lies in the folder: photographs, and rejected files with their reasons."""

    root: Path
    photographs: tuple[Photograph, ...]
    rejected: tuple[RejectedFile, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of the quality check.

    Attributes
    ----------
    code : str
        Stable name, e.g. ``"blurred"``.
    value, limit : float
        What was measured and where the limit lies, in ``unit``.
    advice : str
        One sentence that says what to do differently when retaking.
    """

    code: str
    severity: Severity
    value: float
    limit: float
    unit: str
    advice: str


COPY_CODES = frozenset({"messenger_copy", "screenshot", "recompressed_copy"})
"""Codes of findings that say that a file isn't the camera's own; they only inform."""


@dataclass(frozen=True, slots=True)
class Quality:
    """All findings about one photograph."""

    findings: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        """True when no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Grid:
    """An axis-aligned sampling grid laid over a photograph.

    Grid pixel (u, v) has its centre at photograph point ``(x0_px + u * step_px, y0_px + v *
    step_px)``.

    Attributes
    ----------
    x0_px, y0_px : float
        Photograph point of the centre of grid pixel (0, 0).
    step_px : float
        Photograph pixels per grid pixel.
    width, height : int
        Size of the grid.
    """

    x0_px: float
    y0_px: float
    step_px: float
    width: int
    height: int

    def photograph_points(self) -> FloatArray:
        """Photograph points (height * width, 2) of all grid pixels, row by row."""
        u, v = np.meshgrid(np.arange(self.width), np.arange(self.height))
        grid_points = np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float64)
        return self.to_photograph(grid_points)

    def to_photograph(self, grid_points: FloatArray) -> FloatArray:
        """Photograph points (N, 2) of grid points (N, 2)."""
        return np.asarray(grid_points, dtype=np.float64) * self.step_px + (self.x0_px, self.y0_px)

    def from_photograph(self, points: FloatArray) -> FloatArray:
        """Grid points (N, 2) of photograph points (N, 2)."""
        return (np.asarray(points, dtype=np.float64) - (self.x0_px, self.y0_px)) / self.step_px


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What lies around the head's grid, seen from farther away: long hair, neck, clothes.

    It is for people to look at; nothing is measured in it.

    Attributes
    ----------
    grid : Grid
        Where the arrays lie in the photograph.
    hair_fraction : float32 (H, W)
        Fraction of the pixel that is covered by hair.
    classes : uint8 (H, W)
        Codes of `RegionClass`.
    """

    grid: Grid
    hair_fraction: NDArray[np.float32]
    classes: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """Per-pixel hair fraction and region class of one photograph, on a grid around the head.

    All arrays have the grid's shape. Outside of it a photograph is what `surroundings` say, and
    background beyond.

    Attributes
    ----------
    grid : Grid
        Where the arrays lie in the photograph.
    photograph_shape : tuple of int
        (H, W) of the upright photograph.
    hair_fraction : float32 (H, W)
        Fraction of the pixel that is covered by hair.
    classes : uint8 (H, W)
        Codes of `RegionClass`.
    scalp : bool (H, W)
        Anatomical hair-bearing scalp, whatever hair is left on it, not hidden by an object.
    incidence_cosine : float32 (H, W)
        Cosine of the angle between the scalp's normal and the line of sight.
    glare : bool (H, W)
        Burnt-out pixels.
    method : str
        Name and version of what produced it.
    coverage_sd_fraction : float
        SD of the coverage under perturbed exposure, white balance, blur and scale.
    warnings : tuple of Finding
        What casts doubt on this segmentation.
    surroundings : Surroundings or None
        A wider look, where the photograph shows more than the grid.
    """

    grid: Grid
    photograph_shape: tuple[int, int]
    hair_fraction: NDArray[np.float32]
    classes: NDArray[np.uint8]
    scalp: BoolArray
    incidence_cosine: NDArray[np.float32]
    glare: BoolArray
    method: str
    coverage_sd_fraction: float = 0.0
    warnings: tuple[Finding, ...] = ()
    surroundings: Surroundings | None = None


class SurfaceTransform(Protocol):
    """Where the points of one photograph of a head lie in another one of the same head."""

    def map_points(self, reference_points: FloatArray) -> FloatArray:
        """Moving points (N, 2) of reference points (N, 2); NaN where the surface isn't visible."""
        ...

    def inverse_points(self, moving_points: FloatArray) -> FloatArray:
        """Reference points (N, 2) of moving points (N, 2); NaN where the surface isn't visible."""
        ...

    def incidence_cosine(self, reference_points: FloatArray) -> FloatArray:
        """Cosine (N,) of the incidence angle in the *moving* photograph; NaN if not visible."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """Every parameter as plain JSON values, with a ``type`` name."""
        ...


@dataclass(frozen=True, slots=True)
class Gate:
    """One test that a registration has to pass: ``value`` against ``limit``."""

    name: str
    value: float
    limit: float
    passed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """The outcome of aligning a moving photograph with its reference.

    Attributes
    ----------
    tier : Tier
        A (features, all gates passed), B (points set by hand, or the outline), C (refused).
    transform : SurfaceTransform or None
        moving_from_reference; None when refused.
    resampled : tuple of SurfaceTransform
        Refits to resampled inliers: what the transform might as well have been.
    residual_px : float
        RMS distance of the inliers in the moving photograph, NaN when there is no fit.
    inliers : int
        Feature matches that agree with the transform.
    overlap : float
        Share of the reference's scalp that the moving photograph shows, 0 to 1.
    gates : tuple of Gate
        Every gate's value, also of those that passed.
    reason : Reason or None
        Why it was refused.
    method : str
        What it was aligned by: ``"features"``, ``"points"``, ``"outline"`` or ``"close-up"``.
    """

    tier: Tier
    transform: SurfaceTransform | None
    resampled: tuple[SurfaceTransform, ...]
    residual_px: float
    inliers: int
    overlap: float
    gates: tuple[Gate, ...]
    reason: Reason | None = None
    method: str = "features"

    @property
    def registered(self) -> bool:
        """True when there is a transform that may be used."""
        return self.tier is not Tier.C and self.transform is not None


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
    """

    hair_px: float
    region_px: int
    excluded_fraction: float
    segmentation_sd_fraction: float
    registration_sd_fraction: float
    zones: tuple[ZoneMeasurement, ...] = ()

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: exactly one per file of the folder, whatever happened.

    ``flags`` are stable codes of doubts that did not prevent the measurement, ``warnings`` their
    sentences. ``reference_reason`` says of the reference why it is the one.
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


@dataclass(frozen=True, slots=True)
class VisitCoverage:
    """Coverage at one visit: the mean over its measured replicates.

    Attributes
    ----------
    sd_fraction : float
        Standard error of the visit's mean, all components together.
    low_fraction, high_fraction : float
        95 % interval, clipped to [0, 1].
    tier : Tier
        The worst tier among the replicates.
    replicate_fractions : tuple of float
        Coverage of each measured replicate, in the order of their numbers.
    hair_index, hair_index_low, hair_index_high : float
        ``-ln(1 - coverage)`` and its 95 % interval; NaN where coverage is too near to 1.
    """

    visit_date: date
    coverage_fraction: float
    sd_fraction: float
    low_fraction: float
    high_fraction: float
    replicates: int
    tier: Tier
    replicate_fractions: tuple[float, ...] = ()
    hair_index: float = math.nan
    hair_index_low: float = math.nan
    hair_index_high: float = math.nan


@dataclass(frozen=True, slots=True)
class Gap:
    """A photograph without a number, or with one that can't be compared: a gap, marked as one."""

    visit_date: date | None
    replicate: int | None
    name: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Change:
    """Change of coverage from baseline at one follow-up visit, in fractions (0.05 = 5 points).

    ``mdc_fraction`` is the limit that was applied at this visit: it knows the replicates of both
    visits and how many visits of the timeline are compared with baseline. All numbers are NaN when
    the verdict is NOT_COMPARABLE. ``hair_index_change`` is the difference of the visits' hair
    indices, NaN also where one of them is; its interval is not corrected for several looks either.
    ``caveats`` are the differences that the user stated of the two visits; they end the sentence.
    """

    subject: str
    view: str
    baseline_date: date | None
    visit_date: date
    change_fraction: float
    low_fraction: float
    high_fraction: float
    mdc_fraction: float
    verdict: Verdict
    sentence: str
    hair_index_change: float = math.nan
    hair_index_change_low: float = math.nan
    hair_index_change_high: float = math.nan
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trend:
    """Straight line through a timeline, in fractions per year, with its 95 % interval.

    Attributes
    ----------
    detectable_per_year : float
        Slope that these visits would show (interval without zero) with probability ``power``.
    visits, span_days : int
        How many visits the line goes through, and the days from the first to the last.
    sentence : str
        All of it for a person. It claims no cause, no forecast and no point in time at which
        anything changed.
    """

    slope_per_year: float
    low_per_year: float
    high_per_year: float
    method: str
    standard_error_per_year: float = math.nan
    detectable_per_year: float = math.nan
    power: float = math.nan
    visits: int = 0
    span_days: int = 0
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something the user wants to see on the time axis (a treatment, a haircut)."""

    event_date: date
    label: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class VisitConditions:
    """What the user states of one visit of a subject: what changes coverage without any growth.

    Attributes
    ----------
    days_since_haircut, hair_length_mm : float or None
        None where it is not stated.
    wet, fibres, dyed, micropigmentation : bool or None
        None counts as no, but for micropigmentation, which stays until a later visit denies it.
    parting : str
        Any word, e.g. ``"left"``; empty where it is not stated.
    line : int
        Line in the table, from 1.
    """

    subject: str
    visit_date: date
    days_since_haircut: float | None = None
    hair_length_mm: float | None = None
    wet: bool | None = None
    fibres: bool | None = None
    dyed: bool | None = None
    parting: str = ""
    micropigmentation: bool | None = None
    note: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is said about one subject and view.

    Attributes
    ----------
    within_sd_fraction : float
        Within-subject SD of one photograph's coverage, the base of the MDC.
    sd_source : str
        ``"subject"`` (its own replicates), ``"pooled"`` (all replicates of the run) or ``"prior"``
        (too few replicates: uncalibrated).
    mdc_fraction, mdc_low_fraction, mdc_high_fraction : float
        Minimal detectable change (MDC95) between two single photographs, and the 95 % interval
        that the degrees of freedom behind it leave.
    baseline_date : date or None
        The visit that changes are counted from: the earliest one with a number.
    summary : str
        One sentence that says where this timeline stands, for a person.
    notes : tuple of str
        What a reader has to know to read the numbers, e.g. that the first visit has none.
    conditions : tuple of VisitConditions
        What the user stated of this subject's visits, by date.
    effective_degrees_of_freedom : float
        Degrees of freedom of all intervals and limits: ``sd_degrees_of_freedom`` together with
        those of the error that a visit's photographs share. 0: as ``sd_degrees_of_freedom``.
    """

    subject: str
    view: str
    reference_name: str
    visits: tuple[VisitCoverage, ...]
    gaps: tuple[Gap, ...]
    changes: tuple[Change, ...]
    within_sd_fraction: float
    sd_source: str
    sd_degrees_of_freedom: int
    mdc_fraction: float
    trend: Trend | None = None
    events: tuple[Event, ...] = ()
    baseline_date: date | None = None
    summary: str = ""
    notes: tuple[str, ...] = ()
    conditions: tuple[VisitConditions, ...] = ()
    effective_degrees_of_freedom: float = 0.0
    mdc_low_fraction: float = math.nan
    mdc_high_fraction: float = math.nan


@dataclass(frozen=True, slots=True)
class ZoneTimeline:
    """What is said about one named zone of a subject and view.

    Attributes
    ----------
    zone : str
        One of `scalptrack.zones.ZONES`.
    seen_fraction : float
        Share of the zone's surface, of an average head, that all photographs show; NaN when the
        zone is not given.
    timeline : Timeline or None
        Coverage of the zone; None when it is not given.
    reason : Reason or None
        Why it is not given.
    """

    subject: str
    view: str
    zone: str
    seen_fraction: float = math.nan
    timeline: Timeline | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class SaltEstimate:
    """Estimate of the Severity of Alopecia Tool at one date, from four views; 0 to 100.

    ``low`` and ``high`` are its 95 % interval, ``loss_percent`` the part of the scalp without
    visible hair per area (``top``, ``back``, ``left``, ``right``).
    """

    subject: str
    visit_date: date
    salt: float
    low: float
    high: float
    loss_percent: dict[str, float]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a result; built once from the options and stored with the results."""

    seed: int = 20260101
    max_megapixels: float = 150.0
    perturbations: int = 4
    resamples: int = 12
    max_incidence_deg: float = 60.0
    min_overlap: float = 0.5
    allow_outline: bool = False
    forehead: str = ""
    colour_card: bool = False
