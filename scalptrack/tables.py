"""The tables of a run: one row per file, one row per follow-up visit, and where they come from."""

from __future__ import annotations

import csv
import io
import json
import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from scalptrack import __version__
from scalptrack.longitudinal import MEASURED_ERRORS
from scalptrack.longitudinal.components import TIER_B_SD_FACTOR
from scalptrack.longitudinal.hair_index import hair_index
from scalptrack.longitudinal.intervals import interval
from scalptrack.plain import to_plain
from scalptrack.records import Outcome, Settings, Severity, Tier, Timeline, VisitConditions

MEASUREMENT_COLUMNS = (
    "subject",
    "view",
    "visit_date",
    "replicate",
    "photo",
    "sha256",
    "status",
    "reason",
    "coverage_percent",
    "coverage_low",
    "coverage_high",
    "region_px",
    "excluded_percent",
    "registration_residual_px",
    "reason_code",
    "tier",
    "is_reference",
    "hair_px",
    "segmentation_sd_percent",
    "registration_sd_percent",
    "registration_inliers",
    "registration_overlap",
    "warnings",
    "hair_index",
    "hair_index_low",
    "hair_index_high",
    "not_compared",
    "doubt_percent",
    "aligned_by",
)

CHANGE_COLUMNS = (
    "subject",
    "view",
    "baseline_date",
    "visit_date",
    "change_points",
    "change_low",
    "change_high",
    "mdc_points",
    "verdict",
    "sentence",
    "hair_index_change",
    "hair_index_change_low",
    "hair_index_change_high",
    "tier",
    "aligned_by",
)

LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "scikit-image", "scipy", "matplotlib")


def measurements_csv(outcomes: Sequence[Outcome], timelines: Sequence[Timeline]) -> str:
    """``measurements.csv``: one row per file of the folder, whatever became of it.

    Percentages are 0 to 100. The interval of a photograph uses the within-subject SD of its
    timeline. The hair index is empty where coverage is too near to 1 to tell it.
    """
    by_view = {(each.subject, each.view): each for each in timelines}
    rows = [_measurement_row(each, by_view.get((each.subject, each.view))) for each in outcomes]
    return _csv(MEASUREMENT_COLUMNS, rows)


def _measurement_row(outcome: Outcome, timeline: Timeline | None) -> dict[str, object]:
    row: dict[str, object] = {
        "subject": outcome.subject,
        "view": outcome.view,
        "visit_date": outcome.visit_date.isoformat() if outcome.visit_date else "",
        "replicate": "" if outcome.replicate is None else outcome.replicate,
        "photo": outcome.name,
        "sha256": outcome.sha256,
        "status": outcome.status.value,
        "reason": outcome.reason.message if outcome.reason else "",
        "reason_code": outcome.reason.code if outcome.reason else "",
        "tier": outcome.tier.value if outcome.tier else "",
        "aligned_by": outcome.aligned_by,
        "is_reference": "yes" if outcome.is_reference else "no",
        "registration_residual_px": number(outcome.residual_px, 3),
        "registration_inliers": "" if outcome.inliers is None else outcome.inliers,
        "registration_overlap": number(outcome.overlap, 4),
        "warnings": "; ".join(warning_codes(outcome)),
    }
    measurement = outcome.measurement
    if measurement is None:
        return row
    coverage = measurement.coverage_fraction
    low, high = coverage_interval(outcome, timeline)
    return row | {
        "coverage_percent": number(100 * coverage, 3),
        "coverage_low": number(100 * low, 3),
        "coverage_high": number(100 * high, 3),
        "region_px": measurement.region_px,
        "hair_px": number(measurement.hair_px, 1),
        "excluded_percent": number(100 * measurement.excluded_fraction, 2),
        "segmentation_sd_percent": number(100 * measurement.segmentation_sd_fraction, 3),
        "doubt_percent": number(100 * measurement.doubt_fraction, 3),
        "registration_sd_percent": number(100 * measurement.registration_sd_fraction, 3),
        "hair_index": number(hair_index(coverage), 4),
        "hair_index_low": number(hair_index(low), 4),
        "hair_index_high": number(hair_index(high), 4),
        "not_compared": _not_compared(outcome, timeline),
    }


def _not_compared(outcome: Outcome, timeline: Timeline | None) -> str:
    """Code of the reason why a photograph that has a number takes no part in its timeline."""
    gaps = timeline.gaps if timeline else ()
    return next((gap.reason.code for gap in gaps if gap.name == outcome.name), "")


def coverage_interval(outcome: Outcome, timeline: Timeline | None) -> tuple[float, float]:
    """95 % interval of one photograph's coverage, as fractions; NaN when there is no number."""
    measurement = outcome.measurement
    if measurement is None:
        return math.nan, math.nan
    components = math.hypot(
        measurement.segmentation_sd_fraction, measurement.registration_sd_fraction
    )
    within = timeline.within_sd_fraction if timeline else 0.0
    degrees = 1.0
    if timeline is not None:
        degrees = timeline.effective_degrees_of_freedom or timeline.sd_degrees_of_freedom
    factor = TIER_B_SD_FACTOR if outcome.tier is Tier.B else 1.0
    shared = MEASURED_ERRORS.shared_variance(measurement.doubt_fraction)
    sd = math.sqrt((factor * max(within, components)) ** 2 + shared)
    return interval(measurement.coverage_fraction, sd, max(degrees, 1.0), lowest=0.0, highest=1.0)


def warning_codes(outcome: Outcome) -> list[str]:
    """Codes of the doubts that did not prevent a measurement, in alphabetical order."""
    findings = outcome.quality.findings if outcome.quality else ()
    doubtful = [each.code for each in findings if each.severity is not Severity.INFO]
    return sorted({*doubtful, *(each.code for each in outcome.warnings)})


def changes_csv(timelines: Iterable[Timeline]) -> str:
    """``changes.csv``: one row per subject, view and follow-up visit, in percentage points."""
    rows = [
        {
            "subject": change.subject,
            "view": change.view,
            "baseline_date": change.baseline_date.isoformat() if change.baseline_date else "",
            "visit_date": change.visit_date.isoformat(),
            "change_points": number(100 * change.change_fraction, 3),
            "change_low": number(100 * change.low_fraction, 3),
            "change_high": number(100 * change.high_fraction, 3),
            "mdc_points": number(100 * change.mdc_fraction, 3),
            "verdict": change.verdict.value,
            "sentence": change.sentence,
            "hair_index_change": number(change.hair_index_change, 4),
            "hair_index_change_low": number(change.hair_index_change_low, 4),
            "hair_index_change_high": number(change.hair_index_change_high, 4),
            "tier": change.tier.value if change.tier else "",
            "aligned_by": " and ".join(change.aligned_by),
        }
        for timeline in timelines
        for change in timeline.changes
    ]
    return _csv(CHANGE_COLUMNS, rows)


def provenance(
    outcomes: Sequence[Outcome],
    settings: Settings,
    *,
    method: str,
    model_sha256: str,
    outputs: Sequence[str],
    conditions: Sequence[VisitConditions] = (),
    decisions: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Where every number comes from; the same inputs and versions give the same document."""
    return {
        "schema": "scalptrack.provenance/1",
        "versions": versions(),
        "settings": to_plain(settings),
        "segmentation_method": method,
        "model_sha256": model_sha256,
        "references": [
            {
                "subject": each.subject,
                "view": each.view,
                "photo": each.name,
                "sha256": each.sha256,
                "reason": to_plain(each.reference_reason),
            }
            for each in outcomes
            if each.is_reference
        ],
        "inputs": {each.name: each.sha256 for each in outcomes},
        "visits": to_plain(tuple(conditions)),
        "decisions": to_plain(dict(decisions)) if decisions else None,
        "outputs": sorted(outputs),
    }


def versions() -> dict[str, str]:
    """Version of scalptrack, of Python and of each library that touches a number."""
    found = {"scalptrack": __version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "not installed under this name"
    return found


def fingerprint(settings: Settings, method: str) -> str:
    """Everything beside the photograph that decides its numbers, as one text."""
    parts: Mapping[str, Any] = {
        "versions": versions(),
        "settings": to_plain(settings),
        "method": method,
    }
    return json.dumps(parts, sort_keys=True)


def number(value: float | None, digits: int) -> str:
    """A number with fixed digits; empty when there is none."""
    return "" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
