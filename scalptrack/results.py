"""The main job's outputs: runs the pipeline over a catalog and writes everything it says."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scalptrack.cache import RecordCache
from scalptrack.chart import timeline_png, timeline_svg, zones_png, zones_svg
from scalptrack.correction_notes import (
    lost_corrections,
    with_correction_notes,
    without_drawn_regions,
)
from scalptrack.corrections import NO_CORRECTIONS, Corrections
from scalptrack.dicom_series import write_dicom
from scalptrack.images import read_photograph
from scalptrack.images.dicom_writing import Pseudonym
from scalptrack.longitudinal import MEASURED_ERRORS, build_timelines
from scalptrack.longitudinal.conditions import unmatched
from scalptrack.longitudinal.hair_index import hair_index
from scalptrack.longitudinal.salt import estimate_salt
from scalptrack.longitudinal.zone_timelines import build_zone_timelines
from scalptrack.outputs import OutputFolder, series_folder
from scalptrack.pictures import PhotographPictures, draw_series
from scalptrack.pipeline import RECORD_TYPES, Series, rejected_outcome, track
from scalptrack.plain import to_plain
from scalptrack.records import (
    Catalog,
    Event,
    ImageArray,
    Outcome,
    Registration,
    SaltEstimate,
    Settings,
    Status,
    Timeline,
    VisitConditions,
    ZoneTimeline,
)
from scalptrack.report import (
    FollowUpPictures,
    ReportContext,
    TimelineSection,
    build_pdf,
    build_report,
)
from scalptrack.run_record import write_run_record
from scalptrack.segmentation import model_checksum, shared_segmenter
from scalptrack.structured_report import ReportedRun, write_reports
from scalptrack.tables import changes_csv, fingerprint, measurements_csv, provenance
from scalptrack.zone_tables import zone_timelines, zones_csv
from scalptrack.zoning import with_zones

PictureNames = dict[tuple[str, str], str]
"""Names of written pictures by (sha256 of the photograph, kind)."""

TOP_NAMES = ("measurements.csv", "changes.csv", "zones.csv", "provenance.json", "report.html")
PDF_NAME = "report.pdf"


@dataclass(frozen=True, slots=True)
class RunResult:
    """Everything a run says, as numbers and records."""

    outcomes: tuple[Outcome, ...]
    timelines: tuple[Timeline, ...]
    provenance: dict[str, Any]
    notes: tuple[str, ...] = ()
    zones: tuple[ZoneTimeline, ...] = ()
    salt: tuple[SaltEstimate, ...] = ()

    @property
    def measured(self) -> int:
        """How many photographs have a coverage."""
        return sum(each.status is Status.MEASURED for each in self.outcomes)

    @property
    def all_measured(self) -> bool:
        """True when nothing was rejected or refused."""
        return self.measured == len(self.outcomes)

    def counts_line(self) -> str:
        """The line that every run ends with."""
        counts = Counter(each.status for each in self.outcomes)
        return (
            f"{len(self.outcomes)} files: {counts[Status.MEASURED]} measured, "
            f"{counts[Status.REFUSED]} refused, {counts[Status.REJECTED]} rejected"
        )

    def document(self) -> dict[str, Any]:
        """The JSON document of ``track``."""
        return {
            "schema": "scalptrack.track/1",
            "outcomes": [_outcome_document(each) for each in self.outcomes],
            "timelines": to_plain(self.timelines),
            "zones": to_plain(self.zones),
            "salt": to_plain(self.salt),
            "notes": list(self.notes),
            "provenance": self.provenance,
        }


def _outcome_document(outcome: Outcome) -> dict[str, Any]:
    document: dict[str, Any] = to_plain(outcome)
    if outcome.measurement is not None:
        coverage = outcome.measurement.coverage_fraction
        document["coverage_fraction"] = coverage
        document["hair_index"] = to_plain(hair_index(coverage))
    return document


def run_and_write(
    catalog: Catalog,
    settings: Settings,
    *,
    out: Path,
    events: Sequence[Event] = (),
    conditions: Sequence[VisitConditions] = (),
    corrections: Corrections = NO_CORRECTIONS,
    invocation: Sequence[str] = (),
    executor: Executor | None = None,
    use_cache: bool = True,
    pdf: bool = False,
    deidentified: bool = False,
    dates_shifted: bool = False,
    dicom: bool = False,
    on_step: Callable[[str], None] = lambda _name: None,
) -> RunResult:
    """Measure a catalog and write tables, charts, pictures and the report.

    Parameters
    ----------
    catalog : Catalog
        What was understood of the folder.
    settings : Settings
        Everything that decides a result.
    out : Path
        The output folder; what the program did not write there is never touched.
    events : sequence of Event
        Shown on the time axis.
    conditions : sequence of VisitConditions
        What the user stated of the visits.
    corrections : Corrections
        What a reviewer decided.
    invocation : sequence of str
        Arguments that give this run again, for `review`.
    executor : Executor or None
        Runs analyses of photographs at the same time.
    use_cache : bool
        Use what an earlier run with the same settings and versions computed.
    pdf : bool
        Also write the report as ``report.pdf``.
    deidentified : bool
        Cover faces in the pictures, and say so; names are replaced in the catalog before
        (`scalptrack.disguise`). Nothing is kept for a rerun.
    dates_shifted : bool
        With `deidentified`: dates were moved as well.
    dicom : bool
        Also write the aligned photographs (`scalptrack.dicom_series`) and the measurements
        (`scalptrack.structured_report`) as DICOM.
    on_step : callable
        Called with the name of each photograph that was analysed.

    Raises
    ------
    OutputError
        When an output would overwrite what the program did not write, or can't be written.
    """
    folder = OutputFolder(out)
    top_names = (*TOP_NAMES, PDF_NAME) if pdf else TOP_NAMES
    folder.require_free(top_names)
    method = shared_segmenter().method
    cache = RecordCache(
        folder.state_folder / "cache" if use_cache and not deidentified else None,
        RECORD_TYPES | {PhotographPictures.__name__: PhotographPictures},
        fingerprint=fingerprint(replace(settings, forehead=""), method),
    )
    zoned = [
        with_zones(each, forehead=settings.forehead)
        for each in track(
            catalog,
            settings,
            cache=cache,
            corrections=corrections,
            executor=executor,
            on_step=on_step,
        )
    ]
    series = [each.series for each in zoned]
    outcomes = (
        *(outcome for each in series for outcome in each.outcomes),
        *(rejected_outcome(each) for each in catalog.rejected),
    )
    events = (*events, *(each for each in corrections.events if each not in events))
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
    salt = estimate_salt(without_drawn_regions(timelines, series, corrections))
    notes = (
        *unmatched(conditions, outcomes),
        *corrections.notes,
        *lost_corrections(series, corrections),
    )
    pictures: PictureNames = {}
    for each in series:
        pictures |= _write_pictures(each, folder, cache, settings, cover_faces=deidentified)
    if deidentified:
        notes += _hidden(outcomes, pictures)
    charts = {(each.subject, each.view): _write_charts(each, zones, folder) for each in timelines}
    written = [name for names in charts.values() for name in names] + list(pictures.values())
    if dicom:
        reported = ReportedRun(outcomes, tuple(series), pictures, method, model_checksum())
        names, more = _write_dicom(
            timelines, reported, folder, deidentified=deidentified, dates_shifted=dates_shifted
        )
        written, notes = [*written, *names], (*notes, *more)
    document = provenance(
        outcomes,
        settings,
        method=method,
        model_sha256=model_checksum(),
        conditions=conditions,
        outputs=[*top_names, *written],
        decisions=corrections.record,
    ) | {"deidentified": deidentified}
    folder.write_text("measurements.csv", measurements_csv(outcomes, timelines))
    folder.write_text("changes.csv", changes_csv(timelines))
    folder.write_text("zones.csv", zones_csv(zones))
    folder.write_text("provenance.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    sections = tuple(
        _section(each, outcomes, zones, pictures, charts[each.subject, each.view][0])
        for each in timelines
    )
    context = ReportContext(
        title=catalog.root.name or "photographs",
        outcomes=outcomes,
        sections=sections,
        provenance=_provenance_rows(document),
        files=tuple((name, name) for name in TOP_NAMES[:4]),
        notes=notes,
        salt=salt,
    )
    folder.write_text("report.html", build_report(context))
    if not deidentified:  # It holds paths and names.
        write_run_record(folder, catalog, outcomes, invocation)
    if pdf:
        folder.write_bytes(PDF_NAME, build_pdf(context, lambda name: _picture(folder, name)))
    return RunResult(outcomes, timelines, document, notes, zones, salt)


def _write_dicom(
    timelines: Sequence[Timeline],
    run: ReportedRun,
    folder: OutputFolder,
    *,
    deidentified: bool,
    dates_shifted: bool,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write aligned photographs and measurements as DICOM; names of the files, and notes."""
    names: list[str] = []
    for each in run.series:
        pseudonym = Pseudonym(each.subject, dates_shifted) if deidentified else None
        names += write_dicom(each, run.pictures, folder, pseudonym=pseudonym)
    reports, notes = write_reports(
        timelines, run, folder, deidentified=deidentified, dates_shifted=dates_shifted
    )
    return (*names, *reports), notes


def _hidden(outcomes: Sequence[Outcome], pictures: PictureNames) -> tuple[str, ...]:
    """Note on photographs of which no picture is shown."""
    count = sum(
        each.status is Status.MEASURED and (each.sha256, "overlay") not in pictures
        for each in outcomes
    )
    words = "Measured photographs that are not shown, as a face could not be covered"
    return (f"{words}: {count}.",) if count else ()


def _picture(folder: OutputFolder, name: str) -> ImageArray:
    """Pixels of a picture that this run wrote."""
    image, _ = read_photograph(folder.root / name, max_megapixels=20.0)
    return image


def _write_charts(
    timeline: Timeline, zones: Sequence[ZoneTimeline], folder: OutputFolder
) -> tuple[str, ...]:
    """Write the charts of a timeline and of its zones as PNG and SVG; returns their names."""
    base = series_folder(timeline.subject, timeline.view)
    charts = {
        f"{base}/timeline.png": timeline_png(timeline),
        f"{base}/timeline.svg": timeline_svg(timeline),
    }
    given = [each for each in _zones_of(timeline, zones) if each.timeline is not None]
    if given:
        charts[f"{base}/zones.png"] = zones_png(given)
        charts[f"{base}/zones.svg"] = zones_svg(given)
    for name, content in charts.items():
        folder.write_bytes(name, content)
    return tuple(charts)


def _zones_of(timeline: Timeline, zones: Sequence[ZoneTimeline]) -> tuple[ZoneTimeline, ...]:
    """Zones of one subject and view, also those that aren't given."""
    key = (timeline.subject, timeline.view)
    return tuple(each for each in zones if (each.subject, each.view) == key)


def _section(
    timeline: Timeline,
    outcomes: Sequence[Outcome],
    zones: Sequence[ZoneTimeline],
    pictures: PictureNames,
    chart_png: str,
) -> TimelineSection:
    """One timeline of the report with its pictures."""
    own = tuple(
        each for each in outcomes if (each.subject, each.view) == (timeline.subject, timeline.view)
    )
    reference = next((each for each in own if each.is_reference), None)
    return TimelineSection(
        timeline=timeline,
        outcomes=own,
        chart_svg=timeline_svg(timeline, heading=False).decode("utf-8"),
        follow_ups=tuple(_follow_ups(own, reference, pictures)) if reference else (),
        reference_overlay=pictures.get((reference.sha256, "overlay")) if reference else None,
        chart_png=chart_png,
        zones=_zones_of(timeline, zones),
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
        )


def _provenance_rows(document: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the report says of where its numbers come from."""
    rows = [(name, str(value)) for name, value in document["versions"].items()]
    rows.append(("segmentation", document["segmentation_method"]))
    rows.append(("model SHA-256", document["model_sha256"]))
    rows += [(f"setting {name}", str(value)) for name, value in document["settings"].items()]
    return tuple(rows)


def _write_pictures(
    series: Series,
    folder: OutputFolder,
    cache: RecordCache,
    settings: Settings,
    *,
    cover_faces: bool,
) -> PictureNames:
    """Write the pictures of a series; their names by (sha256 of the photograph, kind)."""
    names: PictureNames = {}
    base = series_folder(series.subject, series.view)
    for index, each in enumerate(series.photographs):
        photograph = each.member.photograph
        made = _cached_pictures(series, index, cache, settings, cover_faces=cover_faces)
        if made is None:
            continue
        stem = f"{base}/{photograph.visit_date.isoformat()}_{photograph.replicate}"
        for kind in ("overlay", "aligned", "compare", "gain_loss"):
            content = getattr(made, kind)
            if content is not None:
                name = f"{stem}.{kind.replace('_', '-')}.jpg"
                folder.write_bytes(name, content.tobytes())
                names[photograph.sha256, kind] = name
    return names


def _digest(registration: Registration) -> str:
    """Hash of a transform that the two photographs alone don't tell: points were set by hand."""
    parameters = registration.transform.as_dict() if registration.transform else {}
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def _cached_pictures(
    series: Series,
    index: int,
    cache: RecordCache,
    settings: Settings,
    *,
    cover_faces: bool,
) -> PhotographPictures | None:
    """Pictures of one photograph, drawn again only when the compared region is another one."""
    if series.reference is None or series.region is None:
        return None
    registration = series.photographs[index].registration
    key = (
        "pictures",
        "" if registration is None or registration.method != "points" else _digest(registration),
        series.photographs[series.reference].member.photograph.sha256,
        series.photographs[index].member.photograph.sha256,
        hashlib.sha256(np.packbits(series.region).tobytes()).hexdigest(),
    )
    known: PhotographPictures | None = cache.load(*key)
    if known is None:
        known = draw_series(
            series, index, max_megapixels=settings.max_megapixels, cover_faces=cover_faces
        )
        if known is not None:
            cache.save(known, *key)
    return known
