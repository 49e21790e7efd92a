"""Holes in a JPEG: sectors that a failing card or an unfinished copy left empty.

libjpeg decodes them without an error that Pillow hands on: from the hole on, the picture is shifted
and has other colours, and a coverage would be measured of it.

References
----------
ITU-T T.81 (JPEG), annexes B and F.
"""

from __future__ import annotations

from collections.abc import Iterator

HOLE_BYTES = 256
"""Half of the smallest sector, and far more equal bytes than coded blocks have."""

_ZEROS, _ONES = bytes(HOLE_BYTES), b"\xff" * HOLE_BYTES
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_TABLES, _SCAN, _END = 0xC4, 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""


def has_hole(content: bytes) -> bool:
    """Whether a scan of a sequential JPEG holds a run of zeros, or of ones, that no coder writes.

    Not told of progressive files, nor of zeros where a run of zero bits is the code of empty blocks
    in all components (tables made for a picture that is nearly empty).
    """
    sequential = False
    shortest: dict[int, int] = {}
    for marker, start, end in segments(content):
        if marker in _SEQUENTIAL:
            sequential = True
        elif marker == _TABLES:
            shortest |= _shortest_ac_symbols(content[start:end])
        elif marker == _SCAN and sequential:
            used = content[start + 2 : start + 1 + 2 * content[start] : 2]
            empty_blocks = all(shortest.get(each & 0x0F, 0) == 0 for each in used)
            scan_end = end_of_scan(content, end)
            if not empty_blocks and content.find(_ZEROS, end, scan_end) >= 0:
                return True
            if content.find(_ONES, end, scan_end) >= 0 and not _fills_up(content, scan_end):
                return True
    return False


def _fills_up(content: bytes, scan_end: int) -> bool:
    """Whether the ones fill the space before the end marker, as the standard allows."""
    is_filled = content[max(0, scan_end - HOLE_BYTES) : scan_end] == _ONES
    return is_filled and content[scan_end + 1 : scan_end + 2] == bytes((_END,))


def segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, first byte and end of the parameters of every segment; scans are stepped over."""
    position = 2
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == _END:
            return
        if marker in _ALONE or marker == 0xFF:
            position += 1 if marker == 0xFF else 2
            continue
        end = position + 2 + int.from_bytes(content[position + 2 : position + 4], "big")
        yield marker, position + 4, end
        position = end_of_scan(content, end) if marker == _SCAN else end


def _shortest_ac_symbols(tables: bytes) -> dict[int, int]:
    """Symbol whose code is all zeros (0 ends a block), by number of the AC coefficients' table."""
    found: dict[int, int] = {}
    position = 0
    while position + 17 < len(tables):
        if tables[position] >> 4 == 1:
            found[tables[position] & 0x0F] = tables[position + 17]
        position += 17 + sum(tables[position + 1 : position + 17])
    return found


def end_of_scan(content: bytes, position: int) -> int:
    """Where the next marker stands; stuffed, filling and restarting bytes belong to the scan."""
    while True:
        position = content.find(b"\xff", position)
        if position < 0 or position + 1 >= len(content):
            return len(content)
        following = content[position + 1]
        if following not in {0x00, 0xFF} and not 0xD0 <= following <= 0xD7:
            return position
        position += 1 if following == 0xFF else 2
