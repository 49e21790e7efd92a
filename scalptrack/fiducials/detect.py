"""Markers and the corners of the board in a photograph, and the homography from card to picture.

The markers are looked for in a reduced copy; the corners of the board's squares, which no wrong
marker can fake, are then refined in the photograph's own pixels.

References
----------
S. Garrido-Jurado et al., "Automatic generation and detection of highly reliable fiducial markers
under occlusion", Pattern Recognition 47, 2014, doi:10.1016/j.patcog.2014.01.005.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.fiducials.layout import (
    BOARD_COLUMNS,
    BOARD_ROWS,
    BOARD_X_MM,
    BOARD_Y_MM,
    HEADBAND_IDS,
    MARKER_MM,
    SQUARE_MM,
    board_markers,
    strip_markers,
    version_of,
)
from scalptrack.fiducials.markers import dictionary
from scalptrack.records import FloatArray, ImageArray

SEARCH_SIDE_PX = 2400
"""Longest side of the copy that is searched: on a head that fills the picture 8 px are a mm."""

ALL_CORNERS = (BOARD_COLUMNS - 1) * (BOARD_ROWS - 1)
OUTLIER_SQUARES = 0.08
"""Distance from the plane of the others, in squares, beyond which a corner is a wrong one."""

Points32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Markers:
    """Markers in a photograph.

    Attributes
    ----------
    board : dict of int to float (4, 2)
        Corners in the photograph of each marker of this version's board.
    strip : int
        How many markers of the headband strip were found.
    other_versions : tuple of int
        Version of each marker that belongs to another version of the card.
    repeated : int
        Markers of the board that are there more than once.
    """

    board: dict[int, FloatArray]
    strip: int
    other_versions: tuple[int, ...]
    repeated: int

    @property
    def square_px(self) -> float:
        """Side of a square of the board in the photograph, from the markers; 0 without any."""
        if not self.board:
            return 0.0
        corners = np.array(list(self.board.values()))
        sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
        return float(np.median(sides.max(axis=1)) * SQUARE_MM / MARKER_MM)


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where the card lies in a photograph.

    Attributes
    ----------
    photograph_from_card : float (3, 3)
        Homography from millimetres on the card to pixels.
    card_points, photograph_points : float (N, 2)
        The corners that agree with it, in millimetres and in pixels.
    residual_px : float
        RMS distance of these corners from it.
    square_px : float
        Side of a square of the board where the card lies.
    """

    photograph_from_card: FloatArray
    card_points: FloatArray
    photograph_points: FloatArray
    residual_px: float
    square_px: float


def detect_markers(
    grey: ImageArray, parameters: Any
) -> tuple[list[tuple[int, FloatArray]], FloatArray]:
    """Look for all markers of the dictionary in a grey photograph (H, W).

    Parameters
    ----------
    grey : uint8 (H, W)
        The photograph.
    parameters : cv2.aruco.DetectorParameters
        How squares are read; the smallest ones are set here.

    Returns
    -------
    list of (int, float (4, 2))
        Id and corners of each.
    float (N, 4, 2)
        Corners of what is as square, but can't be read.
    """
    scale = min(1.0, SEARCH_SIDE_PX / max(grey.shape))
    small = grey
    if scale < 1:
        size = (round(grey.shape[1] * scale), round(grey.shape[0] * scale))
        small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    parameters.minMarkerPerimeterRate = 0.015
    corners, ids, unread = cv2.aruco.ArucoDetector(dictionary(), parameters).detectMarkers(small)
    numbers = [] if ids is None else [int(each) for each in np.ravel(ids)]

    def in_photograph(found: Sequence[Any]) -> FloatArray:
        points = np.array(found, dtype=np.float64).reshape(-1, 4, 2)
        return np.asarray((points + 0.5) / scale - 0.5)

    return list(zip(numbers, in_photograph(corners), strict=True)), in_photograph(unread)


def find_markers(grey: ImageArray) -> Markers:
    """Look for the card's markers in a grey photograph (H, W)."""
    parameters = cv2.aruco.DetectorParameters()
    # No bit is corrected: a repaired marker may be another version's, or none.
    parameters.errorCorrectionRate = 0.0
    found, _ = detect_markers(grey, parameters)
    ours, strip = board_markers(), strip_markers()
    board: dict[int, FloatArray] = {}
    repeated = 0
    for number, corners in found:
        if number in ours:
            repeated += number in board
            board[number] = corners
    numbers = [number for number, _ in found if number not in HEADBAND_IDS]
    others = [number for number in numbers if number not in ours and number not in strip]
    versions = tuple(sorted(version_of(number) for number in others))
    return Markers(board, len(strip.keys() & set(numbers)), versions, repeated)


def place_card(grey: ImageArray, markers: Markers) -> Placement | None:
    """Locate the card by the corners of the board's squares; None where too few agree.

    Parameters
    ----------
    grey : uint8 (H, W)
        The whole photograph.
    markers : Markers
        At least two of the board.
    """
    rough = _homography(*_marker_corners(markers), threshold_px=4.0)
    if rough is None:
        return None
    card_points = _corners_beside(markers)
    expected = project(rough, card_points)
    square_px = _square_px(rough, card_points.mean(axis=0))
    height, width = grey.shape
    margin = 0.5 * square_px
    inside = np.all((expected > margin) & (expected < (width - margin, height - margin)), axis=1)
    card_points, expected = card_points[inside], expected[inside]
    if len(card_points) < 4:
        return None
    refined = _refined(grey, expected, square_px)
    kept = np.hypot(*(refined - expected).T) < 0.2 * square_px
    card_points, refined = card_points[kept], refined[kept]
    threshold = max(1.5, OUTLIER_SQUARES * square_px)
    final = _homography(card_points, refined, threshold_px=threshold)
    if final is None:
        return None
    distances = np.hypot(*(project(final, card_points) - refined).T)
    agree = distances <= threshold
    final = refit(card_points[agree], refined[agree])
    distances = np.hypot(*(project(final, card_points) - refined).T)[agree]
    residual = float(np.sqrt(np.mean(np.square(distances))))
    return Placement(final, card_points[agree], refined[agree], residual, square_px)


def project(homography: FloatArray, points: FloatArray) -> FloatArray:
    """Points (N, 2) through a homography."""
    carried = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return np.asarray(carried[:, :2] / carried[:, 2:])


def refit(card_points: FloatArray, photograph_points: FloatArray) -> FloatArray:
    """Least-squares homography (3, 3) of at least four pairs of points."""
    matrix, _ = cv2.findHomography(card_points, photograph_points, 0)
    return np.asarray(matrix, dtype=np.float64)


def _marker_corners(markers: Markers) -> tuple[FloatArray, FloatArray]:
    """Corners of the markers on the card and in the photograph, (4 N, 2) each."""
    places = board_markers()
    sides = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float64) * MARKER_MM
    card = [np.array(places[number]) + sides for number in markers.board]
    return np.concatenate(card), np.concatenate(list(markers.board.values()))


def _homography(
    card_points: FloatArray, photograph_points: FloatArray, *, threshold_px: float
) -> FloatArray | None:
    if len(card_points) < 4:
        return None
    matrix, _ = cv2.findHomography(card_points, photograph_points, cv2.RANSAC, threshold_px)
    if matrix is None or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-12:
        return None
    return np.asarray(matrix, dtype=np.float64)


def _corners_beside(markers: Markers) -> FloatArray:
    """Inner corners (N, 2) of the board, in mm on the card, that touch a marker that was found."""
    places = board_markers()
    reach = 0.75 * SQUARE_MM
    centres = np.array([places[number] for number in markers.board]) + MARKER_MM / 2
    corners = np.array(
        [
            (BOARD_X_MM + SQUARE_MM * column, BOARD_Y_MM + SQUARE_MM * row)
            for row in range(1, BOARD_ROWS)
            for column in range(1, BOARD_COLUMNS)
        ]
    )
    away = np.abs(corners[:, np.newaxis] - centres).max(axis=2).min(axis=1)
    return np.asarray(corners[away < reach])


def _square_px(homography: FloatArray, centre: FloatArray) -> float:
    """Side of a square in the photograph: the shorter of its two directions."""
    step = SQUARE_MM / 2
    ends = project(homography, centre + np.array([(-step, 0), (step, 0), (0, -step), (0, step)]))
    return float(min(np.hypot(*(ends[1] - ends[0])), np.hypot(*(ends[3] - ends[2]))))


def _refined(grey: ImageArray, expected: FloatArray, square_px: float) -> FloatArray:
    """Corners moved to where the edges cross, within a tenth of a pixel on sharp pictures.

    The window stays clear of the markers, whose border begins an eighth of a square from a corner.
    """
    half = int(np.clip(0.16 * square_px, 2, 15))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 0.005)
    points: Points32 = expected.astype(np.float32).reshape(-1, 1, 2)
    refined = cv2.cornerSubPix(grey, points.copy(), (half, half), (-1, -1), criteria)
    return np.asarray(refined, dtype=np.float64).reshape(-1, 2)
