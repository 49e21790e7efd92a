"""The markers: which squares of each are black, the board as OpenCV knows it, and its picture."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from scalptrack.fiducials.layout import (
    BOARD_COLUMNS,
    BOARD_ROWS,
    CARD_HEIGHT_MM,
    CARD_VERSION,
    CARD_WIDTH_MM,
    MARKER_MM,
    PATCH_MM,
    SQUARE_MM,
    STRIP_HEIGHT_MM,
    STRIP_MARKER_MM,
    STRIP_WIDTH_MM,
    board_markers,
    board_squares,
    patches,
    strip_markers,
)
from scalptrack.records import BoolArray, ImageArray

MARKER_CELLS = 7
"""Cells along the side of a marker: five of its code and a black border of one."""


@functools.cache
def dictionary() -> Any:
    """OpenCV's dictionary of 5 x 5 markers with 250 ids."""
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_250)


@functools.cache
def marker_cells(marker_id: int) -> BoolArray:
    """Black cells (7, 7) of a marker, its border included."""
    picture = cv2.aruco.generateImageMarker(dictionary(), marker_id, MARKER_CELLS)
    return np.asarray(picture == 0)


def board(version: int = CARD_VERSION) -> Any:
    """OpenCV's ChArUco board of a version of the card, in millimetres."""
    ids = np.array(sorted(board_markers(version)), dtype=np.int32)
    return cv2.aruco.CharucoBoard(
        (BOARD_COLUMNS, BOARD_ROWS), SQUARE_MM, MARKER_MM, dictionary(), ids
    )


def card_picture(px_per_mm: int, *, version: int = CARD_VERSION) -> ImageArray:
    """The card as it is meant to look, uint8 (H, W, 3), without its texts and cut lines."""
    size = (round(CARD_HEIGHT_MM * px_per_mm), round(CARD_WIDTH_MM * px_per_mm), 3)
    picture = np.full(size, 255, dtype=np.uint8)
    for x, y in board_squares():
        _fill(picture, (x, y), SQUARE_MM, px_per_mm, (0, 0, 0))
    draw_markers(picture, board_markers(version), MARKER_MM, px_per_mm)
    for patch in patches():
        _fill(picture, (patch.x_mm, patch.y_mm), PATCH_MM, px_per_mm, patch.srgb)
    return picture


def strip_picture(px_per_mm: int, *, version: int = CARD_VERSION) -> ImageArray:
    """The headband strip as it is meant to look, uint8 (H, W, 3)."""
    size = (round(STRIP_HEIGHT_MM * px_per_mm), round(STRIP_WIDTH_MM * px_per_mm), 3)
    picture = np.full(size, 255, dtype=np.uint8)
    draw_markers(picture, strip_markers(version), STRIP_MARKER_MM, px_per_mm)
    return picture


def draw_markers(
    picture: ImageArray,
    corners: Mapping[int, tuple[float, float]],
    side_mm: float,
    px_per_mm: int,
) -> None:
    """Draw markers of one size, by the upper left corner (mm) of each, into a picture."""
    cell = side_mm / MARKER_CELLS
    for number, (x, y) in corners.items():
        for row, column in np.argwhere(marker_cells(number)):
            corner = (x + cell * column, y + cell * row)
            _fill(picture, corner, cell, px_per_mm, (0, 0, 0))


def _fill(
    picture: ImageArray,
    corner_mm: tuple[float, float],
    side_mm: float,
    px_per_mm: int,
    colour: tuple[int, int, int],
) -> None:
    """Fill a square; its edges are rounded to whole pixels, so that neighbours always touch."""
    x_mm, y_mm = corner_mm
    x0, x1 = round(x_mm * px_per_mm), round((x_mm + side_mm) * px_per_mm)
    y0, y1 = round(y_mm * px_per_mm), round((y_mm + side_mm) * px_per_mm)
    picture[y0:y1, x0:x1] = colour
