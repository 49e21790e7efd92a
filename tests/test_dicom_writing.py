"""Aligned photographs as DICOM: what is kept of the original, what is never invented."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from pictures import DATE_ORIGINAL, dicom, exif_bytes, scene
from PIL import Image

from scalptrack.dicom_series import write_dicom
from scalptrack.errors import InputError
from scalptrack.images import dicom_writing, read_photograph
from scalptrack.images.dicom_writing import (
    AlignedPicture,
    Pseudonym,
    encode_dicom,
    require_dicom_writer,
)
from scalptrack.outputs import OutputFolder

pydicom = pytest.importorskip("pydicom", reason="pip install 'scalptrack[test]'")

PATIENT = {
    "SpecificCharacterSet": "ISO_IR 100",
    "PatientName": "Müller^Anna",
    "PatientID": "4711",
    "PatientBirthDate": "19611109",
    "PatientSex": "F",
    "StudyInstanceUID": "1.2.3.4.5",
    "StudyDate": "20230517",
    "StudyTime": "101500",
    "AccessionNumber": "A-9",
    "AcquisitionDateTime": "20230517101502",
    "Laterality": "L",
    "Manufacturer": "Acme",
    "LossyImageCompression": "00",
}
NAMES = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyID")


@pytest.fixture
def picture(tmp_path):
    """A picture that was made of a JPEG, aligned with another one."""
    for name in ("source", "reference"):
        exif = exif_bytes({DATE_ORIGINAL: "2026:04:12 09:30:05"})
        Image.fromarray(scene()).save(tmp_path / f"{name}.jpg", quality=90, exif=exif)
    return AlignedPicture(
        pixels=scene(75, 101),
        source=tmp_path / "source.jpg",
        reference=tmp_path / "reference.jpg",
        source_sha256="a" * 64,
        reference_sha256="b" * 64,
        view="vertex",
        visit_date=date(2026, 4, 12),
        number=3,
    )


def read(content: bytes):
    return pydicom.dcmread(io.BytesIO(content))


@pytest.fixture
def from_dicom(picture, tmp_path):
    """The same of DICOM originals of a patient."""
    (tmp_path / "source.dcm").write_bytes(dicom(scene(), **PATIENT))
    (tmp_path / "reference.dcm").write_bytes(dicom(scene(80, 80), **PATIENT))
    return replace(picture, source=tmp_path / "source.dcm", reference=tmp_path / "reference.dcm")


def test_the_file_is_a_photograph_with_the_same_pixels(picture, tmp_path):
    (tmp_path / "out.dcm").write_bytes(encode_dicom(picture))
    pixels, capture = read_photograph(tmp_path / "out.dcm")
    assert np.array_equal(pixels, picture.pixels)
    assert capture.taken_at == datetime.fromisoformat("2026-04-12")
    assert capture.view_hint is None
    dataset = pydicom.dcmread(tmp_path / "out.dcm")
    assert dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.77.1.4"
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert (dataset.Modality, dataset.InstanceNumber) == ("XC", 3)
    assert list(dataset.ImageType[:2]) == ["DERIVED", "SECONDARY"]
    assert "a" * 64 in dataset.DerivationDescription
    assert dataset.LossyImageCompression == "01"
    size = picture.source.stat().st_size
    assert float(dataset.LossyImageCompressionRatio) == pytest.approx(3 * 90 * 120 / size, abs=0.01)


def test_nothing_about_the_patient_is_invented(picture):
    dataset = read(encode_dicom(picture))
    for name in NAMES:
        assert name in dataset
        assert str(dataset.get(name)) == ""
    assert dataset.AcquisitionDate == "20260412"
    assert "SourceImageSequence" not in dataset
    assert "Laterality" not in dataset
    assert pydicom.uid.UID(dataset.StudyInstanceUID).is_valid


def test_patient_study_and_date_of_a_dicom_original_are_kept(from_dicom):
    dataset = read(encode_dicom(from_dicom))
    for name, value in PATIENT.items():
        if name != "SpecificCharacterSet":
            assert str(dataset.get(name)) == value, name
    assert "AcquisitionDate" not in dataset
    (source,) = dataset.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == read(from_dicom.source.read_bytes()).SOPInstanceUID
    assert dataset.SOPInstanceUID != source.ReferencedSOPInstanceUID


def test_identity_follows_from_the_contents_alone(picture, from_dicom):
    assert encode_dicom(picture) == encode_dicom(picture)
    first, other_day, other_source = (
        read(encode_dicom(each))
        for each in (
            picture,
            replace(picture, visit_date=date(2026, 5, 1)),
            replace(picture, source_sha256="c" * 64),
        )
    )
    assert first.StudyInstanceUID != other_day.StudyInstanceUID
    assert first.StudyInstanceUID == other_source.StudyInstanceUID
    assert first.SeriesInstanceUID == other_source.SeriesInstanceUID
    assert first.SOPInstanceUID != other_source.SOPInstanceUID
    # A series belongs to one study.
    assert read(encode_dicom(from_dicom)).SeriesInstanceUID != first.SeriesInstanceUID


def test_every_aligned_picture_of_a_series_is_written(picture, tmp_path):
    folder = OutputFolder(tmp_path / "out")
    names = {}
    photographs = []
    for number, path in enumerate((picture.reference, picture.source)):
        sha256 = f"{number}" * 64
        photograph = SimpleNamespace(
            path=path, sha256=sha256, view="vertex", visit_date=date(2026, 4, 12)
        )
        member = SimpleNamespace(photograph=photograph)
        photographs.append(SimpleNamespace(member=member))
        name = f"anna/vertex/2026-04-12_{number + 1}.aligned.jpg"
        folder.write_bytes(name, picture.source.read_bytes())
        names[sha256, "aligned"] = name
    photographs.append(SimpleNamespace(member=SimpleNamespace(photograph=replace_sha(photograph))))
    series = SimpleNamespace(reference=0, photographs=photographs)
    written = write_dicom(series, names, folder)
    assert written == tuple(f"anna/vertex/2026-04-12_{number}.aligned.dcm" for number in (1, 2))
    pixels, _ = read_photograph(folder.root / written[1])
    assert np.array_equal(pixels, read_photograph(picture.source)[0])
    assert write_dicom(SimpleNamespace(reference=None, photographs=()), {}, folder) == ()


def replace_sha(photograph):
    """A photograph that was not measured: it has no picture."""
    return SimpleNamespace(**{**vars(photograph), "sha256": "f" * 64})


def test_nothing_of_an_original_is_kept_where_names_are_replaced(from_dicom):
    originals = (from_dicom.source, from_dicom.reference)
    for path, ratio in zip(originals, (["7.4321", "2.5"], ["3"]), strict=True):
        dataset = pydicom.dcmread(path)
        dataset.LossyImageCompression, dataset.LossyImageCompressionRatio = "01", ratio
        dataset.LossyImageCompressionMethod = "MUELLER"
        dataset.save_as(path)
    content = encode_dicom(replace(from_dicom, pseudonym=Pseudonym("p-abc")))
    dataset = read(content)
    assert [str(dataset.get(name)) for name in NAMES] == ["", "p-abc", "", "", "", ""]
    assert dataset.PatientIdentityRemoved == "YES"
    assert dataset.DeidentificationMethod.startswith("scalptrack: no original header")
    assert dataset.LongitudinalTemporalInformationModified == "UNMODIFIED"
    assert dataset.AcquisitionDate == "20260412"
    assert "SourceImageSequence" not in dataset
    assert list(dataset.LossyImageCompressionRatio) == [7, 2]
    for word in ("4711", "1.2.3.4.5", "20230517", "A-9", "Acme", "MUELLER", "Anna"):
        assert word.encode() not in content, word
    assert max(len(each.value) for each in dataset if each.VR == "LO") <= 64


def test_the_size_of_an_original_is_told_roughly_where_names_are_replaced(picture):
    dataset = read(encode_dicom(replace(picture, pseudonym=Pseudonym("p", dates_shifted=True))))
    size = picture.source.stat().st_size
    assert dataset.LossyImageCompressionRatio == round(3 * 90 * 120 / size)
    assert dataset.LongitudinalTemporalInformationModified == "MODIFIED"


def test_what_is_missing_is_named(monkeypatch):
    require_dicom_writer()
    monkeypatch.setattr(dicom_writing, "find_spec", lambda name: None)
    with pytest.raises(InputError) as error:
        require_dicom_writer()
    assert str(error.value) == (
        "Writing DICOM needs pydicom and highdicom. Install with pip install 'scalptrack[dicom]'."
    )
