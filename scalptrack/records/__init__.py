"""The frozen records that flow between the stages.

Conventions: points are ``(N, 2)`` float arrays of (x, y) with pixel centres at integers; masks are
bool ``(H, W)``; fractions are float32 ``(H, W)`` in [0, 1]. A field named ``*_fraction`` is in
[0, 1], ``*_px`` in pixels, ``*_deg`` in degrees.
"""

from scalptrack.records.codes import (
    BoolArray,
    FloatArray,
    ImageArray,
    Reason,
    RegionClass,
    Severity,
    Status,
    Tier,
    Verdict,
)
from scalptrack.records.heads import (
    NO_MARKERS,
    Gate,
    Grid,
    Registration,
    Segmentation,
    StripMarkers,
    SurfaceTransform,
    Surroundings,
)
from scalptrack.records.outcomes import Measurement, Outcome, ZoneMeasurement
from scalptrack.records.photographs import (
    COPY_CODES,
    CaptureInfo,
    Catalog,
    Finding,
    Photograph,
    Quality,
    RejectedFile,
    Settings,
)
from scalptrack.records.timelines import (
    Change,
    ErrorParts,
    Event,
    Gap,
    SaltEstimate,
    Timeline,
    Trend,
    VisitConditions,
    VisitCoverage,
    ZoneTimeline,
)

__all__ = [
    "COPY_CODES",
    "NO_MARKERS",
    "BoolArray",
    "CaptureInfo",
    "Catalog",
    "Change",
    "ErrorParts",
    "Event",
    "Finding",
    "FloatArray",
    "Gap",
    "Gate",
    "Grid",
    "ImageArray",
    "Measurement",
    "Outcome",
    "Photograph",
    "Quality",
    "Reason",
    "RegionClass",
    "Registration",
    "RejectedFile",
    "SaltEstimate",
    "Segmentation",
    "Settings",
    "Severity",
    "Status",
    "StripMarkers",
    "SurfaceTransform",
    "Surroundings",
    "Tier",
    "Timeline",
    "Trend",
    "Verdict",
    "VisitConditions",
    "VisitCoverage",
    "ZoneMeasurement",
    "ZoneTimeline",
]
