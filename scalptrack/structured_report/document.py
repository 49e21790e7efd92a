"""A report as a DICOM file: Comprehensive SR, with the patient and the study of the photographs."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComprehensiveSRStorage, ExplicitVRLittleEndian

from scalptrack import __version__
from scalptrack.images.dicom_writing import content_uid, state_patient_and_study
from scalptrack.structured_report.codes import SCHEME, SCHEME_NAME
from scalptrack.structured_report.content import ReportedSeries, build_content

NO_TIME = "000000"
"""A visit has a date and no time, and the time of the run would change the bytes."""


def patients_differ(originals: Sequence[Any]) -> bool:
    """True where DICOM originals name more than one patient.

    Identifiers decide, and names only where no original has an identifier: one name may be
    written in several ways.
    """
    for name in ("PatientID", "PatientName"):
        stated = {str(each.get(name)) for each in originals if each.get(name)}
        if stated:
            return len(stated) > 1
    return False


def encode_report(series: ReportedSeries) -> bytes:
    """A report as a file; the same records give the same bytes.

    Returns
    -------
    bytes
        A DICOM file, Explicit VR Little Endian.
    """
    with warnings.catch_warnings():
        # pydicom warns of odd values of an original's with their text.
        warnings.simplefilter("ignore")
        dataset = _document(series)
        for element in build_content(series):
            dataset[element.tag] = element
        # An instance is what it says: other content is another instance.
        digest = hashlib.sha256(_bytes(dataset)).hexdigest()
        dataset.SOPInstanceUID = content_uid("report", digest)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        return _bytes(dataset)


def _bytes(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _document(series: ReportedSeries) -> Dataset:
    """Everything but the content tree."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = ComprehensiveSRStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = content_uid("report")
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = ComprehensiveSRStorage
    dataset.SOPInstanceUID = content_uid("report")
    home = _home(series)
    state_patient_and_study(dataset, home, series.pseudonym)
    dataset.StudyInstanceUID = _study(series, home)
    dataset.SeriesInstanceUID = content_uid(
        "report series", series.identity, dataset.StudyInstanceUID, series.timeline.view
    )
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = "SR", 1, 1
    dataset.SeriesDescription = f"{series.timeline.view}, visible hair coverage"[:64]
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.Manufacturer = dataset.ManufacturerModelName = "scalptrack"
    dataset.SoftwareVersions = __version__
    dataset.ContentDate = series.dates[-1].strftime("%Y%m%d")
    dataset.ContentTime = NO_TIME
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    dataset.PreliminaryFlag = "PRELIMINARY"
    dataset.PerformedProcedureCodeSequence = []
    dataset.CodingSchemeIdentificationSequence = [_coding_scheme()]
    _refer(dataset, series.images)
    return dataset


def _home(series: ReportedSeries) -> Any:
    """Attributes of the latest photograph whose original names a patient, or any study."""
    originals = [each.original for each in series.photographs if each.original is not None]
    named = [each for each in originals if each.get("PatientID") or each.get("PatientName")]
    return next(iter(reversed(named or originals)), None)


def _study(series: ReportedSeries, home: Any) -> str:
    """The study of the latest photograph: of its original, of its picture, or one of its own."""
    if home is not None and home.get("StudyInstanceUID"):
        return str(home.StudyInstanceUID)
    aligned = [each.aligned for each in series.photographs if each.aligned is not None]
    if aligned:
        return str(aligned[-1].StudyInstanceUID)
    hashes = [each.outcome.sha256 for each in series.photographs]
    return content_uid("report study", *hashes)


def _coding_scheme() -> Dataset:
    item = Dataset()
    item.CodingSchemeDesignator, item.CodingSchemeName = SCHEME, SCHEME_NAME
    item.CodingSchemeVersion = __version__
    item.CodingSchemeResponsibleOrganization = "scalptrack"
    return item


def _refer(dataset: Dataset, images: Sequence[Any]) -> None:
    """List the images by study and series: those of the report's own study, and others."""
    listed: dict[str, dict[str, list[Dataset]]] = defaultdict(lambda: defaultdict(list))
    for image in images:
        item = Dataset()
        item.ReferencedSOPClassUID = image.SOPClassUID
        item.ReferencedSOPInstanceUID = image.SOPInstanceUID
        of_series = listed[str(image.StudyInstanceUID)][str(image.SeriesInstanceUID)]
        if item not in of_series:
            of_series.append(item)
    own = listed.pop(str(dataset.StudyInstanceUID), None)
    if own:
        dataset.CurrentRequestedProcedureEvidenceSequence = [
            _study_item(str(dataset.StudyInstanceUID), own)
        ]
    if listed:
        dataset.PertinentOtherEvidenceSequence = [
            _study_item(study, of_study) for study, of_study in listed.items()
        ]


def _study_item(study: str, of_study: dict[str, list[Dataset]]) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID = study
    item.ReferencedSeriesSequence = []
    for series, instances in of_study.items():
        of_series = Dataset()
        of_series.SeriesInstanceUID = series
        of_series.ReferencedSOPSequence = instances
        item.ReferencedSeriesSequence.append(of_series)
    return item
