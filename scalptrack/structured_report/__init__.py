"""The measurements of a subject and view as a DICOM Structured Report (the extra ``dicom``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from scalptrack.dicom_series import dicom_name
from scalptrack.images.dicom_writing import Pseudonym, dicom_header
from scalptrack.outputs import OutputFolder, series_folder
from scalptrack.pipeline import Series
from scalptrack.records import Outcome, Status, Timeline

if TYPE_CHECKING:
    from scalptrack.structured_report.content import ReportedPhotograph

__all__ = ["REPORT_NAME", "ReportedRun", "write_reports"]

REPORT_NAME = "measurements.dcm"


@dataclass(frozen=True, slots=True, eq=False)
class ReportedRun:
    """What a run knows when its reports are written.

    Attributes
    ----------
    outcomes : tuple of Outcome
        Of all files.
    series : tuple of Series
    pictures : mapping
        Names of written pictures by (sha256 of the photograph, kind).
    method, model_sha256 : str
        Name of the segmentation, and checksum of its model.
    """

    outcomes: tuple[Outcome, ...]
    series: tuple[Series, ...]
    pictures: Mapping[tuple[str, str], str]
    method: str
    model_sha256: str


def write_reports(
    timelines: Sequence[Timeline],
    run: ReportedRun,
    folder: OutputFolder,
    *,
    deidentified: bool = False,
    dates_shifted: bool = False,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write one report for each subject and view, after the aligned pictures.

    Parameters
    ----------
    deidentified : bool
        Subjects are pseudonyms, and nothing may be taken of DICOM originals.
    dates_shifted : bool
        All dates were moved.

    Returns
    -------
    names, notes : tuple of str
        Names of the files, and why there is none where there is none.
    """
    from scalptrack.structured_report.content import ReportedSeries
    from scalptrack.structured_report.document import encode_report, patients_differ
    from scalptrack.structured_report.naming import Naming

    naming = Naming(run.outcomes)
    names: list[str] = []
    notes: list[str] = []
    for timeline in timelines:
        photographs = _photographs(timeline, run, folder, read_originals=not deidentified)
        if not any(each.outcome.visit_date for each in photographs):
            continue  # Nothing that a report could be dated by.
        where = f"{timeline.subject}, {timeline.view}"
        if patients_differ([each.original for each in photographs if each.original is not None]):
            notes.append(
                f"No DICOM report of {where}: its DICOM files name more than one patient. File "
                "each person's photographs apart."
            )
            continue
        pseudonym = Pseudonym(timeline.subject, dates_shifted) if deidentified else None
        name = f"{series_folder(timeline.subject, timeline.view)}/{REPORT_NAME}"
        reported = ReportedSeries(
            timeline, photographs, naming, run.method, run.model_sha256, pseudonym
        )
        folder.write_bytes(name, encode_report(reported))
        names.append(name)
    return tuple(names), tuple(notes)


def _photographs(
    timeline: Timeline, run: ReportedRun, folder: OutputFolder, *, read_originals: bool
) -> tuple[ReportedPhotograph, ...]:
    """All photographs of a subject and view by date and number, those without a date last.

    Files that are no photographs belong to no visit, and are left to the tables.
    """
    from scalptrack.structured_report.content import ReportedPhotograph

    key = (timeline.subject, timeline.view)
    own = [
        each
        for each in run.outcomes
        if (each.subject, each.view) == key
        and not (each.reason and each.reason.code == "not_a_photograph")
    ]
    own.sort(key=lambda each: (each.visit_date or date.max, each.replicate or 0, each.name))
    paths = {
        each.member.photograph.name: each.member.photograph.path
        for series in run.series
        if (series.subject, series.view) == key
        for each in series.photographs
    }
    found = []
    for outcome in own:
        picture = run.pictures.get((outcome.sha256, "aligned"))
        aligned = dicom_header(folder.root / dicom_name(picture)) if picture else None
        usable = read_originals and outcome.status is not Status.REJECTED
        path = paths.get(outcome.name) if usable else None
        original = _citable(dicom_header(path)) if path is not None else None
        found.append(ReportedPhotograph(outcome, original, aligned))
    return tuple(found)


def _citable(header: Any) -> Any:
    """A header that says what a reference needs; None for any other."""
    needed = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
    sound = header is not None and all(header.get(name) for name in needed)
    return header if sound else None
