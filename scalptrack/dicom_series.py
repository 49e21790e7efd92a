"""The aligned photographs of a series as DICOM, beside their pictures."""

from __future__ import annotations

from collections.abc import Mapping

from scalptrack.images import read_photograph
from scalptrack.images.dicom_writing import AlignedPicture, Pseudonym, encode_dicom
from scalptrack.outputs import OutputFolder
from scalptrack.pipeline import Series


def dicom_name(picture: str) -> str:
    """Name of the DICOM file beside a picture.

    >>> dicom_name("anna/vertex/2026-01-10_1.aligned.jpg")
    'anna/vertex/2026-01-10_1.aligned.dcm'
    """
    return picture.removesuffix(".jpg") + ".dcm"


def write_dicom(
    series: Series,
    pictures: Mapping[tuple[str, str], str],
    folder: OutputFolder,
    *,
    pseudonym: Pseudonym | None = None,
) -> tuple[str, ...]:
    """Write every aligned picture of a series as a VL Photographic image.

    Parameters
    ----------
    pictures : mapping
        Names of written pictures by (sha256 of the photograph, kind).
    pseudonym : Pseudonym or None
        Who stands for the person where names are replaced.

    Returns
    -------
    tuple of str
        Names of the files: ``NAME.aligned.dcm`` beside ``NAME.aligned.jpg``.
    """
    if series.reference is None:
        return ()
    reference = series.photographs[series.reference].member.photograph
    names: list[str] = []
    for each in series.photographs:
        photograph = each.member.photograph
        picture = pictures.get((photograph.sha256, "aligned"))
        if picture is None:
            continue
        pixels, _ = read_photograph(folder.root / picture, max_megapixels=20.0)
        content = encode_dicom(
            AlignedPicture(
                pixels=pixels,
                source=photograph.path,
                reference=reference.path,
                source_sha256=photograph.sha256,
                reference_sha256=reference.sha256,
                view=photograph.view,
                visit_date=photograph.visit_date,
                number=len(names) + 1,
                pseudonym=pseudonym,
            )
        )
        name = dicom_name(picture)
        folder.write_bytes(name, content)
        names.append(name)
    return tuple(names)
