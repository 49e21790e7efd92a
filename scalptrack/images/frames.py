"""JPEG that comes from a camera in a page: a frame to look at, and a photograph to keep."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import Image

from scalptrack.errors import ImageReadError
from scalptrack.images.exif import DECODER_ERRORS, orientation_of
from scalptrack.images.header import check_size
from scalptrack.records import ImageArray

_START, _END, _SCAN = b"\xff\xd8", 0xD9, 0xDA
_EXIF_IFD = 0x8769
_ORIENTATION, _MAKE, _MODEL, _SOFTWARE, _DATE = 0x0112, 0x010F, 0x0110, 0x0131, 0x0132
_DATE_ORIGINAL, _FOCAL_LENGTH_35MM = 0x9003, 0xA405


def decode_frame(content: bytes, *, max_megapixels: float) -> ImageArray:
    """Decode a small JPEG as it is: no orientation, no colour profile.

    Returns
    -------
    uint8 (H, W, 3)
        RGB.

    Raises
    ------
    ImageReadError
        When it is no JPEG, is damaged, or has another size than is allowed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
                check_size(Path("the frame"), image.size, max_megapixels)
                return np.array(image.convert("RGB"))
        except (*DECODER_ERRORS, Image.DecompressionBombError) as error:
            message = "What the camera's page sent is not a whole JPEG."
            raise ImageReadError("corrupt", message) from error


def without_traces(content: bytes, *, taken_at: datetime) -> bytes:
    """A JPEG with the same pixels, bit for bit, and of its metadata only what is needed.

    Kept are orientation, make and model, focal length and the colour profile; the date is set;
    place, names, serial numbers, previews, and whatever follows the picture are gone.

    Parameters
    ----------
    taken_at : datetime
        Written as EXIF writes it: the clock on the wall, without a zone.

    Raises
    ------
    ImageReadError
        When it is no whole JPEG.
    """
    kept = b"".join(_picture_parts(content))
    exif = _exif_of(content, taken_at).tobytes()
    if not exif.startswith(b"Exif\0\0"):
        exif = b"Exif\0\0" + exif
    return _START + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + kept


def _picture_parts(content: bytes) -> Iterator[bytes]:
    """Segments that the pixels and their colours need, up to the end marker."""
    if content[:2] != _START:
        raise _no_jpeg()
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        end = position + 2 + int.from_bytes(content[position + 2 : position + 4], "big")
        if marker == _SCAN:
            end = _end_of_scan(content, end)
        if end > len(content):
            break
        segment = content[position:end]
        if _is_needed(marker, segment):
            yield segment
        position = end
        if content[position : position + 2] == bytes((0xFF, _END)):
            yield content[position : position + 2]
            return
    raise _no_jpeg()


def _is_needed(marker: int, segment: bytes) -> bool:
    """No application's data but colour (ICC profile, Adobe's transform), and no comments."""
    if marker == 0xE2:
        return segment[4:16] == b"ICC_PROFILE\0"
    return marker == 0xEE or not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _end_of_scan(content: bytes, position: int) -> int:
    """Where the next marker stands; stuffed bytes and restarts belong to the scan."""
    while True:
        position = content.find(b"\xff", position)
        if position < 0 or position + 1 >= len(content):
            return len(content) + 1
        following = content[position + 1]
        if following not in {0x00, 0xFF} and not 0xD0 <= following <= 0xD7:
            return position
        position += 1 if following == 0xFF else 2


def _exif_of(content: bytes, taken_at: datetime) -> Image.Exif:
    """New EXIF with what is kept of the old one, and the date."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=("JPEG", "MPO")) as image:
                before = image.getexif()
                orientation = orientation_of(image)
                detail = before.get_ifd(_EXIF_IFD)
        except (*DECODER_ERRORS, Image.DecompressionBombError) as error:
            raise _no_jpeg() from error
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    for tag in (_MAKE, _MODEL):
        if isinstance(before.get(tag), str):
            exif[tag] = before[tag]
    moment = taken_at.strftime("%Y:%m:%d %H:%M:%S")
    exif[_SOFTWARE], exif[_DATE] = "scalptrack capture", moment
    inner = exif.get_ifd(_EXIF_IFD)
    inner[_DATE_ORIGINAL] = moment
    if isinstance(detail.get(_FOCAL_LENGTH_35MM), int):
        inner[_FOCAL_LENGTH_35MM] = detail[_FOCAL_LENGTH_35MM]
    return exif


def _no_jpeg() -> ImageReadError:
    return ImageReadError("corrupt", "What the camera's page sent is not a whole JPEG.")
