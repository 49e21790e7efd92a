"""Aligns the photographs of one series: which one is the reference, and all others with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scalptrack.cache import RecordCache
from scalptrack.corrections import NO_CORRECTIONS, Corrections
from scalptrack.records import (
    NO_MARKERS,
    Photograph,
    Quality,
    Reason,
    Registration,
    Segmentation,
    Settings,
    Status,
    StripMarkers,
)
from scalptrack.registration import (
    HeadFeatures,
    chain,
    register,
    register_by_outline,
    register_by_points,
    register_by_strip,
)
from scalptrack.translation import tr

ENOUGH_REGISTERED = 0.5
"""Share of a series that must register with a reference before it is accepted at once."""

MAX_LINKS_TRIED = 3
"""Through how many photographs a chain is tried for one that doesn't match the reference."""

MAX_REFERENCE_CANDIDATES = 3
"""How many early photographs are tried as the reference."""


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What one photograph says on its own; ``reason`` when it can't take part."""

    quality: Quality | None
    segmentation: Segmentation | None
    features: HeadFeatures | None
    status: Status | None = None
    reason: Reason | None = None
    strip: StripMarkers = NO_MARKERS


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A photograph of a series and what it says on its own."""

    photograph: Photograph
    analysis: Analysis


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Where the photographs of a series lie on their reference.

    Attributes
    ----------
    reference : int or None
        Index of the reference; None when no photograph can be one.
    reason : Reason or None
        Why this one is the reference, or why the one that was set can't be it.
    registrations : tuple of Registration or None
        One for each photograph: None for the reference, and for one that has no features.
    """

    reference: int | None
    reason: Reason | None
    registrations: tuple[Registration | None, ...]


def align_series(
    members: Sequence[Member],
    settings: Settings,
    cache: RecordCache,
    *,
    corrections: Corrections = NO_CORRECTIONS,
) -> Aligned:
    """Choose the reference of a series and register all other photographs with it.

    The photograph that the user set is the reference whatever the others do. Without one it is the
    earliest usable photograph, unless fewer than `ENOUGH_REGISTERED` of the others register with it
    (it may be the one that was filed wrongly): then the one of the first
    `MAX_REFERENCE_CANDIDATES` with which most register, the earlier one in a tie.

    Points that a person set on a photograph and on this reference replace every other alignment of
    it, also where they are refused: whoever set them says that it was wrong.
    """
    chosen = next((i for i, each in enumerate(members) if each.photograph.set_as_reference), None)
    usable = [i for i, member in enumerate(members) if member.analysis.features is not None]
    if chosen is not None and chosen not in usable:
        return Aligned(None, _unusable(members[chosen]), (None,) * len(members))
    candidates = usable[:MAX_REFERENCE_CANDIDATES] if chosen is None else [chosen]
    best: tuple[int, int, list[Registration | None]] | None = None
    for candidate in candidates:
        registrations = [
            _register_pair(members[candidate], moving, settings, cache) for moving in members
        ]
        count = sum(each is not None and each.registered for each in registrations)
        if best is None or count > best[1]:
            best = (candidate, count, registrations)
        if count >= ENOUGH_REGISTERED * (len(usable) - 1):
            break
    if best is None:
        return Aligned(None, None, (None,) * len(members))
    by_hand = _by_hand(best[0], members, settings, corrections)
    links = [None if i in by_hand else each for i, each in enumerate(best[2])]
    registrations = [
        by_hand.get(index) or _through_another(index, members, links, settings, cache)
        for index in range(len(members))
    ]
    registrations = [
        _roughly(members[best[0]], moving, registration, settings, by_hand=i in by_hand)
        for i, (moving, registration) in enumerate(zip(members, registrations, strict=True))
    ]
    return Aligned(best[0], _reason(best[0], chosen, usable), tuple(registrations))


def _reason(reference: int, chosen: int | None, usable: Sequence[int]) -> Reason:
    """Why a photograph is the reference."""
    if chosen is not None:
        return Reason("set", tr("Set as the reference."))
    if reference == usable[0]:
        return Reason("earliest_usable", tr("The earliest usable photograph of this view."))
    return Reason(
        "most_agree",
        tr(
            "More photographs can be aligned with this one than with an "
            "earlier one: fewer than half agree with the earliest usable "
            "photograph."
        ),
    )


def _unusable(member: Member) -> Reason:
    """Why nothing is compared when the reference that was set can't be used."""
    cause = member.analysis.reason
    name = member.photograph.name
    if cause is None:
        words = tr(
            "{name} was set as the reference of this view and can't be used. Set another one.",
            name=name,
        )
    else:
        words = tr(
            "{name} was set as the reference of this view and can't be used: {cause} Set another "
            "one.",
            name=name,
            cause=cause.message,
        )
    return Reason("reference_unusable", words)


def _through_another(
    index: int,
    members: Sequence[Member],
    registrations: Sequence[Registration | None],
    settings: Settings,
    cache: RecordCache,
) -> Registration | None:
    """A refused photograph's registration through one of the others, nearest in time first.

    A head changes from visit to visit: what no longer matches the first may match its neighbour.
    Both links have to pass all gates.
    """
    direct = registrations[index]
    if direct is None or direct.registered:
        return direct
    day = members[index].photograph.visit_date
    others = [i for i, each in enumerate(registrations) if each is not None and each.registered]
    others.sort(key=lambda i: (abs(members[i].photograph.visit_date - day), i))
    for between in others[:MAX_LINKS_TRIED]:
        first = registrations[between]
        second = _register_pair(members[between], members[index], settings, cache)
        if first is None or second is None:
            continue
        chained = chain(first, second)
        if chained is not None and chained.overlap >= settings.min_overlap:
            return chained
    return direct


def _by_hand(
    reference: int, members: Sequence[Member], settings: Settings, corrections: Corrections
) -> dict[int, Registration]:
    """Registrations by the points that a person set on the reference and on another photograph."""
    features = members[reference].analysis.features
    found: dict[int, Registration] = {}
    for index, moving in enumerate(members):
        points = corrections.points.get(moving.photograph.sha256)
        if points is None or index == reference or not features or not moving.analysis.features:
            continue
        if points.reference_sha256 == members[reference].photograph.sha256:
            found[index] = register_by_points(
                features,
                moving.analysis.features,
                np.asarray(points.pairs, dtype=np.float64).reshape(-1, 4),
                seed=settings.seed,
                resamples=settings.resamples,
            )
    return found


def _roughly(
    reference: Member,
    moving: Member,
    refused: Registration | None,
    settings: Settings,
    *,
    by_hand: bool,
) -> Registration | None:
    """A refused photograph's registration by what is less sure; no band overrules a person."""
    first, second = reference.analysis, moving.analysis
    if refused is None or refused.registered or not first.features or not second.features:
        return refused
    allowed = replace(settings, strip=settings.strip and not by_hand)
    features, strips = (first.features, second.features), (first.strip, second.strip)
    return register_roughly(features, strips, refused, allowed)


def register_roughly(
    features: tuple[HeadFeatures, HeadFeatures],
    strips: tuple[StripMarkers, StripMarkers],
    refused: Registration,
    settings: Settings,
) -> Registration:
    """Align what features refused by what the user allows beyond: the headband, then the outline.

    Parameters
    ----------
    features : tuple of HeadFeatures
        Of the reference and of the moving photograph.
    strips : tuple of StripMarkers
        Their headbands.
    refused : Registration
        What `register` said of the pair.
    settings : Settings
        What is allowed (``strip``, ``allow_outline``); seed and resamples.

    Returns
    -------
    Registration
        Of tier B, or a refusal with the gates of what was tried.
    """
    seed, resamples = settings.seed, settings.resamples
    found = refused
    if settings.strip:
        found = register_by_strip(*features, strips, found, seed=seed, resamples=resamples)
    if settings.allow_outline and not found.registered:
        found = register_by_outline(*features, found, seed=seed, resamples=resamples)
    return found


def _register_pair(
    reference: Member, moving: Member, settings: Settings, cache: RecordCache
) -> Registration | None:
    """Registration of one photograph with the reference; None for itself or when it has no data."""
    reference_features, moving_features = reference.analysis.features, moving.analysis.features
    if reference is moving or reference_features is None or moving_features is None:
        return None
    key = ("registration", reference.photograph.sha256, moving.photograph.sha256)
    known: Registration | None = cache.load(*key)
    if known is not None:
        return known
    registration = register(
        reference_features, moving_features, seed=settings.seed, resamples=settings.resamples
    )
    cache.save(registration, *key)
    return registration
