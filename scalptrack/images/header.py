"""What the header of a picture says, and the limits that it has to keep."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from scalptrack.errors import ImageReadError
from scalptrack.records import CaptureInfo
from scalptrack.translation import tr

MIN_SIDE_PX = 64
"""Shortest side that is still read; issue 3 asks for an answer at 64 px."""

PHOTOGRAPH_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".tif", ".tiff"}
    | {".webp", ".bmp", ".gif", ".jp2", ".avif", ".heic", ".heif", ".hif", ".dcm", ".dicom"}
)
"""Suffixes of files that claim to be photographs, whether or not they can be decoded here."""

RAW_SUFFIXES = frozenset(
    {".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2"}
    | {".orf", ".rw2", ".raf", ".pef", ".srw", ".raw", ".3fr", ".erf"}
)
"""Raw files of cameras: most open as a TIFF that shows only a small preview."""


class Header(NamedTuple):
    """What the header of a picture says.

    Attributes
    ----------
    width_px, height_px : int
        Size of the upright picture.
    capture : CaptureInfo
        When and with what it was taken.
    format : str
        ``"JPEG"`` (also for the multi-picture files of phones), ``"PNG"``, ``"TIFF"``, ...
    """

    width_px: int
    height_px: int
    capture: CaptureInfo
    format: str


def check_size(path: Path, size: tuple[int, int], max_megapixels: float) -> None:
    """Raise if a picture is too small to be measured or too large to be decoded."""
    width, height = size
    if width * height > max_megapixels * 1e6:
        raise ImageReadError(
            "too_large",
            tr(
                "{path} has {megapixels:.3g} megapixels ({width} x {height}), at "
                "most {max_megapixels:g} are read. Reduce it, for instance to "
                "12 megapixels.",
                path=path,
                megapixels=width * height / 1e6,
                width=width,
                height=height,
                max_megapixels=max_megapixels,
            ),
        )
    if min(width, height) < MIN_SIDE_PX:
        raise ImageReadError(
            "too_small",
            tr(
                "{path} has {width} x {height} pixels, at least {min_side_px} "
                "on each side are needed. Use the original photograph, not its "
                "thumbnail.",
                path=path,
                width=width,
                height=height,
                min_side_px=MIN_SIDE_PX,
            ),
        )
