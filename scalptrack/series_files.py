"""The files of each subject and view: pictures, charts, and both as DICOM."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scalptrack.cache import RecordCache
from scalptrack.chart import timeline_png, timeline_svg, zones_png, zones_svg
from scalptrack.conclusions import Conclusions
from scalptrack.dicom_series import write_dicom
from scalptrack.images.dicom_writing import Pseudonym
from scalptrack.outputs import OutputFolder, series_folder
from scalptrack.pictures import PhotographPictures, draw_series
from scalptrack.pipeline import Series
from scalptrack.records import Outcome, Registration, Settings, Status, Timeline, ZoneTimeline
from scalptrack.segmentation import model_checksum, shared_segmenter
from scalptrack.structured_report import ReportedRun, write_reports
from scalptrack.translation import tr

PictureNames = dict[tuple[str, str], str]
"""Names of written pictures by (sha256 of the photograph, kind)."""

TOP_NAMES = ("measurements.csv", "changes.csv", "zones.csv", "provenance.json", "report.html")
PDF_NAME = "report.pdf"


@dataclass(frozen=True, slots=True)
class Products:
    """What a run writes, and whether names stand in it.

    Attributes
    ----------
    pdf : bool
        Also write the report as ``report.pdf``.
    dicom : bool
        Also write the aligned photographs (`scalptrack.dicom_series`) and the measurements
        (`scalptrack.structured_report`) as DICOM.
    deidentified : bool
        Cover faces in the pictures, and say so; names are replaced in the catalog before
        (`scalptrack.disguise`). Nothing is kept for a rerun.
    dates_shifted : bool
        With `deidentified`: dates were moved as well.
    """

    pdf: bool = False
    dicom: bool = False
    deidentified: bool = False
    dates_shifted: bool = False

    @property
    def top_names(self) -> tuple[str, ...]:
        """Names of the files that are about the whole run."""
        return (*TOP_NAMES, PDF_NAME) if self.pdf else TOP_NAMES


TABLES_AND_REPORT = Products()


@dataclass(frozen=True, slots=True)
class SeriesFiles:
    """Names of what was written for each subject and view.

    Attributes
    ----------
    pictures : dict
        By (sha256 of the photograph, kind).
    charts : mapping
        By (subject, view); the timeline as PNG comes first.
    dicom : tuple of str
        Aligned pictures and structured reports.
    notes : tuple of str
        What was not written, and why.
    """

    pictures: PictureNames
    charts: Mapping[tuple[str, str], tuple[str, ...]]
    dicom: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        charts = (name for names in self.charts.values() for name in names)
        return (*charts, *self.pictures.values(), *self.dicom)


def write_series_files(
    run: Conclusions,
    folder: OutputFolder,
    cache: RecordCache,
    settings: Settings,
    products: Products,
) -> SeriesFiles:
    """Write pictures, charts and, where they are asked for, DICOM files.

    Parameters
    ----------
    run : Conclusions
        What is drawn.
    folder : OutputFolder
        Where to.
    cache : RecordCache
        Holds pictures that an earlier run drew.
    settings : Settings
        Those of the run.
    products : Products
        Whether faces are covered, and whether there is DICOM.

    Raises
    ------
    OutputError
        When an output would overwrite what the program did not write, or can't be written.
    """
    pictures: PictureNames = {}
    for each in run.series:
        pictures |= _write_pictures(
            each, folder, cache, settings, cover_faces=products.deidentified
        )
    notes = _hidden(run.outcomes, pictures) if products.deidentified else ()
    charts = {
        (each.subject, each.view): _write_charts(each, run.zones, folder) for each in run.timelines
    }
    names: tuple[str, ...] = ()
    if products.dicom:
        names, more = _write_dicom(run, pictures, folder, products)
        notes = (*notes, *more)
    return SeriesFiles(pictures, charts, names, notes)


def zones_of(timeline: Timeline, zones: Sequence[ZoneTimeline]) -> tuple[ZoneTimeline, ...]:
    """Zones of one subject and view, also those that aren't given."""
    key = (timeline.subject, timeline.view)
    return tuple(each for each in zones if (each.subject, each.view) == key)


def _hidden(outcomes: Sequence[Outcome], pictures: PictureNames) -> tuple[str, ...]:
    """Note on photographs of which no picture is shown."""
    count = sum(
        each.status is Status.MEASURED and (each.sha256, "overlay") not in pictures
        for each in outcomes
    )
    words = tr(
        "Measured photographs that are not shown, as a face or text could not be covered: {count}.",
        count=count,
    )
    return (words,) if count else ()


def _write_charts(
    timeline: Timeline, zones: Sequence[ZoneTimeline], folder: OutputFolder
) -> tuple[str, ...]:
    """Write the charts of a timeline and of its zones as PNG and SVG; returns their names."""
    base = series_folder(timeline.subject, timeline.view)
    charts = {
        f"{base}/timeline.png": timeline_png(timeline),
        f"{base}/timeline.svg": timeline_svg(timeline),
    }
    given = [each for each in zones_of(timeline, zones) if each.timeline is not None]
    if given:
        charts[f"{base}/zones.png"] = zones_png(given)
        charts[f"{base}/zones.svg"] = zones_svg(given)
    for name, content in charts.items():
        folder.write_bytes(name, content)
    return tuple(charts)


def _write_dicom(
    run: Conclusions, pictures: PictureNames, folder: OutputFolder, products: Products
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write aligned photographs and measurements as DICOM; names of the files, and notes."""
    names: list[str] = []
    for each in run.series:
        pseudonym = (
            Pseudonym(each.subject, products.dates_shifted) if products.deidentified else None
        )
        names += write_dicom(each, pictures, folder, pseudonym=pseudonym)
    reported = ReportedRun(
        run.outcomes, run.series, pictures, shared_segmenter().method, model_checksum()
    )
    reports, notes = write_reports(
        run.timelines,
        reported,
        folder,
        deidentified=products.deidentified,
        dates_shifted=products.dates_shifted,
    )
    return (*names, *reports), notes


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
        made = pictures_of(series, index, cache, settings, cover_faces=cover_faces)
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


def pictures_of(
    series: Series,
    index: int,
    cache: RecordCache,
    settings: Settings,
    *,
    cover_faces: bool = False,
) -> PhotographPictures | None:
    """Pictures of one photograph, drawn again only when the compared region is another one.

    Parameters
    ----------
    series : Series
        The photograph's series.
    index : int
        Which of its photographs.
    cache : RecordCache
        Holds pictures that were drawn before.
    settings : Settings
        Those that it was measured with.
    cover_faces : bool
        Cover faces.

    Returns
    -------
    PhotographPictures or None
        None where it wasn't measured, or what has to be covered can't be.
    """
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
