"""Reading photographs: which decoder a file is for, and what every one of them has to keep.

The order is always the same: the file, its first bytes, its header with the limit of megapixels,
and only then its pixels.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Literal

from PIL import Image

from scalptrack.images.colour import UPRIGHT, check_colour, colour_coding, to_srgb
from scalptrack.images.copies import copied_by
from scalptrack.images.dicom import dicom_header, is_dicom, read_dicom, require_pydicom
from scalptrack.images.exif import orientation_of
from scalptrack.images.failures import access_error, decoder_errors
from scalptrack.images.header import Header
from scalptrack.images.opening import check_file, header_of, load_pixels, opened
from scalptrack.images.raw import is_raw, raw_header, read_raw
from scalptrack.records import CaptureInfo, ImageArray

DEFAULT_MAX_MEGAPIXELS = 150.0
"""The same as in `scalptrack.records.Settings`; Pillow's own bound is 178."""


def read_photograph(
    path: Path, *, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS
) -> tuple[ImageArray, CaptureInfo]:
    """Read a photograph as upright sRGB.

    Parameters
    ----------
    path : Path
        The file; it is opened read-only.
    max_megapixels : float
        Largest picture that is decoded, checked from the header. Pillow's own bound against
        decompression bombs (about 178 megapixels) holds in any case.

    Returns
    -------
    image : uint8 (H, W, 3)
        RGB, upright, sRGB, writable and contiguous.
    capture : CaptureInfo
        When and with what it was taken; no other metadata is kept.

    Raises
    ------
    ImageReadError
        With code ``missing``, ``unreadable``, ``empty``, ``not_an_image``,
        ``unsupported_format``, ``too_small``, ``too_large``, ``truncated`` or ``corrupt``.
    """
    match _kind_of(path):
        case "dicom":
            array, capture = read_dicom(path, max_megapixels)
        case "raw":
            array, capture = read_raw(path, max_megapixels)
        case "picture":
            array, capture = _read_picture(path, max_megapixels)
    return array, capture


def read_header(path: Path, *, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> Header:
    """Size, capture information and format of a picture, without decoding its pixels.

    Raises
    ------
    ImageReadError
        As `read_photograph`, but a file that is damaged behind its header passes.
    """
    match _kind_of(path):
        case "dicom":
            header = dicom_header(path, max_megapixels)
        case "raw":
            header = raw_header(path, max_megapixels)
        case "picture":
            with opened(path, max_megapixels) as image:
                header = _with_copy(image, path)
    return header


def verify_photograph(path: Path, *, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> Header:
    """Header of a picture whose pixels can all be decoded.

    The whole file is decoded once; a JPEG at an eighth of its size, which reads every byte of it
    but costs half the time. (Other decoders would only look at a thumbnail then.)

    Raises
    ------
    ImageReadError
        As `read_photograph`.
    """
    if _kind_of(path) != "picture":
        read_photograph(path, max_megapixels=max_megapixels)
        return read_header(path, max_megapixels=max_megapixels)
    with opened(path, max_megapixels) as image:
        header = _with_copy(image, path)
        check_colour(image, path)
        if image.format in {"JPEG", "MPO"}:
            with decoder_errors(path):
                image.draft(None, (image.width // 8, image.height // 8))
        load_pixels(image, path)
    return header


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hexadecimal digits.

    Raises
    ------
    ImageReadError
        With code ``missing`` or ``unreadable``.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise access_error(path, error) from error


def _kind_of(path: Path) -> Literal["dicom", "raw", "picture"]:
    """Which decoder a file is for, from its content; a file that can't be opened raises."""
    check_file(path)
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except OSError as error:
        raise access_error(path, error) from error
    if is_dicom(head):
        require_pydicom(path)
        return "dicom"
    return "raw" if is_raw(path, head) else "picture"


def _read_picture(path: Path, max_megapixels: float) -> tuple[ImageArray, CaptureInfo]:
    """Decode what Pillow can."""
    with opened(path, max_megapixels) as image:
        header = _with_copy(image, path)
        orientation = orientation_of(image)
        check_colour(image, path)
        coding = colour_coding(image, path)
        load_pixels(image, path)
        with decoder_errors(path):
            upright = image if orientation == 1 else image.transpose(UPRIGHT[orientation])
            array = to_srgb(upright, path, primaries=coding[0] if coding else 1)
    return array, header.capture


def _with_copy(image: Image.Image, path: Path) -> Header:
    """Header of an opened picture, with what is known of who copied it."""
    header = header_of(image)
    capture = replace(header.capture, copied_by=copied_by(image, header.capture, path))
    return header._replace(capture=capture)
