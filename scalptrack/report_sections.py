"""The report's context: what a run says, beside the names of the files that it wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scalptrack.chart import timeline_svg
from scalptrack.conclusions import Conclusions
from scalptrack.records import Outcome, Tier, Timeline
from scalptrack.report import FollowUpPictures, ReportContext, TimelineSection
from scalptrack.series_files import PictureNames, SeriesFiles, zones_of
from scalptrack.translation import tr
from scalptrack.wording import rough_words


def report_context(
    run: Conclusions,
    written: SeriesFiles,
    document: dict[str, Any],
    *,
    title: str,
    tables: Sequence[str],
) -> ReportContext:
    """Gather what the report shows.

    Parameters
    ----------
    run : Conclusions
        Outcomes, timelines, zones, SALT and notes.
    written : SeriesFiles
        Names of charts and pictures, and notes on those that there are not.
    document : dict
        What stands in ``provenance.json``.
    title : str
        What the reader knows the run as.
    tables : sequence of str
        Names of the tables beside the report.
    """
    return ReportContext(
        title=title,
        outcomes=run.outcomes,
        sections=tuple(_section(each, run, written) for each in run.timelines),
        provenance=_provenance_rows(document),
        files=tuple((name, name) for name in tables),
        notes=(*run.notes, *written.notes),
        salt=run.salt,
    )


def _section(timeline: Timeline, run: Conclusions, written: SeriesFiles) -> TimelineSection:
    """One timeline of the report with its pictures."""
    key = (timeline.subject, timeline.view)
    own = tuple(each for each in run.outcomes if (each.subject, each.view) == key)
    reference = next((each for each in own if each.is_reference), None)
    pictures = written.pictures
    return TimelineSection(
        timeline=timeline,
        outcomes=own,
        chart_svg=timeline_svg(timeline, heading=False).decode("utf-8"),
        follow_ups=tuple(_follow_ups(own, reference, pictures)) if reference else (),
        reference_overlay=pictures.get((reference.sha256, "overlay")) if reference else None,
        chart_png=written.charts[key][0],
        zones=zones_of(timeline, run.zones),
    )


def _follow_ups(
    outcomes: Sequence[Outcome], reference: Outcome, pictures: PictureNames
) -> Iterator[FollowUpPictures]:
    """Pictures of every measured photograph besides the reference."""
    baseline = pictures.get((reference.sha256, "aligned"))
    for each in outcomes:
        aligned = pictures.get((each.sha256, "aligned"))
        if each.is_reference or aligned is None or baseline is None or each.visit_date is None:
            continue
        yield FollowUpPictures(
            name=each.name,
            visit_date=each.visit_date,
            replicate=each.replicate,
            baseline=baseline,
            aligned=aligned,
            overlay=pictures.get((each.sha256, "overlay")),
            gain_loss=pictures.get((each.sha256, "gain_loss")),
            rough=rough_words((each.aligned_by,)) if each.tier is Tier.B else "",
        )


def _provenance_rows(document: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the report says of where its numbers come from."""
    rows = [(name, str(value)) for name, value in document["versions"].items()]
    rows.append((tr("segmentation"), document["segmentation_method"]))
    rows.append((tr("model SHA-256"), document["model_sha256"]))
    rows += [
        (tr("setting {name}", name=name), str(value))
        for name, value in document["settings"].items()
    ]
    return tuple(rows)
