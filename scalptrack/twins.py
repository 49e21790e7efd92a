"""The same exposure twice in a folder: a HEIC and the JPEG exported of it, a raw file and its JPEG.

Names alone don't prove it: two phones that share a folder both write ``IMG_0001``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from scalptrack.errors import ImageReadError
from scalptrack.images import read_header

_CLOCK_TOLERANCE_S = 2.0
_WIDEST_ZONE_S = 14 * 3600.0
"""UTC+14, the zone furthest from UTC."""

_ZONE_STEP_S = 900.0
"""Zones are multiples of a quarter of an hour apart."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A file that is named like a photograph beside it.

    Attributes
    ----------
    beside : tuple of Path
        What it is named like; one of them is used in its place if it is the same exposure.
    kind : str
        What such files are called in a note.
    """

    path: Path
    beside: tuple[Path, ...]
    kind: str


def is_same_exposure(path: Path, taken_at: datetime | None, *, max_megapixels: float) -> bool:
    """Whether a file may be the exposure that was taken at a moment.

    True unless both moments are known and differ by anything but a zone: a program that exports may
    write another one.
    """
    try:
        own = read_header(path, max_megapixels=max_megapixels).capture.taken_at
    except ImageReadError:
        return True
    if own is None or taken_at is None:
        return True
    apart_s = abs((own - taken_at).total_seconds())
    beside_zone_s = min(apart_s % _ZONE_STEP_S, -apart_s % _ZONE_STEP_S)
    return apart_s <= _WIDEST_ZONE_S and beside_zone_s <= _CLOCK_TOLERANCE_S
