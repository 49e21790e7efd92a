"""A report of made-up numbers and pictures, as a whole folder that a browser can open."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np

from scalptrack.chart import timeline_svg
from scalptrack.images import encode_image
from scalptrack.longitudinal import ErrorModel, build_timelines
from scalptrack.longitudinal.salt import estimate_salt
from scalptrack.longitudinal.zone_timelines import build_zone_timelines
from scalptrack.records import Event, Outcome, Reason, ZoneMeasurement, ZoneTimeline
from scalptrack.report import FollowUpPictures, ReportContext, TimelineSection, build_report
from tests.longitudinal.series import FIRST_DAY, measured, refused

DAYS = (0, 91, 182, 273, 364)
MODEL = ErrorModel(visit_sd_fraction=0.02)


def outcomes() -> list[Outcome]:
    """Five visits of a vertex that gains, and a blurred photograph between."""
    made = []
    for number, day in enumerate(DAYS):
        for replicate in (1, 2):
            coverage = 0.3 + 0.06 * number + 0.004 * replicate
            one = measured(coverage, day=day, replicate=replicate, is_reference=number == 0)
            zones = (
                ZoneMeasurement("vertex", (coverage - 0.1) * 600_000, 600_000),
                ZoneMeasurement("occipital", (coverage + 0.2) * 300_000, 300_000),
            )
            made.append(replace(one, measurement=replace(one.measurement, zones=zones)))
    return [*made, refused(day=130, message="Blurred: 1.2 px measured, the limit is 3 px")]


def four_views() -> list[Outcome]:
    """One visit with all four views that an estimate of SALT needs."""
    views = {"vertex": 0.6, "occipital": 0.9, "left-temporal": 0.8, "right-temporal": 0.7}
    return [measured(value, view=view, subject="ben") for view, value in views.items()]


def context() -> ReportContext:
    """Everything that a run would say of them."""
    one, others = outcomes(), four_views()
    events = [Event(FIRST_DAY + dt.timedelta(days=40), "treatment started", "anna")]
    timelines = build_timelines([*one, *others], events=events, error_model=MODEL)
    found = build_zone_timelines(one, events=events, error_model=MODEL)
    zones = tuple(
        ZoneTimeline("anna", "vertex", name, share, found["anna", "vertex", name])
        for name, share in (("vertex", 0.83), ("occipital", 0.44))
    )
    withheld = Reason("border_uncertain", "The frontal zone isn't given in vertex photographs.")
    zones = (*zones, ZoneTimeline("anna", "vertex", "frontal", reason=withheld))
    sections = []
    for timeline in timelines:
        own = tuple(
            o for o in [*one, *others] if (o.subject, o.view) == (timeline.subject, timeline.view)
        )
        pictures = ()
        if timeline.subject == "anna":
            day = FIRST_DAY + dt.timedelta(days=364)
            pictures = (
                FollowUpPictures(
                    own[8].name, day, 1, "first.jpg", "last.jpg", "last.jpg", "first.jpg"
                ),
            )
        sections.append(
            TimelineSection(
                timeline,
                own,
                timeline_svg(timeline, heading=False).decode(),
                follow_ups=pictures,
                zones=zones if timeline.subject == "anna" else (),
            )
        )
    return ReportContext(
        title="made-up people",
        outcomes=(*one, *others),
        sections=tuple(sections),
        provenance=(("scalptrack", "test"),),
        salt=estimate_salt(timelines),
    )


def write_report(folder: Path) -> Path:
    """Write the report and its two pictures; returns its path."""
    rows, columns = np.mgrid[:300, :300]
    for name, level in (("first.jpg", 90), ("last.jpg", 170)):
        picture = np.full((300, 300, 3), level, np.uint8)
        picture[(rows - 150) ** 2 + (columns - 150) ** 2 < 100**2] = (200, 160, level)
        (folder / name).write_bytes(encode_image(picture, suffix=".jpg", quality=85))
    path = folder / "report.html"
    path.write_text(build_report(context()), encoding="utf-8")
    return path
