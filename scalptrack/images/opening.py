"""Opening a picture that Pillow decodes, with its header checked before a pixel is."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pillow_heif
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from scalptrack.errors import ImageReadError
from scalptrack.images.exif import DECODER_ERRORS, capture_of, orientation_of
from scalptrack.images.failures import access_error, damaged, decoder_errors, unidentified
from scalptrack.images.header import Header, check_size
from scalptrack.images.jpeg_length import has_wrong_length
from scalptrack.images.jpeg_scan import has_hole
from scalptrack.translation import tr

_FORMATS = {
    "JPEG": JpegImagePlugin,
    "MPO": MpoImagePlugin,
    "PNG": PngImagePlugin,
    "TIFF": TiffImagePlugin,
    "WEBP": WebPImagePlugin,
    "BMP": BmpImagePlugin,
    "GIF": GifImagePlugin,
    "JPEG2000": Jpeg2KImagePlugin,
}


_CONCEALING_FORMATS = frozenset({"HEIF", "AVIF", "WEBP"})
_ZERO_TAIL_BYTES = 1024
_ZERO_RUN_BYTES = 16_384
"""Compressed data hold no such runs (in HEVC not three zeros in a row, ITU-T H.265, 7.4.2); padding
between metadata may be shorter ones. Cards and file systems lose 4 kB or more at a time."""


@contextmanager
def opened(path: Path, max_megapixels: float) -> Iterator[Image.Image]:
    """The picture of a file with its header read and its size checked; silent, then closed."""
    check_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = _open(path)
        try:
            check_size(path, image.size, max_megapixels)
            yield image
        finally:
            image.close()


def check_file(path: Path) -> None:
    """Raise if a path is no file, is empty, or is of a kind that is never decoded."""
    try:
        size_bytes = path.stat().st_size
        if path.is_dir():
            raise ImageReadError(
                "not_an_image", tr("{path} is a folder. Name a photograph in it.", path=path)
            )
    except OSError as error:
        raise access_error(path, error) from error
    if size_bytes == 0:
        raise ImageReadError(
            "empty", tr("{path} is empty (0 bytes). Copy it again from the camera.", path=path)
        )


def _open(path: Path) -> Image.Image:
    """Open a file with one of the decoders that we allow; reads no more than the header."""
    try:
        return Image.open(path, formats=allowed_formats())
    except UnidentifiedImageError as error:
        raise unidentified(path, allowed_formats()) from error
    except Image.DecompressionBombError as error:
        raise ImageReadError(
            "too_large",
            tr(
                "{path} claims more than 178 megapixels. Reduce it, for instance to 12 megapixels.",
                path=path,
            ),
        ) from error
    except PermissionError as error:
        raise access_error(path, error) from error
    except DECODER_ERRORS as error:
        raise damaged(path, error) from error


@cache
def allowed_formats() -> tuple[str, ...]:
    """Names of the decoders that may open a file: pictures only, nothing that runs a program."""
    formats = list(_FORMATS)
    with suppress(ImportError):
        from PIL import AvifImagePlugin

        if AvifImagePlugin.SUPPORTED:
            formats.append("AVIF")
    pillow_heif.register_heif_opener()
    formats.append("HEIF")
    return tuple(name for name in formats if name in Image.OPEN)


def header_of(image: Image.Image) -> Header:
    """The header of an opened picture."""
    width, height = image.size
    if orientation_of(image) >= 5:
        width, height = height, width
    name = "JPEG" if image.format == "MPO" else str(image.format)
    return Header(width, height, capture_of(image), name)


def load_pixels(image: Image.Image, path: Path) -> None:
    """Decode the first picture of a file.

    libjpeg fills what is missing in the middle of a file whose end is zeros (a copy that was cut
    off), so the end marker of a JPEG is asked for as well, its scans are searched for holes, and
    what they hold is compared with what the picture needs.
    The decoders of HEIC, AVIF and WebP invent a picture for what is zeros without any error: their
    files are searched for zeros.
    """
    with decoder_errors(path):
        image.load()
    if image.format in {"JPEG", "MPO"}:
        content = path.read_bytes()
        if not _has_jpeg_end(content):
            raise damaged(path, OSError("truncated: no end marker"))
        if has_hole(content):
            raise damaged(path, OSError("a part of it is empty"))
        if has_wrong_length(content):
            raise damaged(path, OSError("its coded pixels don't fit its size"))
    if image.format in _CONCEALING_FORMATS:
        _refuse_zeros(path)


def _refuse_zeros(path: Path) -> None:
    """Raise for a file that a failed card or an unfinished copy filled with zeros."""
    content = path.read_bytes()
    if not any(content[-_ZERO_TAIL_BYTES:]):
        raise damaged(path, OSError("truncated: ends in zeros"))
    if bytes(_ZERO_RUN_BYTES) in content:
        raise damaged(path, OSError("a part of it is empty"))


def _has_jpeg_end(content: bytes) -> bool:
    """Whether an end marker follows the first scan of a JPEG (previews in EXIF have their own)."""
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xDA:
            return content.find(b"\xff\xd9", position) >= 0
        if marker in {0x01, 0xFF} or 0xD0 <= marker <= 0xD8:
            position += 1 if marker == 0xFF else 2
            continue
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return b"\xff\xd9" in content[position:]
