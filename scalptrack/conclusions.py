"""What a run says, as numbers and records: computed from measured series, before any is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scalptrack.correction_notes import (
    lost_corrections,
    with_correction_notes,
    without_drawn_regions,
)
from scalptrack.corrections import NO_CORRECTIONS, Corrections
from scalptrack.longitudinal import MEASURED_ERRORS, build_timelines
from scalptrack.longitudinal.conditions import unmatched
from scalptrack.longitudinal.salt import estimate_salt, withheld_salt
from scalptrack.longitudinal.zone_timelines import build_zone_timelines
from scalptrack.pipeline import Series, rejected_outcome
from scalptrack.records import (
    Catalog,
    Event,
    Outcome,
    SaltEstimate,
    Timeline,
    VisitConditions,
    ZoneTimeline,
)
from scalptrack.zone_tables import zone_timelines
from scalptrack.zoning import ZonedSeries


@dataclass(frozen=True, slots=True)
class Stated:
    """What people state beside the photographs.

    Attributes
    ----------
    events : tuple of Event
        Shown on the time axis.
    conditions : tuple of VisitConditions
        What the user stated of the visits.
    corrections : Corrections
        What a reviewer decided.
    """

    events: tuple[Event, ...] = ()
    conditions: tuple[VisitConditions, ...] = ()
    corrections: Corrections = NO_CORRECTIONS


NOTHING_STATED = Stated()


@dataclass(frozen=True, slots=True, eq=False)
class Conclusions:
    """Everything that a run says of its photographs.

    Attributes
    ----------
    series : tuple of Series
        With their zones.
    outcomes : tuple of Outcome
        One per file, rejected ones last.
    notes : tuple of str
        What a reader has to know of the folder as a whole.
    """

    series: tuple[Series, ...]
    outcomes: tuple[Outcome, ...]
    timelines: tuple[Timeline, ...]
    zones: tuple[ZoneTimeline, ...]
    salt: tuple[SaltEstimate, ...]
    notes: tuple[str, ...]


def conclude(catalog: Catalog, zoned: Sequence[ZonedSeries], stated: Stated) -> Conclusions:
    """Timelines, zones, SALT and notes from everything that was measured.

    Parameters
    ----------
    catalog : Catalog
        Whose rejected files have their outcome as well.
    zoned : sequence of ZonedSeries
        All series of the catalog.
    stated : Stated
        Events, conditions and corrections.
    """
    series = tuple(each.series for each in zoned)
    corrections, conditions = stated.corrections, stated.conditions
    outcomes = (
        *(outcome for each in series for outcome in each.outcomes),
        *(rejected_outcome(each) for each in catalog.rejected),
    )
    corrected = (each for each in corrections.events if each not in stated.events)
    events = (*stated.events, *corrected)
    timelines = with_correction_notes(
        build_timelines(
            outcomes, events=events, conditions=conditions, error_model=MEASURED_ERRORS
        ),
        series,
        corrections,
    )
    zones = zone_timelines(
        {(each.series.subject, each.series.view): each.found for each in zoned},
        build_zone_timelines(
            outcomes, events=events, conditions=conditions, error_model=MEASURED_ERRORS
        ),
    )
    whole = without_drawn_regions(timelines, series, corrections)
    return Conclusions(
        series=series,
        outcomes=outcomes,
        timelines=timelines,
        zones=zones,
        salt=estimate_salt(whole),
        notes=(
            *unmatched(conditions, outcomes),
            *corrections.notes,
            *lost_corrections(series, corrections),
            *withheld_salt(whole),
        ),
    )
