"""Raw files of cameras, through rawpy (the extra ``raw``).

They are developed the same way whatever their content, so that two visits compare: the camera's
white balance, sRGB with its own curve, no automatic brightening.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scalptrack.errors import ImageReadError
from scalptrack.images.exif import DECODER_ERRORS, capture_from
from scalptrack.images.failures import damaged
from scalptrack.images.header import RAW_SUFFIXES, Header, check_size
from scalptrack.records import CaptureInfo, ImageArray
from scalptrack.translation import tr

SRGB_CURVE = (2.4, 12.92)
"""Power and toe slope of sRGB (IEC 61966-2-1)."""

_DNG_VERSION, _NEW_SUBFILE_TYPE = 50706, 254
_TIFF_STARTS = (b"II*\0", b"MM\0*")
_RAW_STARTS = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"II\x1a\0\0\0HEAPCCDR")


def is_raw(path: Path, head: bytes) -> bool:
    """Whether a file is a camera's raw file, from its first 64 bytes and, for a TIFF, its tags.

    A raw file opens as a TIFF that shows a small preview, so its name isn't enough: a DNG that was
    renamed to ``.tif`` is one too, and a JPEG that was renamed to ``.dng`` is none.
    """
    if head.startswith(_RAW_STARTS) or head[4:12] == b"ftypcrx ":
        return True
    if not head.startswith(_TIFF_STARTS):
        return False
    return path.suffix.lower() in RAW_SUFFIXES or head[8:10] == b"CR" or _shows_a_preview(path)


def raw_header(path: Path, max_megapixels: float) -> Header:
    """Header of a raw file, without developing it.

    Raises
    ------
    ImageReadError
        As `scalptrack.images.read_header`; ``unsupported_format`` where rawpy isn't installed.
    """
    with _opened(path, max_megapixels) as (_, header):
        return header


def read_raw(path: Path, max_megapixels: float) -> tuple[ImageArray, CaptureInfo]:
    """Develop a raw file: upright sRGB, uint8 (H, W, 3), and how it was taken.

    Raises
    ------
    ImageReadError
        As `scalptrack.images.read_photograph`.
    """
    with _opened(path, max_megapixels) as (raw, header):
        pixels = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,
            output_bps=8,
            gamma=SRGB_CURVE,
        )
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise _unknown_camera(path)
    return np.array(pixels, dtype=np.uint8), header.capture


@contextmanager
def _opened(path: Path, max_megapixels: float) -> Iterator[tuple[Any, Header]]:
    """The opened file with its size checked; what LibRaw raises becomes an `ImageReadError`."""
    rawpy = _rawpy(path)
    try:
        with rawpy.imread(str(path)) as raw:
            sizes = raw.sizes
            width, height = sizes.width, sizes.height
            if sizes.flip in {5, 6}:
                width, height = height, width
            check_size(path, (width, height), max_megapixels)
            yield raw, Header(width, height, _capture(path), "RAW")
    except (rawpy.LibRawFileUnsupportedError, rawpy.NotSupportedError) as error:
        raise _unknown_camera(path) from error
    except rawpy.LibRawIOError as error:
        raise damaged(path, OSError("truncated")) from error
    except rawpy.LibRawError as error:
        raise damaged(path, OSError("LibRaw can't decode it")) from error
    except MemoryError as error:
        message = tr("{path} does not fit into memory. Reduce the photograph.", path=path)
        raise ImageReadError("too_large", message) from error
    except DECODER_ERRORS as error:
        raise damaged(path, error) from error


def _rawpy(path: Path) -> Any:
    """The library, or the error that names the extra."""
    try:
        import rawpy
    except ImportError as error:
        raise ImageReadError(
            "unsupported_format",
            tr(
                "{path} is a raw file of a camera ({suffix}), which needs "
                "rawpy. Install it with pip install 'scalptrack[raw]', or "
                "export the photograph as JPEG.",
                path=path,
                suffix=path.suffix,
            ),
        ) from error
    return rawpy


def _unknown_camera(path: Path) -> ImageReadError:
    return ImageReadError(
        "unsupported_format",
        tr(
            "{path} is a raw file ({suffix}) of a camera that LibRaw "
            "doesn't know, or damaged. Export it as JPEG.",
            path=path,
            suffix=path.suffix,
        ),
    )


def _shows_a_preview(path: Path) -> bool:
    """Whether a TIFF says that it is a DNG, or that its first picture is a reduced one."""
    with _exif_of(path) as exif, suppress(*DECODER_ERRORS):
        return _DNG_VERSION in exif or exif.get(_NEW_SUBFILE_TYPE) == 1
    return False


def _capture(path: Path) -> CaptureInfo:
    with _exif_of(path) as exif:
        return capture_from(exif)


@contextmanager
def _exif_of(path: Path) -> Iterator[Image.Exif]:
    """Tags of the raw files that are built like a TIFF, silently; none of others."""
    exif = Image.Exif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(*DECODER_ERRORS), path.open("rb") as file:
            exif.load_from_fp(file)
        yield exif
