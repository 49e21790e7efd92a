"""DICOM photographs, through pydicom (the extra ``dicom``).

Read are visible-light photographs and secondary captures of one frame. Of the many things that a
DICOM file says about a person only the date, the side and the name of the view are taken; the
subject stays what the folder says.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scalptrack.errors import ImageReadError
from scalptrack.filenames import view_named
from scalptrack.images.colour import apply_profile
from scalptrack.images.exif import DECODER_ERRORS, camera_name
from scalptrack.images.failures import damaged, unsupported_pixels
from scalptrack.images.header import Header, check_size
from scalptrack.records import CaptureInfo, ImageArray
from scalptrack.translation import tr

_PHOTOGRAPH_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.7.4": "Multi-frame True Color Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.77.1.1": "VL Endoscopic",
    "1.2.840.10008.5.1.4.1.1.77.1.4": "VL Photographic",
    "1.2.840.10008.5.1.4.1.1.77.1.7": "Dermoscopic Photography",
}
"""SOP classes of DICOM PS3.4, annex B.5, that hold a photograph."""

_DATES = (
    ("AcquisitionDateTime", ""),
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
    ("StudyDate", "StudyTime"),
)
_SIDES = {"L": "left", "R": "right"}


def is_dicom(head: bytes) -> bool:
    """Whether a file is DICOM, from its first 132 bytes."""
    return head[128:132] == b"DICM"


def dicom_header(path: Path, max_megapixels: float) -> Header:
    """Header of a DICOM photograph, without decoding its pixels.

    Raises
    ------
    ImageReadError
        As `scalptrack.images.read_header`; ``unsupported_format`` where pydicom isn't installed or
        the file holds no photograph.
    """
    with _decoder_errors(path):
        return _checked_header(path, _dataset(path, header_only=True), max_megapixels)


def read_dicom(path: Path, max_megapixels: float) -> tuple[ImageArray, CaptureInfo]:
    """Pixels of a DICOM photograph as sRGB, uint8 (H, W, 3), and how it was taken.

    Raises
    ------
    ImageReadError
        As `scalptrack.images.read_photograph`.
    """
    with _decoder_errors(path):
        header = _checked_header(path, _dataset(path, header_only=True), max_megapixels)
        dataset = _dataset(path, header_only=False)
        return _srgb_pixels(path, dataset), header.capture


@contextmanager
def _decoder_errors(path: Path) -> Iterator[None]:
    """Turn what pydicom raises into an `ImageReadError` that quotes nothing of the file."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    # What pydicom warns of quotes values, which may be a person's.
    logger = logging.getLogger("pydicom")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ImageReadError:
        raise
    except MemoryError as error:
        message = tr("{path} does not fit into memory. Reduce the photograph.", path=path)
        raise ImageReadError("too_large", message) from error
    except (InvalidDicomError, BytesLengthException, *DECODER_ERRORS) as error:
        text = str(error).lower()
        cut_off = isinstance(error, EOFError) or "less than expected" in text or "end of" in text
        detail = "truncated" if cut_off else "its DICOM structure is broken"
        raise damaged(path, OSError(detail)) from error
    finally:
        logger.disabled = was_disabled


def _dataset(path: Path, *, header_only: bool) -> Any:
    import pydicom

    return pydicom.dcmread(path, stop_before_pixels=header_only)


def require_pydicom(path: Path) -> None:
    """Raise unless pydicom is there.

    Raises
    ------
    ImageReadError
        With code ``unsupported_format`` and the extra's name.
    """
    try:
        import pydicom  # noqa: F401
    except ImportError as error:
        raise ImageReadError(
            "unsupported_format",
            tr(
                "{path} is a DICOM file, which needs pydicom. Install it with "
                "pip install 'scalptrack[dicom]', or export the photograph as "
                "JPEG.",
                path=path,
            ),
        ) from error


def _checked_header(path: Path, dataset: Any, max_megapixels: float) -> Header:
    """The header of a data set that holds one photograph of an allowed size."""
    kind = str(dataset.get("SOPClassUID", ""))
    if kind not in _PHOTOGRAPH_CLASSES:
        raise ImageReadError(
            "unsupported_format",
            tr(
                "{path} is a DICOM file, but no photograph (modality {modality}). "
                "VL Photographic and Secondary Capture are read.",
                path=path,
                modality=_plain_code(dataset.get("Modality")),
            ),
        )
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise ImageReadError(
            "unsupported_format",
            tr(
                "{path} is a DICOM file of {frames} frames. Export the one that is meant.",
                path=path,
                frames=frames,
            ),
        )
    if "Rows" not in dataset or "Columns" not in dataset:
        raise damaged(path, OSError("truncated"))
    width, height = int(dataset.Columns), int(dataset.Rows)
    check_size(path, (width, height), max_megapixels)
    return Header(width, height, _capture(dataset), "DICOM")


def _srgb_pixels(path: Path, dataset: Any) -> ImageArray:
    """Decoded pixels as RGB uint8 (H, W, 3) in sRGB."""
    from pydicom.pixels import apply_color_lut, pixel_array

    if "PixelData" not in dataset:
        raise damaged(path, OSError("truncated"))
    interpretation = str(dataset.PhotometricInterpretation)
    pixels = pixel_array(dataset)
    if interpretation == "PALETTE COLOR":
        wide = apply_color_lut(pixels, dataset)
        pixels = (wide >> 8).astype(np.uint8) if wide.dtype == np.uint16 else wide
    else:
        pixels = _eight_bits(path, pixels, int(dataset.get("BitsStored") or 8))
    if interpretation == "MONOCHROME1":
        pixels = 255 - pixels
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., np.newaxis], 3, axis=2)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise unsupported_pixels(path, interpretation)
    picture = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8))
    return np.array(apply_profile(picture, dataset.get("ICCProfile")), dtype=np.uint8)


def _eight_bits(path: Path, pixels: Any, bits: int) -> Any:
    """Samples of any depth scaled to uint8."""
    if pixels.dtype.kind != "u" or not 8 <= bits <= 16:
        raise unsupported_pixels(path, f"{bits} bits, {pixels.dtype}")
    if bits == 8:
        return pixels.astype(np.uint8)
    top = 2**bits - 1
    return ((pixels.astype(np.uint32).clip(0, top) * 255 + top // 2) // top).astype(np.uint8)


def _capture(dataset: Any) -> CaptureInfo:
    """Date, device and named view; every other attribute stays in the file."""
    maker = dataset.get("Manufacturer")
    model = dataset.get("ManufacturerModelName")
    return CaptureInfo(
        taken_at=next(filter(None, (_moment(dataset, *names) for names in _DATES)), None),
        camera=camera_name(
            str(maker) if maker else None,
            str(model) if model else None,
        ),
        view_hint=_view_hint(dataset),
        copied_by="annotated" if dataset.get("BurnedInAnnotation") == "YES" else None,
    )


def _moment(dataset: Any, day_name: str, clock_name: str) -> datetime | None:
    """A DICOM date with its time, or None where it is missing or impossible."""
    text = str(dataset.get(day_name) or "")
    clock = str(dataset.get(clock_name) or "") if clock_name else text[8:]
    digits = text[:8] + clock[:6].ljust(6, "0")
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S")  # noqa: DTZ007 - as for cameras
    except ValueError:
        return None


def _view_hint(dataset: Any) -> str | None:
    """One of the views that the program knows, from the view, the region or the side."""
    texts = [dataset.get("ViewPosition"), dataset.get("SeriesDescription")]
    for name in ("ViewCodeSequence", "AnatomicRegionSequence"):
        texts += [item.get("CodeMeaning") for item in dataset.get(name) or ()]
    side = dataset.get("ImageLaterality") or dataset.get("Laterality")
    texts.append(_SIDES.get(str(side)))
    return next(filter(None, (view_named(str(text)) for text in texts if text)), None)


def _plain_code(value: object) -> str:
    """A DICOM code string, which may not hold anything else."""
    text = str(value or "")
    return text if text.isascii() and text.isalnum() and len(text) <= 8 else "unknown"


__all__ = ["dicom_header", "is_dicom", "read_dicom", "require_pydicom"]
