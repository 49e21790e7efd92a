"""Composes the stages: from a catalog to one outcome per file.

Each photograph is analysed alone (quality, segmentation, features) and each series of one subject
and view is then measured together (registration, the co-visible region, coverage). What fails for
one photograph becomes that photograph's reason and stops nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from scalptrack.aligning import Aligned, Analysis, Member, align_series
from scalptrack.cache import RecordCache
from scalptrack.card_colours import corrected_by_card
from scalptrack.corrections import NO_CORRECTIONS, Corrections, drawn_mask
from scalptrack.doubts import doubts_of
from scalptrack.errors import HeadNotFoundError, ImageReadError
from scalptrack.fiducials import find_strip, strip_filled
from scalptrack.headband import without_strip
from scalptrack.images import read_photograph
from scalptrack.measurement import (
    RESAMPLED_BAND_PX,
    ROUGH_BAND_PX,
    co_visible_region,
    measure,
)
from scalptrack.quality import check_quality, quality_reason
from scalptrack.records import (
    NO_MARKERS,
    BoolArray,
    Catalog,
    Finding,
    Gate,
    Grid,
    Outcome,
    Photograph,
    Quality,
    Reason,
    Registration,
    RejectedFile,
    Segmentation,
    Settings,
    Severity,
    Status,
    StripMarkers,
    Surroundings,
    Tier,
)
from scalptrack.registration import (
    ChainedTransform,
    HeadFeatures,
    HeadTransform,
    extract_features,
    identity,
)
from scalptrack.registration.camera import Camera
from scalptrack.registration.features import Keypoints
from scalptrack.registration.outline import Outline
from scalptrack.registration.surface import HeadShape
from scalptrack.registration.transform import HeadPose
from scalptrack.segmentation import shared_segmenter
from scalptrack.translation import in_language, tr

logger = logging.getLogger(__name__)

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPhotograph:
    """A member of a series with its registration and its outcome."""

    member: Member
    registration: Registration | None
    outcome: Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """All photographs of one subject and view, compared with one reference.

    Attributes
    ----------
    reference : int or None
        Index of the reference among the photographs; None when none could be one.
    region : bool (H, W) or None
        The co-visible scalp on the reference's grid.
    """

    subject: str
    view: str
    photographs: tuple[MeasuredPhotograph, ...]
    reference: int | None
    region: BoolArray | None

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """One outcome per photograph."""
        return tuple(each.outcome for each in self.photographs)


RECORD_TYPES: dict[str, type] = {
    each.__name__: each
    for each in (
        Analysis,
        Camera,
        ChainedTransform,
        Finding,
        Gate,
        Grid,
        HeadFeatures,
        HeadPose,
        HeadShape,
        HeadTransform,
        Keypoints,
        Outline,
        Quality,
        Reason,
        Registration,
        Segmentation,
        Surroundings,
        Severity,
        Status,
        StripMarkers,
        Tier,
    )
}
"""Everything that an entry of the cache may be made of."""


def analyse_photograph(photograph: Photograph, settings: Settings) -> Analysis:
    """Quality, segmentation and features of one photograph; never raises for a bad photograph.

    It may run in another process, which doesn't know the run's language yet.
    """
    with in_language(settings.language):
        return _analyse_or_say_why(photograph, settings)


def _analyse_or_say_why(photograph: Photograph, settings: Settings) -> Analysis:
    """Analyse a photograph, or give the reason why it can't be."""
    try:
        return _analyse(photograph, settings)
    except ImageReadError as error:
        sentence = str(error).replace(str(photograph.path), photograph.name)
        return _no_analysis(Status.REJECTED, Reason(error.code, sentence))
    except Exception as error:  # the one boundary that isolates a photograph
        logger.exception("photograph %s failed", photograph.sha256[:12])
        words = str(error).replace(str(photograph.path), photograph.name)
        sentence = tr(
            "An unexpected error stopped this photograph ({error}). Please report it; all others "
            "are unaffected.",
            error=f"{type(error).__name__}: {words}",
        )
        return _no_analysis(Status.REJECTED, Reason("internal_error", sentence))


def _no_analysis(status: Status, reason: Reason, quality: Quality | None = None) -> Analysis:
    return Analysis(quality, None, None, status, reason)


def _analyse(photograph: Photograph, settings: Settings) -> Analysis:
    image, capture = read_photograph(photograph.path, max_megapixels=settings.max_megapixels)
    strip = find_strip(image) if settings.strip else NO_MARKERS
    image = strip_filled(image, strip)
    seen, no_card = corrected_by_card(image, capture) if settings.colour_card else (image, None)
    # Without its card a photograph is still looked at: it may have a reason of its own.
    looked_at = image if seen is None else seen
    try:
        segmentation = shared_segmenter().segment(looked_at, perturbations=settings.perturbations)
    except HeadNotFoundError as error:
        quality = check_quality(image, None, capture)
        reason = quality_reason(quality) or Reason("no_head", str(error))
        return _no_analysis(Status.REJECTED, reason, quality)
    quality = check_quality(image, segmentation, capture)
    if not quality.usable:
        return _no_analysis(Status.REJECTED, _require(quality_reason(quality)), quality)
    if no_card is not None:
        return _no_analysis(Status.REFUSED, no_card, quality)
    focal_length = capture.focal_length_35mm
    features = extract_features(looked_at, segmentation, focal_length_35mm=focal_length)
    return Analysis(quality, without_strip(segmentation, strip), features, strip=strip)


def _require(reason: Reason | None) -> Reason:
    return reason or Reason("no_head", tr("No head was found in this photograph."))


def track(
    catalog: Catalog,
    settings: Settings,
    *,
    cache: RecordCache,
    corrections: Corrections = NO_CORRECTIONS,
    executor: Executor | None = None,
    on_step: OnStep = lambda _name: None,
) -> Iterator[Series]:
    """Measure every series of a catalog, one after the other.

    Parameters
    ----------
    catalog : Catalog
        What was understood of the folder.
    settings : Settings
        Everything that decides a result.
    cache : RecordCache
        Where analyses and registrations of an earlier run lie.
    corrections : Corrections
        What a person excluded, drew and set.
    executor : Executor or None
        Runs the analyses of photographs; None runs them here.
    on_step : callable
        Called with a photograph's name when it was analysed.

    Yields
    ------
    Series
        In the order of the catalog; together they hold one outcome per photograph.
    """
    for (subject, view), group in groupby(
        catalog.photographs, key=lambda each: (each.subject, each.view)
    ):
        photographs = tuple(group)
        analyses = _analyses(photographs, settings, cache, executor=executor, on_step=on_step)
        members = [Member(*each) for each in zip(photographs, analyses, strict=True)]
        yield measure_series(subject, view, members, settings, cache=cache, corrections=corrections)


def _analyses(
    photographs: Sequence[Photograph],
    settings: Settings,
    cache: RecordCache,
    *,
    executor: Executor | None,
    on_step: OnStep,
) -> Iterator[Analysis]:
    """Analyses in the order of the photographs, from the cache where they are there."""
    stored = [cache.load("analysis", each.sha256) for each in photographs]
    missing = [each for each, known in zip(photographs, stored, strict=True) if known is None]
    computed: Iterable[Analysis]
    if executor is None:
        computed = (analyse_photograph(each, settings) for each in missing)
    else:
        computed = executor.map(analyse_photograph, missing, [settings] * len(missing))
    fresh = iter(computed)
    for photograph, known in zip(photographs, stored, strict=True):
        analysis: Analysis = next(fresh) if known is None else known
        if known is None and not _is_transient(analysis):
            cache.save(analysis, "analysis", photograph.sha256)
        on_step(photograph.name)
        yield analysis


def _is_transient(analysis: Analysis) -> bool:
    """True for a failure that another run may not see again."""
    return analysis.reason is not None and analysis.reason.code in {"internal_error", "missing"}


def measure_series(
    subject: str,
    view: str,
    members: Sequence[Member],
    settings: Settings,
    *,
    cache: RecordCache,
    corrections: Corrections = NO_CORRECTIONS,
) -> Series:
    """Register one subject's photographs of one view and measure their co-visible scalp.

    Photographs that a person excluded take no part; a region that one drew on the reference is
    compared instead of all of the co-visible scalp.
    """
    members = [_without_excluded(each, corrections) for each in members]
    aligned = align_series(members, settings, cache, corrections=corrections)
    reference = aligned.reference
    region = (
        None if reference is None else _region(reference, members, aligned, settings, corrections)
    )
    if reference is None or region is None:
        reason = aligned.reason if reference is None else None
        failed = tuple(
            MeasuredPhotograph(member, None, _failed(member, reason)) for member in members
        )
        return Series(subject, view, failed, reference, region)
    measured = [
        _measure_member(member, registration, members[reference], region)
        for member, registration in zip(members, aligned.registrations, strict=True)
    ]
    outcome = replace(measured[reference].outcome, reference_reason=aligned.reason)
    measured[reference] = replace(measured[reference], outcome=outcome)
    return Series(subject, view, tuple(measured), reference, region)


def _without_excluded(member: Member, corrections: Corrections) -> Member:
    """The member, or without anything to measure where a person excluded it."""
    reason = corrections.excluded.get(member.photograph.sha256)
    if reason is None:
        return member
    return replace(member, analysis=_no_analysis(Status.REFUSED, reason, member.analysis.quality))


def _region(
    reference: int,
    members: Sequence[Member],
    aligned: Aligned,
    settings: Settings,
    corrections: Corrections,
) -> BoolArray | None:
    """The co-visible scalp on the reference's grid, or what is seen of the region drawn there."""
    segmentation = members[reference].analysis.segmentation
    if segmentation is None:
        return None
    others = [
        (registration.transform, member.analysis.segmentation)
        for registration, member in zip(aligned.registrations, members, strict=True)
        if registration is not None
        and registration.registered
        and registration.transform is not None
        and member.analysis.segmentation is not None
    ]
    drawn = corrections.regions.get(members[reference].photograph.sha256)
    features = members[reference].analysis.features
    if drawn is None or features is None:
        return co_visible_region(segmentation, others, max_incidence_deg=settings.max_incidence_deg)
    return co_visible_region(
        _facing_everywhere(segmentation, features),
        others,
        max_incidence_deg=settings.max_incidence_deg,
        drawn=drawn_mask(drawn, segmentation.grid),
    )


def _facing_everywhere(segmentation: Segmentation, features: HeadFeatures) -> Segmentation:
    """The segmentation with incidence from the head's shape where it sees no scalp.

    Segmentation knows the incidence on its own scalp alone; a person may have drawn beyond it.
    """
    points = segmentation.grid.photograph_points()
    of_head = np.nan_to_num(identity(features).incidence_cosine(points), nan=-1.0)
    own = segmentation.incidence_cosine
    cosine = np.where(segmentation.scalp, own, of_head.reshape(own.shape).astype(np.float32))
    return replace(segmentation, incidence_cosine=cosine)


def _measure_member(
    member: Member, registration: Registration | None, reference: Member, region: BoolArray
) -> MeasuredPhotograph:
    """Coverage of the region in one photograph, or its reason why there is none."""
    segmentation = member.analysis.segmentation
    reference_segmentation = reference.analysis.segmentation
    if segmentation is None or reference_segmentation is None:
        return MeasuredPhotograph(member, None, _failed(member))
    outcome = _outcome(member, registration, is_reference=member is reference)
    if outcome.status is Status.REFUSED:
        return MeasuredPhotograph(member, registration, outcome)
    measurement = measure(
        segmentation,
        region,
        reference_segmentation.grid,
        registration.transform if registration else None,
        resampled=registration.resampled if registration else (),
        band_px=RESAMPLED_BAND_PX if outcome.tier is Tier.A else ROUGH_BAND_PX,
    )
    if measurement is None:
        reason = Reason(
            "region_too_small",
            tr(
                "Too little scalp is visible in all photographs of this series to compare them. "
                "Take them from the same side and at the same distance as the first one."
            ),
        )
        outcome = replace(outcome, status=Status.REFUSED, reason=reason)
    else:
        outcome = replace(outcome, measurement=measurement)
    return MeasuredPhotograph(member, registration, outcome)


def _outcome(member: Member, registration: Registration | None, *, is_reference: bool) -> Outcome:
    """Outcome of an analysed photograph: measured if it is the reference or registered."""
    base = replace(
        _base_outcome(member.photograph),
        quality=member.analysis.quality,
        warnings=member.analysis.segmentation.warnings if member.analysis.segmentation else (),
    )
    if is_reference:
        return replace(
            base, status=Status.MEASURED, tier=Tier.A, is_reference=True, aligned_by="reference"
        )
    if registration is None:
        message = "an analysed photograph has to be registered or be the reference"
        raise ValueError(message)
    return replace(
        base,
        warnings=(*base.warnings, *doubts_of(registration)),
        status=Status.MEASURED if registration.registered else Status.REFUSED,
        reason=None if registration.registered else registration.reason,
        tier=registration.tier,
        residual_px=registration.residual_px,
        inliers=registration.inliers,
        overlap=registration.overlap,
        gates=registration.gates,
        aligned_by=registration.method if registration.registered else "",
    )


def _failed(member: Member, reason: Reason | None = None) -> Outcome:
    """Outcome of a photograph that could not be analysed, or (`reason`) not be compared."""
    return replace(
        _base_outcome(member.photograph),
        status=member.analysis.status or Status.REFUSED,
        reason=member.analysis.reason or reason,
        quality=member.analysis.quality,
    )


def _base_outcome(file: Photograph | RejectedFile) -> Outcome:
    return Outcome(
        name=file.name,
        subject=file.subject,
        view=file.view,
        visit_date=file.visit_date,
        replicate=file.replicate,
        sha256=file.sha256,
        status=Status.REFUSED,
        reason=None,
    )


def rejected_outcome(rejected: RejectedFile) -> Outcome:
    """Outcome of a file that the catalog could not take as a photograph."""
    return replace(_base_outcome(rejected), status=Status.REJECTED, reason=rejected.reason)
