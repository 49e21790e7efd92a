"""Timelines of the named zones: the same statistics as for a whole region, one zone at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from scalptrack.longitudinal.components import ErrorModel
from scalptrack.longitudinal.intervals import CONFIDENCE
from scalptrack.longitudinal.timeline import build_timelines
from scalptrack.records import (
    Event,
    Measurement,
    Outcome,
    Reason,
    Status,
    Timeline,
    VisitConditions,
    ZoneMeasurement,
)
from scalptrack.translation import tr

MAX_PRIOR_FACTOR = 2.0
"""A zone's prior SD is that of a whole region times the root of how much larger that is, as if
strands fell into place independently, and at most this many times it: errors of light and of the
segmentation are shared by neighbouring pixels. An assumption that own replicates replace."""


def build_zone_timelines(
    outcomes: Sequence[Outcome],
    *,
    events: Sequence[Event] = (),
    conditions: Sequence[VisitConditions] = (),
    error_model: ErrorModel | None = None,
) -> dict[tuple[str, str, str], Timeline]:
    """Timeline of every zone that has a number, by subject, view and zone.

    Parameters
    ----------
    outcomes : sequence of Outcome
        As for `build_timelines`; zones are those of their measurements.
    events, conditions : sequences
        As for `build_timelines`.
    error_model : ErrorModel, optional
        That of whole regions; a zone's prior is wider.

    Notes
    -----
    The limits of a view's zones share its 5 % of false alarms: with two zones each timeline is held
    to 2.5 %. A photograph that has a number and lacks the zone is a gap of that zone's timeline: a
    first visit without the zone must not make the second one the first.
    """
    model = error_model or ErrorModel()
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.subject, outcome.view), []).append(outcome)
    found: dict[tuple[str, str, str], Timeline] = {}
    for (subject, view), members in groups.items():
        names = sorted(
            {zone.zone for each in members if each.measurement for zone in each.measurement.zones}
        )
        for name in names:
            own = [_of_zone(each, name) for each in members]
            shared = replace(
                model,
                prior_sd_fraction=model.prior_sd_fraction * _prior_factor(members, name),
                confidence=1.0 - (1.0 - CONFIDENCE) / len(names),
            )
            (timeline,) = build_timelines(
                own,
                events=events,
                conditions=conditions,
                error_model=shared,
            )
            found[subject, view, name] = timeline
    return found


def _zone_in(measurement: Measurement, name: str) -> ZoneMeasurement | None:
    return next((each for each in measurement.zones if each.zone == name), None)


def _of_zone(outcome: Outcome, name: str) -> Outcome:
    """The outcome with the zone in place of the region; refused where only the zone is missing."""
    if outcome.measurement is None:
        return outcome
    zone = _zone_in(outcome.measurement, name)
    if zone is None:
        return replace(outcome, status=Status.REFUSED, measurement=None, reason=_hidden(name))
    measurement = replace(
        outcome.measurement,
        hair_px=zone.hair_px,
        region_px=zone.region_px,
        registration_sd_fraction=zone.registration_sd_fraction,
        doubt_fraction=zone.doubt_fraction,
        zones=(),
    )
    return replace(outcome, measurement=measurement)


def _hidden(name: str) -> Reason:
    words = tr("Too little of the {zone} zone is seen in this photograph.", zone=name)
    return Reason("zone_hidden", words)


def _prior_factor(outcomes: Sequence[Outcome], name: str) -> float:
    """How much wider the prior SD of a zone is than that of the whole region."""
    ratios = [
        each.measurement.region_px / zone.region_px
        for each in outcomes
        if each.measurement and (zone := _zone_in(each.measurement, name)) and zone.region_px > 0
    ]
    mean = math.fsum(ratios) / len(ratios) if ratios else 1.0
    return min(max(math.sqrt(mean), 1.0), MAX_PRIOR_FACTOR)
