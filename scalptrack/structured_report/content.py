"""The content tree of a report: TID 1500 "Measurement Report" (DICOM PS3.16), through highdicom.

One group (TID 1501) for each photograph, whatever became of it, and one for each visit. All
numbers are those of the tables, with their digits.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from highdicom.sr import (
    AlgorithmIdentification,
    CodeContentItem,
    DateContentItem,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    ImageContentItem,
    Measurement,
    MeasurementProperties,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    NumContentItem,
    ObservationContext,
    ObserverContext,
    RelationshipTypeValues,
    TextContentItem,
    TimePointContext,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes as standard_codes
from pydicom.uid import SecondaryCaptureImageStorage, VLPhotographicImageStorage

from scalptrack import __version__
from scalptrack.images.dicom_writing import Pseudonym, content_uid
from scalptrack.records import Change, Outcome, Timeline, VisitCoverage
from scalptrack.structured_report import codes
from scalptrack.structured_report.naming import Naming, photograph_label
from scalptrack.tables import coverage_interval, number, warning_codes

DIGITS = 3
"""Of percentages, as in the tables."""


@dataclass(frozen=True, slots=True, eq=False)
class ReportedPhotograph:
    """One photograph with what DICOM knows of it.

    Attributes
    ----------
    outcome : Outcome
    original, aligned : pydicom.Dataset or None
        Attributes of the DICOM original, and of the aligned picture that was written.
    """

    outcome: Outcome
    original: Any = None
    aligned: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class ReportedSeries:
    """Everything that the report of one subject and view says.

    Attributes
    ----------
    timeline : Timeline
    photographs : tuple of ReportedPhotograph
        By date and number.
    naming : Naming
        What files are called.
    method, model_sha256 : str
        Name of the segmentation, and checksum of its model.
    pseudonym : Pseudonym or None
        Where names are replaced.
    """

    timeline: Timeline
    photographs: tuple[ReportedPhotograph, ...]
    naming: Naming
    method: str
    model_sha256: str
    pseudonym: Pseudonym | None = None

    @property
    def identity(self) -> str:
        """Hash of the photograph that the series is aligned with; empty where there is none."""
        return next((x.outcome.sha256 for x in self.photographs if x.outcome.is_reference), "")

    @property
    def dates(self) -> tuple[date, ...]:
        """Dates of all photographs, in order."""
        found = {x.outcome.visit_date for x in self.photographs}
        return tuple(sorted(each for each in found if each is not None))

    @property
    def images(self) -> tuple[Any, ...]:
        """Attributes of all images that the report may refer to."""
        both = [x for each in self.photographs for x in (each.aligned, each.original)]
        return tuple(each for each in both if each is not None)


def build_content(series: ReportedSeries) -> Any:
    """Content tree of a report.

    Returns
    -------
    pydicom.Dataset
        The root container.
    """
    observer = ObserverContext(
        observer_type=standard_codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=content_uid("observer"), name="scalptrack", model_name=f"scalptrack {__version__}"
        ),
    )
    groups = [*_photographs(series), *_visits(series)]
    report = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer),
        procedure_reported=codes.IMAGING_PROCEDURE,
        imaging_measurements=groups,
        referenced_images=[each for x in series.images if (each := _library_entry(x)) is not None],
    )
    return report[0]


def _photographs(series: ReportedSeries) -> Iterator[Any]:
    """One group for each photograph."""
    seen: Counter[str] = Counter()
    for each in series.photographs:
        label = photograph_label(each.outcome)
        seen[label] += 1
        times = seen[label]
        yield _photograph(series, each, label if times == 1 else f"{label} ({times})")


def _photograph(series: ReportedSeries, photograph: ReportedPhotograph, label: str) -> Any:
    outcome = photograph.outcome
    group = _group(
        series,
        label,
        content_uid("photograph", series.identity, outcome.sha256 or label, series.timeline.view),
        outcome.visit_date,
        _coverage_of(outcome, series.timeline),
    )
    items = [
        _code(codes.STATUS, codes.STATUSES[outcome.status]),
        *_texts(_words_of(outcome, series)),
    ]
    if outcome.tier is not None:
        items.append(_code(codes.TIER, codes.TIERS[outcome.tier]))
    # Hair is measured in the photograph's own pixels: the aligned picture shows it.
    images = ((codes.SOURCE, photograph.original), (codes.BEST_ILLUSTRATION, photograph.aligned))
    items += [
        ImageContentItem(
            purpose, *_reference(image), relationship_type=RelationshipTypeValues.CONTAINS
        )
        for purpose, image in images
        if image is not None
    ]
    group[0].ContentSequence.extend(items)
    return group


def _words_of(outcome: Outcome, series: ReportedSeries) -> list[tuple[Any, str]]:
    """Texts about a photograph with their concepts; those that are empty are left out later."""
    own = [gap for gap in series.timeline.gaps if gap.name == outcome.name]
    words = [
        (codes.SHA256, outcome.sha256),
        (codes.DOUBTS, " ".join(warning_codes(outcome))),
    ]
    if outcome.is_reference and outcome.reference_reason is not None:
        reason = outcome.reference_reason
        words.append((codes.REFERENCE, _said(series, reason.message, reason.code)))
    if outcome.reason is not None:
        words.append((codes.REASON_CODE, outcome.reason.code))
        words.append((codes.REASON, _said(series, outcome.reason.message, outcome.reason.code)))
    elif own:
        reason = own[0].reason
        words.append((codes.NOT_COMPARED, _said(series, reason.message, reason.code)))
    return words


def _said(series: ReportedSeries, message: str, code: str) -> str:
    return series.naming.nameless(message, f"{code.replace('_', ' ').capitalize()}.")


def _coverage_of(outcome: Outcome, timeline: Timeline) -> list[Any]:
    """Measurements of a photograph; none where it has no number."""
    measurement = outcome.measurement
    if measurement is None:
        return []
    coverage = measurement.coverage_fraction
    excluded = _percentage(measurement.excluded_fraction, 2)
    return [
        _with_interval(codes.COVERAGE, coverage, *coverage_interval(outcome, timeline)),
        Measurement(codes.REGION, measurement.region_px, codes.PIXELS),
        *([] if excluded is None else [Measurement(codes.EXCLUDED, excluded, codes.PERCENT)]),
    ]


def _visits(series: ReportedSeries) -> Iterator[Any]:
    """One group for each visit that has a mean, or of which something is said."""
    means = {each.visit_date: each for each in series.timeline.visits}
    changes = {each.visit_date: each for each in series.timeline.changes}
    for day in sorted({*means, *changes}):
        yield _visit(series, day, means.get(day), changes.get(day))


def _visit(
    series: ReportedSeries, day: date, mean: VisitCoverage | None, change: Change | None
) -> Any:
    measurements = []
    if mean is not None:
        limits = (mean.low_fraction, mean.high_fraction)
        measurements += [
            _with_interval(codes.COVERAGE, mean.coverage_fraction, *limits, derivation=codes.MEAN),
            Measurement(codes.PHOTOGRAPHS, mean.replicates, codes.COUNT),
        ]
    items: list[Any] = [] if mean is None else [_code(codes.TIER, codes.TIERS[mean.tier])]
    if change is not None:
        measurements += _change(change)
        items.append(_code(codes.VERDICT, codes.VERDICTS[change.verdict]))
        if change.baseline_date is not None:
            items.append(
                DateContentItem(
                    codes.BASELINE_DATE, change.baseline_date, RelationshipTypeValues.CONTAINS
                )
            )
        sentence = series.naming.nameless(change.sentence, f"{change.verdict.value.capitalize()}.")
        items += _texts([(codes.SENTENCE, sentence)])
    uid = content_uid("visit", series.identity, day.isoformat(), series.timeline.view)
    group = _group(series, f"visit {day.isoformat()}", uid, day, measurements)
    group[0].ContentSequence.extend(items)
    return group


def _change(change: Change) -> list[Any]:
    """Measurements of a change; none where it can't be compared."""
    if not math.isfinite(change.change_fraction):
        return []
    limits = (change.low_fraction, change.high_fraction)
    found = [_with_interval(codes.CHANGE, change.change_fraction, *limits)]
    detectable = _percentage(change.mdc_fraction, DIGITS)
    if detectable is not None:
        found.append(Measurement(codes.DETECTABLE_CHANGE, detectable, codes.PERCENT))
    return found


def _group(
    series: ReportedSeries,
    label: str,
    uid: str,
    day: date | None,
    measurements: Sequence[Any],
) -> Any:
    """A group with where, when and how it was measured."""
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=uid, identifier=label),
        time_point_context=None if day is None else _time_point(series, day),
        algorithm_id=AlgorithmIdentification(
            name="scalptrack",
            version=__version__,
            parameters=[
                f"segmentation: {series.method}",
                f"SHA-256 of the model: {series.model_sha256}",
            ],
        ),
        finding_sites=[FindingSite(codes.SCALP)],
        measurements=measurements,
    )
    # Each item under its own heading, not a running text of values.
    group[0].ContinuityOfContent = "SEPARATE"
    group[0].ContentSequence.extend(_texts([(codes.VIEW, series.timeline.view)]))
    return group


def _time_point(series: ReportedSeries, day: date) -> Any:
    return TimePointContext(
        time_point=day.isoformat(),
        time_point_type=codes.BASELINE if day == series.timeline.baseline_date else None,
        time_point_order=series.dates.index(day) + 1 if day in series.dates else None,
    )


def _with_interval(
    concept: Any, value: float, low: float, high: float, *, derivation: Any = None
) -> Any:
    """A percentage with its 95 % interval: both limits, and how far they are away."""
    middle = float(number(100 * value, DIGITS))
    properties = MeasurementProperties()
    limits = (
        (codes.INTERVAL_LOW, codes.LOWER_UNCERTAINTY, low),
        (codes.INTERVAL_HIGH, codes.UPPER_UNCERTAINTY, high),
    )
    for limit_concept, range_concept, fraction in limits:
        limit = _percentage(fraction, DIGITS)
        if limit is None:
            continue
        away = round(abs(limit - middle), DIGITS)
        for name, amount in ((limit_concept, limit), (range_concept, away)):
            properties.append(
                NumContentItem(
                    name,
                    amount,
                    codes.PERCENT,
                    relationship_type=RelationshipTypeValues.HAS_PROPERTIES,
                )
            )
    return Measurement(concept, middle, codes.PERCENT, derivation=derivation, properties=properties)


def _percentage(fraction: float, digits: int) -> float | None:
    """A fraction as the number of the tables; None where there is none."""
    text = number(100 * fraction, digits)
    return float(text) if text else None


def _code(concept: Any, value: Any) -> Any:
    return CodeContentItem(concept, value, RelationshipTypeValues.CONTAINS)


def _texts(words: Sequence[tuple[Any, str]]) -> list[Any]:
    return [
        TextContentItem(concept, text, RelationshipTypeValues.CONTAINS)
        for concept, text in words
        if text
    ]


def _library_entry(image: Any) -> Any:
    """What the list of images needs of one, also where a header leaves out its modality."""
    classes = (VLPhotographicImageStorage, SecondaryCaptureImageStorage)
    if image.SOPClassUID not in classes or not (image.get("Rows") and image.get("Columns")):
        return None
    entry = Dataset()
    entry.SOPClassUID, entry.SOPInstanceUID = _reference(image)
    entry.Modality, entry.Rows, entry.Columns = "XC", int(image.Rows), int(image.Columns)
    return entry


def _reference(image: Any) -> tuple[str, str]:
    """SOP class and instance of an image."""
    return str(image.SOPClassUID), str(image.SOPInstanceUID)
