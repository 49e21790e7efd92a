"""Pictures as DICOM VL Photographic images, through pydicom (the extra ``dicom``).

Who was photographed, and in which study, is taken from a DICOM original and from nowhere else:
where the original says nothing the attributes are empty, as the standard allows. Where names are
replaced nothing is taken from an original, and the pseudonym is the patient's ID.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from scalptrack import __version__
from scalptrack.errors import InputError
from scalptrack.images.dicom import is_dicom
from scalptrack.images.reading import read_header
from scalptrack.records import ImageArray

DEIDENTIFICATION = "scalptrack: no original header, pseudonym, faces covered"
VL_PHOTOGRAPHIC = "1.2.840.10008.5.1.4.1.1.77.1.4"
LOSSY_FORMATS = frozenset({"JPEG", "HEIF", "AVIF", "WEBP"})

# Attributes of patient and study (DICOM PS3.3, C.7.1.1 and C.7.2.1) and of the exposure.
_OF_PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDescription",
)
_OF_EXPOSURE = (
    "AcquisitionDateTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentDate",
    "ContentTime",
    "Laterality",
    "ImageLaterality",
    "BurnedInAnnotation",
    "Manufacturer",
    "ManufacturerModelName",
)
_NEVER_MISSING = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "Manufacturer",
)
"""Attributes of type 2: present, and empty where nothing is known."""


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """Who stands for the person where names are replaced.

    Attributes
    ----------
    label : str
        Becomes the patient's ID.
    dates_shifted : bool
        All dates were moved.
    """

    label: str
    dates_shifted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class AlignedPicture:
    """A picture that was made from a photograph.

    Attributes
    ----------
    pixels : uint8 (H, W, 3)
        sRGB.
    source, reference : Path
        The photograph, and the one that it was aligned with (may be the same).
    source_sha256, reference_sha256 : str
        Their contents.
    view : str
    visit_date : date
    number : int
        Position in the series of pictures, from 1.
    pseudonym : Pseudonym or None
        Where names are replaced.
    """

    pixels: ImageArray
    source: Path
    reference: Path
    source_sha256: str
    reference_sha256: str
    view: str
    visit_date: date
    number: int
    pseudonym: Pseudonym | None = None


def require_dicom_writer() -> None:
    """Raise unless the libraries that write DICOM are there.

    Raises
    ------
    InputError
        With the extra's name.
    """
    missing = [name for name in ("pydicom", "highdicom") if find_spec(name) is None]
    if missing:
        needs = " and ".join(missing)
        message = f"Writing DICOM needs {needs}. Install with pip install 'scalptrack[dicom]'."
        raise InputError(message)


def encode_dicom(picture: AlignedPicture) -> bytes:
    """A picture as a derived VL Photographic image; the same picture gives the same bytes.

    Returns
    -------
    bytes
        A DICOM file, Explicit VR Little Endian, uncompressed.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    original = None if picture.pseudonym else dicom_header(picture.source)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = VL_PHOTOGRAPHIC
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = VL_PHOTOGRAPHIC
    dataset.SOPInstanceUID = content_uid("image", picture.source_sha256, picture.reference_sha256)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    with warnings.catch_warnings():
        # pydicom warns of odd values of the original's with their text.
        warnings.simplefilter("ignore")
        _identify(dataset, original, picture)
        _describe(dataset, original, picture)
        _fill_pixels(dataset, picture.pixels)
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def dicom_header(path: Path) -> Any:
    """Attributes of a DICOM file without its pixels; None for any other file."""
    import pydicom

    with path.open("rb") as file:
        if not is_dicom(file.read(132)):
            return None
    return pydicom.dcmread(path, stop_before_pixels=True)


def state_patient_and_study(
    dataset: Any, original: Any, pseudonym: Pseudonym | None, *more: str
) -> None:
    """Write into a dataset who the patient is, and the study, as an original states them.

    Parameters
    ----------
    dataset : pydicom.Dataset
        It is changed.
    original : pydicom.Dataset or None
        Not used where there is a pseudonym.
    pseudonym : Pseudonym or None
    *more : str
        Further attributes that are taken from the original.
    """
    for name in _NEVER_MISSING:
        setattr(dataset, name, "")
    if pseudonym is not None:
        dataset.PatientID = pseudonym.label
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = DEIDENTIFICATION
        moved = "MODIFIED" if pseudonym.dates_shifted else "UNMODIFIED"
        dataset.LongitudinalTemporalInformationModified = moved
        return
    for name in (*_OF_PATIENT_AND_STUDY, *more):
        value = None if original is None else original.get(name)
        if value not in (None, ""):
            # As text: the original's character set may be another one.
            setattr(dataset, name, str(value))


def _identify(dataset: Any, original: Any, picture: AlignedPicture) -> None:
    """Patient, study, and the dates of the exposure, as the original states them."""
    state_patient_and_study(dataset, original, picture.pseudonym, *_OF_EXPOSURE)
    study = None if original is None else original.get("StudyInstanceUID")
    day = picture.visit_date.isoformat()
    dataset.StudyInstanceUID = (
        str(study) if study else content_uid("study", picture.reference_sha256, day)
    )
    dataset.SeriesInstanceUID = content_uid(
        "series", picture.reference_sha256, dataset.StudyInstanceUID
    )
    dated = any(name in dataset for name in ("AcquisitionDateTime", "AcquisitionDate"))
    if not dated:
        dataset.AcquisitionDate = picture.visit_date.strftime("%Y%m%d")


def _describe(dataset: Any, original: Any, picture: AlignedPicture) -> None:
    """What was done, and to which images."""
    from pydicom.dataset import Dataset

    dataset.Modality = "XC"
    dataset.SeriesDescription = f"{picture.view}, aligned"[:64]
    dataset.SeriesNumber, dataset.InstanceNumber = "", picture.number
    dataset.PatientOrientation = ""
    dataset.AcquisitionContextSequence = []
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.DerivationDescription = (
        f"scalptrack {__version__}: cropped and aligned with the reference photograph "
        f"(SHA-256 {picture.reference_sha256}); source SHA-256 {picture.source_sha256}"
    )
    sources = []
    reference = None if picture.pseudonym else dicom_header(picture.reference)
    for each in (original, reference):
        if each is not None and "SOPInstanceUID" in each and "SOPClassUID" in each:
            item = Dataset()
            item.ReferencedSOPClassUID = each.SOPClassUID
            item.ReferencedSOPInstanceUID = each.SOPInstanceUID
            if item not in sources:
                sources.append(item)
    if sources:
        dataset.SourceImageSequence = sources
    _state_compression(dataset, picture.source)
    if picture.pseudonym:
        _state_compression_roughly(dataset)


def _state_compression(dataset: Any, source: Path) -> None:
    """Whether detail was lost before: once lossy, always lossy (PS3.3, C.7.6.1.1.5)."""
    original = dicom_header(source)
    if original is not None:
        for name in (
            "LossyImageCompression",
            "LossyImageCompressionRatio",
            "LossyImageCompressionMethod",
        ):
            if original.get(name):
                setattr(dataset, name, original.get(name))
        dataset.LossyImageCompression = dataset.get("LossyImageCompression", "00")
        return
    header = read_header(source)
    if header.format not in LOSSY_FORMATS:
        dataset.LossyImageCompression = "00"
        return
    ratio = 3 * header.width_px * header.height_px / max(source.stat().st_size, 1)
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = f"{ratio:.2f}"
    if header.format == "JPEG":
        dataset.LossyImageCompressionMethod = "ISO_10918_1"


def _state_compression_roughly(dataset: Any) -> None:
    """Only what tells neither the size of the original file nor words of its header."""
    lossy = dataset.LossyImageCompression == "01"
    stated = dataset.get("LossyImageCompressionRatio") or []
    ratios = [stated] if isinstance(stated, str | float) else list(stated)
    for name in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        if name in dataset:
            del dataset[name]
    dataset.LossyImageCompression = "01" if lossy else "00"
    if lossy:
        dataset.LossyImageCompressionRatio = [f"{max(round(float(each)), 1)}" for each in ratios]


def _fill_pixels(dataset: Any, pixels: ImageArray) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
    dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    content = np.ascontiguousarray(pixels, dtype=np.uint8).tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)


def content_uid(*parts: str) -> str:
    """A UID that follows from what it names, and from nothing that names a person."""
    from pydicom.uid import generate_uid

    return str(generate_uid(entropy_srcs=["scalptrack", __version__, *parts]))
