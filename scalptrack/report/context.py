"""What the report is made from: records that are already computed, and pictures by address.

A picture's address is a path relative to the report with forward slashes, as the file is called
(not percent-encoded), or a ``data:image/...`` URI. None: the picture was not made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from scalptrack.records import Outcome, SaltEstimate, Timeline, ZoneTimeline


@dataclass(frozen=True, slots=True)
class FollowUpPictures:
    """Pictures of one measured photograph that is compared with the reference.

    Attributes
    ----------
    name : str
        Name of the photograph, as in its `Outcome`.
    visit_date, replicate : date, int or None
        Its visit.
    baseline, aligned : str
        Reference picture and this photograph aligned with it: same size, same camera position.
    overlay : str or None
        This photograph with hair and region.
    gain_loss : str or None
        Map of gained and lost hair.
    rough : str
        What it is aligned by where that is tier B, e.g. ``"by points set by hand"``; else empty.
    """

    name: str
    visit_date: date
    replicate: int | None
    baseline: str
    aligned: str
    overlay: str | None = None
    gain_loss: str | None = None
    rough: str = ""


@dataclass(frozen=True, slots=True)
class TimelineSection:
    """One subject and view.

    Attributes
    ----------
    timeline : Timeline
    outcomes : tuple of Outcome
        All files of this subject and view.
    chart_svg : str
        The chart as SVG source (`scalptrack.chart.timeline_svg` without its heading).
    follow_ups : tuple of FollowUpPictures
        One per measured photograph besides the reference.
    reference_overlay : str or None
        The reference photograph with hair and region.
    chart_png : str or None
        Address of the chart as PNG, for download.
    zones : tuple of ZoneTimeline
        Zones of this view, also those that are not given.
    """

    timeline: Timeline
    outcomes: tuple[Outcome, ...]
    chart_svg: str
    follow_ups: tuple[FollowUpPictures, ...] = ()
    reference_overlay: str | None = None
    chart_png: str | None = None
    zones: tuple[ZoneTimeline, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportContext:
    """One run.

    Attributes
    ----------
    title : str
        What the reader knows the run as, e.g. the name of the folder of photographs.
    outcomes : tuple of Outcome
        One per file of the folder, also of those that belong to no timeline.
    sections : tuple of TimelineSection
        In the order in which they are shown.
    provenance : tuple of (str, str)
        Label and value, e.g. version, checksum of the model, settings. No time of the run, so that
        a rerun gives the same bytes.
    files : tuple of (str, str)
        Label and address of tables beside the report.
    notes : tuple of str
        What the catalog has to say about the folder as a whole.
    salt : tuple of SaltEstimate
        Estimates at the dates with all four views.
    """

    title: str
    outcomes: tuple[Outcome, ...]
    sections: tuple[TimelineSection, ...]
    provenance: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    salt: tuple[SaltEstimate, ...] = ()
