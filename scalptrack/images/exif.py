"""What EXIF says about how a picture was taken: date, focal length, camera, orientation."""

from __future__ import annotations

import struct
from contextlib import suppress
from datetime import datetime

from PIL import Image

from scalptrack.images.dates import FileDates, of_xmp
from scalptrack.records import CaptureInfo

# What Pillow's decoders raise on damaged files (random bytes and lengths, ten formats).
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    AttributeError,
    ArithmeticError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)

_TAG_MAKE, _TAG_MODEL, _TAG_ORIENTATION, _TAG_DATETIME = 0x010F, 0x0110, 0x0112, 0x0132
_TAG_EXIF_IFD = 0x8769
_TAG_DATETIME_ORIGINAL, _TAG_DATETIME_DIGITIZED = 0x9003, 0x9004
_TAG_PROCESSING_SOFTWARE, _TAG_SOFTWARE = 0x000B, 0x0131
_TAG_GPS_IFD, _TAG_GPS_DATE = 0x8825, 0x001D
_TAG_FOCAL_LENGTH_35MM = 0xA405


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation 1 to 8 that is left to be applied; 1 where there is none.

    The TIFF and HEIF readers turn the picture themselves.
    """
    if image.format in {"TIFF", "HEIF"}:
        return 1
    try:
        orientation = int(image.getexif().get(_TAG_ORIENTATION, 1))
    except DECODER_ERRORS:
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def capture_of(image: Image.Image) -> CaptureInfo:
    """Date, focal length and camera of an opened picture; damaged EXIF counts as none."""
    try:
        return capture_from(image.getexif(), _xmp_of(image))
    except DECODER_ERRORS:
        return CaptureInfo()


def capture_from(exif: Image.Exif, xmp: bytes = b"") -> CaptureInfo:
    """Date, focal length and camera that EXIF holds; what is damaged counts as none.

    XMP is asked only whether it contradicts a date.
    """
    try:
        detail = exif.get_ifd(_TAG_EXIF_IFD)
        camera = camera_name(exif.get(_TAG_MAKE), exif.get(_TAG_MODEL))
        focal_length = detail.get(_TAG_FOCAL_LENGTH_35MM)
        dates = _dates_of(exif, xmp)
    except DECODER_ERRORS:
        return CaptureInfo()
    taken_at, date_doubt = dates.settled()
    return CaptureInfo(taken_at, _positive_number(focal_length), camera, date_doubt=date_doubt)


def _dates_of(exif: Image.Exif, xmp: bytes) -> FileDates:
    """All that a file holds of dates; of GPS no more than the date is looked at."""
    detail = exif.get_ifd(_TAG_EXIF_IFD)
    satellites = _exif_moment(exif.get_ifd(_TAG_GPS_IFD).get(_TAG_GPS_DATE))
    created, tool = of_xmp(xmp)
    programs = (exif.get(_TAG_SOFTWARE), exif.get(_TAG_PROCESSING_SOFTWARE), tool)
    return FileDates(
        original=_exif_moment(detail.get(_TAG_DATETIME_ORIGINAL)),
        digitized=_exif_moment(detail.get(_TAG_DATETIME_DIGITIZED)),
        changed=_exif_moment(exif.get(_TAG_DATETIME)),
        others=(*([satellites.date()] if satellites else []), *created),
        software="\n".join(each for each in programs if isinstance(each, str)),
    )


def _xmp_of(image: Image.Image) -> bytes:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    return packet.encode() if isinstance(packet, str) else bytes(packet)


def _exif_moment(value: object) -> datetime | None:
    """Moment of an EXIF date such as ``2026:03:12 10:15:00``; None if it is none.

    >>> _exif_moment("2026:03:12 10:15:00")
    datetime.datetime(2026, 3, 12, 10, 15)
    >>> _exif_moment("0000:00:00 00:00:00") is None
    True
    """
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if not isinstance(value, str):
        return None
    text = value.strip("\0 ").replace("T", " ")
    day, _, clock = text[:19].partition(" ")
    day = day.replace("-", ":").replace("/", ":")
    for form, candidate in (("%Y:%m:%d %H:%M:%S", f"{day} {clock}"), ("%Y:%m:%d", day)):
        with suppress(ValueError):
            return datetime.strptime(candidate, form)  # noqa: DTZ007 - cameras know no zone
    return None


def camera_name(make: object, model: object) -> str | None:
    """Make and model in one name, each word once; None where the file names neither."""
    parts = [
        "".join(c for c in str(part) if c.isprintable()).strip()[:64]
        for part in (make, model)
        if isinstance(part, str)
    ]
    parts = [part for part in parts if part]
    if len(parts) == 2 and parts[1].lower().startswith(parts[0].lower()):
        parts = parts[1:]
    return " ".join(parts) or None


def _positive_number(value: object) -> float | None:
    """A finite positive number, or None (0 means "unknown" in EXIF)."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if 0 < number < 10_000 else None
