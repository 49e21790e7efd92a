"""The printed card: what lies where, in millimetres, and which colours it states.

The card's own frame has its origin at the upper left corner, x to the right and y down, as pictures
have. The same card is printed on every paper size. A change to anything in this module is a new
`CARD_VERSION`: the ids of the markers say which version a photograph shows.
"""

from __future__ import annotations

from dataclasses import dataclass

CARD_VERSION = 1
"""Version of the card that this program prints and reads."""

IDS_PER_VERSION = 50
"""Version v owns the marker ids from 50 (v - 1) to 50 v - 1 of the dictionary with 250 ids; those
from 200 on belong to the headband."""

CARD_WIDTH_MM, CARD_HEIGHT_MM = 144.0, 96.0

BOARD_COLUMNS, BOARD_ROWS = 7, 5
SQUARE_MM = 13.0
MARKER_MM = 9.75
BOARD_X_MM, BOARD_Y_MM = 6.0, 6.0
BOARD_IDS = range(BOARD_COLUMNS * BOARD_ROWS // 2)
"""Markers of the board, counted from the first id of the version."""

STRIP_IDS = range(20, 32)
STRIP_WIDTH_MM, STRIP_HEIGHT_MM = 180.0, 18.0
STRIP_MARKER_MM = 12.0
STRIP_PITCH_MM = STRIP_WIDTH_MM / len(STRIP_IDS)
"""The headband strip: one marker in the middle of each piece of this length."""

HEADBAND_IDS = range(200, 236)
"""Markers of the long headband (`scalptrack.fiducials.strip`): no version of the card owns them."""

PATCH_MM = 10.0
PATCH_PITCH_MM = 13.0
PATCH_BLOCK_X_MM, PATCH_BLOCK_Y_MM = 102.0, 7.5
PATCH_ROW_X_MM, PATCH_ROW_Y_MM = 7.5, 76.5

GREY_LEVELS = (235, 200, 165, 130, 95, 65, 40)
REPEATED_GREYS = (200, 130, 65)
"""The same greys at the other end of the card: light that falls unevenly makes them differ."""

BLOCK_COLOURS = (
    (190, 60, 60),
    (70, 150, 80),
    (60, 70, 155),
    (60, 150, 175),
    (180, 80, 145),
    (225, 195, 60),
    (215, 125, 50),
    (100, 65, 120),
    (125, 130, 60),
    (244, 208, 177),
    (224, 172, 138),
    (198, 134, 96),
    (141, 85, 54),
    (95, 62, 48),
    (62, 40, 33),
)
"""Nine hues and six skin tones, row by row in a block three patches wide. They are ours; none is so
saturated that an ordinary printer could not come near to it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A square of one stated colour.

    Attributes
    ----------
    name : str
        ``g1`` to ``g7`` and ``r1`` to ``r3`` (greys), ``c1`` to ``c15`` (colours).
    x_mm, y_mm : float
        Upper left corner on the card.
    srgb : tuple of int
        Stated colour, 8-bit sRGB relative to the white of the paper.
    """

    name: str
    x_mm: float
    y_mm: float
    srgb: tuple[int, int, int]

    @property
    def is_grey(self) -> bool:
        """True for a patch without a hue."""
        return len(set(self.srgb)) == 1

    @property
    def centre_mm(self) -> tuple[float, float]:
        """Middle of the patch on the card."""
        return self.x_mm + PATCH_MM / 2, self.y_mm + PATCH_MM / 2


def first_id(version: int = CARD_VERSION) -> int:
    """First marker id of a version of the card.

    Examples
    --------
    >>> first_id(1), first_id(2)
    (0, 50)
    """
    return IDS_PER_VERSION * (version - 1)


def version_of(marker_id: int) -> int:
    """Version of the card that a marker id belongs to.

    Examples
    --------
    >>> version_of(16), version_of(50)
    (1, 2)
    """
    return marker_id // IDS_PER_VERSION + 1


def patches() -> tuple[Patch, ...]:
    """All patches: the row of greys under the board, then the block of colours beside it."""
    greys = [
        Patch(f"g{i + 1}", PATCH_ROW_X_MM + PATCH_PITCH_MM * i, PATCH_ROW_Y_MM, (level,) * 3)
        for i, level in enumerate(GREY_LEVELS)
    ]
    repeated = [
        Patch(f"r{i + 1}", PATCH_BLOCK_X_MM + PATCH_PITCH_MM * i, PATCH_ROW_Y_MM, (level,) * 3)
        for i, level in enumerate(REPEATED_GREYS)
    ]
    colours = [
        Patch(
            f"c{i + 1}",
            PATCH_BLOCK_X_MM + PATCH_PITCH_MM * (i % 3),
            PATCH_BLOCK_Y_MM + PATCH_PITCH_MM * (i // 3),
            colour,
        )
        for i, colour in enumerate(BLOCK_COLOURS)
    ]
    return (*greys, *repeated, *colours)


def board_squares() -> tuple[tuple[float, float], ...]:
    """Upper left corners (mm) of the black squares of the board."""
    return tuple(
        (BOARD_X_MM + SQUARE_MM * column, BOARD_Y_MM + SQUARE_MM * row)
        for row in range(BOARD_ROWS)
        for column in range(BOARD_COLUMNS)
        if (row + column) % 2 == 0
    )


def board_markers(version: int = CARD_VERSION) -> dict[int, tuple[float, float]]:
    """Upper left corner (mm) of each marker of the board, by id: one in each white square."""
    inset = (SQUARE_MM - MARKER_MM) / 2
    corners = [
        (BOARD_X_MM + SQUARE_MM * column + inset, BOARD_Y_MM + SQUARE_MM * row + inset)
        for row in range(BOARD_ROWS)
        for column in range(BOARD_COLUMNS)
        if (row + column) % 2 == 1
    ]
    return {first_id(version) + i: corner for i, corner in zip(BOARD_IDS, corners, strict=True)}


def strip_markers(version: int = CARD_VERSION) -> dict[int, tuple[float, float]]:
    """Upper left corner (mm) of each marker on the headband strip, by id."""
    x0 = (STRIP_PITCH_MM - STRIP_MARKER_MM) / 2
    y = (STRIP_HEIGHT_MM - STRIP_MARKER_MM) / 2
    return {
        first_id(version) + number: (x0 + STRIP_PITCH_MM * i, y)
        for i, number in enumerate(STRIP_IDS)
    }
