"""Whether the coded pixels of a JPEG are as many as its picture needs.

A decoder reads on after damage: it falls into step again, but then has blocks too few or too many,
and the rest of the picture is shifted. libjpeg only warns of that, and Pillow doesn't hand it on.
Seen here: restart markers that are missing or out of order, and coded pixels that end long before
the picture does, or go on long after it.

References
----------
ITU-T T.81 (JPEG), annexes B, E and F.
"""

from __future__ import annotations

import io
import math
import re
from functools import cache
from typing import NamedTuple

from PIL import Image

from scalptrack.images.jpeg_scan import end_of_scan, segments

LEFT_BYTES = 512
"""So much may be left over: encoders align their files, webcams by some ten bytes."""

LACKING_BYTES = 64
"""So much may be lacking; decoders read a few bytes ahead."""

_SEQUENTIAL = frozenset({0xC0, 0xC1})
_SCAN, _RESTART_INTERVAL = 0xDA, 0xDD
_RESTARTS = re.compile(rb"\xff([\xd0-\xd7])")
_NO_MARKER = b"\x55"


class _Scan(NamedTuple):
    """Where the coded pixels lie, and after how many units (of how many) the coder restarts."""

    start: int
    end: int
    units: int
    interval: int


def has_wrong_length(content: bytes) -> bool:
    """Whether a sequential JPEG of one scan holds clearly too little, or too much, for its picture.

    Nothing is told of progressive files and of those with a scan for each colour.
    """
    scan = _only_scan(content)
    if scan is None:
        return False
    if not _restarts_in_order(content, scan):
        return True
    return _can_tell() and _is_off(content, scan)


def _only_scan(content: bytes) -> _Scan | None:
    """The scan of a sequential file that has one alone, with all colours."""
    units, colours, interval = 0, 0, 0
    found: list[_Scan] = []
    for marker, start, end in segments(content):
        if marker in _SEQUENTIAL and end - start >= 9:
            units, colours = _units_of(content[start:end]), content[start + 5]
        elif marker == _RESTART_INTERVAL:
            interval = int.from_bytes(content[start : start + 2], "big")
        elif marker == _SCAN:
            if not units or content[start] != colours:
                return None
            found.append(_Scan(end, end_of_scan(content, end), units, interval))
    return found[0] if len(found) == 1 else None


def _units_of(frame: bytes) -> int:
    """How many minimum coded units a picture has."""
    height, width = (int.from_bytes(frame[at : at + 2], "big") for at in (1, 3))
    samplings = frame[7 : 6 + 3 * frame[5] : 3]
    across = max(each >> 4 for each in samplings) if len(samplings) > 1 else 1
    down = max(each & 15 for each in samplings) if len(samplings) > 1 else 1
    if not across or not down:
        return 0
    return math.ceil(width / (8 * across)) * math.ceil(height / (8 * down))


def _restarts_in_order(content: bytes, scan: _Scan) -> bool:
    """Whether the restart markers count from 0 to 7, again and again, to the last one needed."""
    numbers = [each[0] - 0xD0 for each in _RESTARTS.findall(content, scan.start, scan.end)]
    needed = (scan.units - 1) // scan.interval if scan.interval else 0
    in_turn = all(number == place % 8 for place, number in enumerate(numbers))
    # Some encoders write one more, after the last unit.
    return in_turn and len(numbers) in {needed, needed + bool(scan.interval)}


class _InTwoParts(io.BytesIO):
    """A file whose reader has to ask again for what lies behind a place."""

    def __init__(self, content: bytes, place: int) -> None:
        super().__init__(content)
        self._place = place
        self.went_on = False

    def read(self, size: int | None = -1, /) -> bytes:
        position = self.tell()
        if position >= self._place:
            self.went_on = True
            return super().read(size)
        room = self._place - position
        return super().read(room if size is None or size < 0 else min(size, room))


def _is_off(content: bytes, scan: _Scan) -> bool:
    """Whether a decoder has done before the end is near, or hasn't when it is reached.

    Without an end marker libjpeg can't make up what is lacking: it waits for more.
    """
    end = scan.end
    while content[end - 1] == 0xFF:
        end -= 1
    near = end - LEFT_BYTES
    if near <= scan.start:
        return False
    file = _InTwoParts(content[:end] + LACKING_BYTES * _NO_MARKER, near)
    try:
        image = Image.open(file, formats=("JPEG",))
    except OSError:
        return False
    with image:
        image.draft(None, (image.width // 8, image.height // 8))
        try:
            image.load()
        except OSError:
            return True
    return not file.went_on


@cache
def _can_tell() -> bool:
    """Whether this Pillow leaves off at the last pixel, as all do that were tried (12 and 13)."""
    file = io.BytesIO()
    Image.effect_noise((160, 120), 60).save(file, "JPEG", quality=95)
    scan = _only_scan(file.getvalue())
    return scan is not None and not _is_off(file.getvalue(), scan)
