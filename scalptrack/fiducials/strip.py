"""The printed headband: where its markers are, what it looks like, and finding it in a photograph.

The band is a paper strip that goes around the head, cut from one page as four pieces. Its frame
has its origin at the upper left corner of the first piece as worn, x along the band and y down, in
millimetres. Any run of its markers can be recognised, as each has an id of its own. The small strip
that is on the page of the card is found, too: it shows from the front only.

References
----------
S. Garrido-Jurado et al., "Automatic generation and detection of highly reliable fiducial markers
under occlusion", Pattern Recognition 47, 2014, doi:10.1016/j.patcog.2014.01.005.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from scalptrack.fiducials.detect import detect_markers, project
from scalptrack.fiducials.layout import (
    HEADBAND_IDS,
    STRIP_HEIGHT_MM,
    STRIP_MARKER_MM,
    STRIP_PITCH_MM,
    strip_markers,
)
from scalptrack.fiducials.markers import draw_markers
from scalptrack.records import BoolArray, FloatArray, Grid, ImageArray, StripMarkers

HEADBAND_VERSION = 1
"""A change to the numbers below is a new version, with other ids."""

PIECES = 4
MARKERS_PER_PIECE = len(HEADBAND_IDS) // PIECES
PITCH_MM = 18.0
MARKER_MM = 13.0
"""A larger marker bends too much around a forehead to be read from 45 degrees above (of those of
20 mm hardly one was, on rendered heads); a smaller one is few pixels from the side."""

BAND_MM = 20.0
"""Height of the band: 3.5 mm of white above and below the markers, which need two."""

PIECE_MM = MARKERS_PER_PIECE * PITCH_MM
TAB_MM = 12.0
"""White end of a piece, to be glued under the next one."""

LENGTH_MM = PIECES * PIECE_MM
"""648 mm: longer than heads are round (52 to 62 cm); what is too long is cut off at the back."""

_JOINED = 3.5
"""Markers whose centres are no farther apart than this many of their heights have the band between
them, also where the ends of it meet at the back."""

_MARGIN_MM = 2.0
"""How much more than the band is left out of the scalp: its shadow, and paper that stands off."""


_ALIKE = (0.6, 1.4)
"""Heights of markers beside each other, one relative to the other."""

_BESIDE = (0.25, 1.9)
"""Distance of their centres, relative to the height of one: the pitch is 1.4 of it, and less from
the side."""

_UNREAD_GROWTH = 1.7
"""How much larger the band is than a marker in it."""

FILLED_SIDE_PX = 1200
"""Longest side of the copy in which the band is painted over."""

_SOFT, _GRAIN_PX, _GRAIN_LEVELS = 0.45, 1.2, 4.0
"""Blur of what is painted (share of half the band's height), and size and SD of its grain. On four
rendered heads of sample_images the outline's centre is then 0.1, 0.1, 0.4 and 2.6 % of the width
from where it is without a band; painted without blur and grain up to 12 %, and with the band in
place 8 to 12 %."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """Sizes (mm) of one of the two bands."""

    marker: float
    pitch: float
    height: float


_BAND = _Kind(MARKER_MM, PITCH_MM, BAND_MM)
_SHORT = _Kind(STRIP_MARKER_MM, STRIP_PITCH_MM, STRIP_HEIGHT_MM)
_KINDS = dict.fromkeys(HEADBAND_IDS, _BAND) | dict.fromkeys(strip_markers(), _SHORT)


def headband_markers() -> dict[int, tuple[float, float]]:
    """Upper left corner (mm) of each marker on the whole band, by id."""
    x0, y = (PITCH_MM - MARKER_MM) / 2, (BAND_MM - MARKER_MM) / 2
    return {number: (x0 + PITCH_MM * i, y) for i, number in enumerate(HEADBAND_IDS)}


def headband_picture(px_per_mm: int) -> ImageArray:
    """The whole band as it is meant to look, uint8 (H, W, 3), without its texts."""
    size = (round(BAND_MM * px_per_mm), round(LENGTH_MM * px_per_mm), 3)
    picture = np.full(size, 255, dtype=np.uint8)
    draw_markers(picture, headband_markers(), MARKER_MM, px_per_mm)
    return picture


def find_strip(image: ImageArray) -> StripMarkers:
    """Find the markers of a headband in a photograph.

    A marker that is seen twice (two people, a mirror) counts as not seen.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        The upright photograph.
    """
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    found, unread = _known(grey)
    # A marker's mirror image is none, so a mirrored photograph shows markers only when flipped.
    mirrored = 0 if found else len(_known(np.ascontiguousarray(grey[:, ::-1]))[0])
    ids = tuple(sorted(found))
    corners = np.array([found[number] for number in ids]).reshape(-1, 4, 2)
    return StripMarkers(ids, corners, _in_the_row(corners, unread), mirrored)


def _known(grey: ImageArray) -> tuple[dict[int, FloatArray], FloatArray]:
    """Corners (4, 2) of the bands' markers that are there once, by id, and what can't be read."""
    found, unread = detect_markers(grey, _parameters())
    found = [each for each in found if each[0] in _KINDS]
    times = Counter(number for number, _ in found)
    return {number: corners for number, corners in found if times[number] == 1}, unread


def _parameters() -> Any:
    """How markers on a head are read: bent ones, of which one cell may be wrong.

    No other print has these ids, and markers that contradict each other are refused later.
    """
    parameters = cv2.aruco.DetectorParameters()
    parameters.perspectiveRemovePixelPerCell = 8
    parameters.errorCorrectionRate = 0.6
    return parameters


def _in_the_row(markers: FloatArray, unread: FloatArray) -> FloatArray:
    """Those (M, 4, 2) of the unread squares that continue a row of markers (N, 4, 2).

    At the side of the head markers are too narrow to be read, but as high as their neighbours.
    """
    row, left = list(markers), list(unread)
    grown = True
    while grown and row:
        beside = [square for square in left if any(_continues(square, each) for each in row)]
        left = [square for square in left if not any(square is each for each in beside)]
        row += beside
        grown = bool(beside)
    return np.array(row[len(markers) :]).reshape(-1, 4, 2)


def _continues(square: FloatArray, marker: FloatArray) -> bool:
    """Whether a square is as high as a marker, and beside it."""
    height = _height(marker)
    alike = _ALIKE[0] * height < _height(square) < _ALIKE[1] * height
    return alike and _BESIDE[0] < _gap(square, marker) / height < _BESIDE[1]


def _height(square: FloatArray) -> float:
    """Length of the longest side of a square (4, 2): at the side of the head it is narrow."""
    return float(np.linalg.norm(square - np.roll(square, 1, axis=0), axis=1).max())


def _gap(one: FloatArray, other: FloatArray) -> float:
    """Distance of the centres of two squares (4, 2)."""
    return float(np.hypot(*(one.mean(axis=0) - other.mean(axis=0))))


def _grown(square: FloatArray, factor: float) -> FloatArray:
    """A square (4, 2) that is so many times larger around its centre."""
    middle = square.mean(axis=0)
    return np.asarray(middle + factor * (square - middle))


def strip_filled(image: ImageArray, markers: StripMarkers) -> ImageArray:
    """The photograph with the band painted over from what is above and below it.

    A band cuts the picture of a head in two, and what looks for heads and scalp in it takes the
    part inside for all of it. What is painted is for finding the head alone: nothing in it is
    measured.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        The photograph.
    markers : StripMarkers
        From `find_strip` of it; without any, the image itself is returned.
    """
    if not markers.ids:
        return image
    height, width = image.shape[:2]
    step = max(1.0, max(height, width) / FILLED_SIDE_PX)
    size = (round(width / step), round(height / step))
    grid = Grid((step - 1) / 2, (step - 1) / 2, step, size[0], size[1])
    covered = covered_by_strip(markers, grid)
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    painted = _painted_over(small, covered)
    hidden = cv2.resize(covered.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    whole = cv2.resize(painted, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(hidden[..., np.newaxis] > 0, whole, image).astype(np.uint8)


def _painted_over(image: ImageArray, covered: BoolArray) -> ImageArray:
    """What the covered pixels of an image (H, W, 3) show: continued from the rim, soft, with grain.

    An edge along the band would look like the border of a head, and something without grain like
    an object.
    """
    mask = covered.astype(np.uint8)
    continued = cv2.inpaint(image, mask, 3.0, cv2.INPAINT_TELEA)
    half_px = float(cv2.distanceTransform(mask, cv2.DIST_L2, 3).max())
    soft = cv2.GaussianBlur(continued, (0, 0), max(_SOFT * half_px, 0.5)).astype(np.float32)
    noise = np.random.default_rng(0).normal(0.0, 1.0, covered.shape).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), _GRAIN_PX)
    soft += (_GRAIN_LEVELS / float(grain.std()) * grain)[..., np.newaxis]
    return soft.clip(0, 255).round().astype(np.uint8)


def covered_by_strip(markers: StripMarkers, grid: Grid) -> BoolArray:
    """Grid pixels (H, W) that the band hides, as far as its markers tell.

    Parameters
    ----------
    markers : StripMarkers
        From `find_strip`.
    grid : Grid
        Over the same photograph.
    """
    canvas = np.zeros((grid.height, grid.width), dtype=np.uint8)
    boxes = [_box(*each) for each in zip(markers.ids, markers.corners, strict=True)]
    boxes += [_grown(square, _UNREAD_GROWTH) for square in markers.unread]
    squares = [*markers.corners, *markers.unread]
    for box in boxes:
        _fill_hull(canvas, grid.from_photograph(box))
    for one, other in _neighbours(squares, len(markers.ids)):
        ends = np.concatenate([boxes[one], boxes[other]])
        _fill_hull(canvas, grid.from_photograph(ends))
    return canvas > 0


def _neighbours(squares: list[FloatArray], read: int) -> list[tuple[int, int]]:
    """Pairs of squares that have the band, and no third square, between them.

    The straight way past a third one would cut off what lies inside of a bent band. The first
    `read` squares are markers for sure: nothing else parts them.
    """
    gaps = np.array([[_gap(one, other) for other in squares] for one in squares])
    found = []
    for one, other in itertools.combinations(range(len(squares)), 2):
        gap = gaps[one, other]
        known = read if max(one, other) < read else len(squares)
        between = np.maximum(gaps[one], gaps[other])[:known] < gap
        if gap < _JOINED * _height(squares[one]) and not between.any():
            found.append((one, other))
    return found


def _box(number: int, corners: FloatArray) -> FloatArray:
    """Corners (4, 2) in the photograph of the piece of band around one marker."""
    kind = _KINDS[number]
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float32) * np.float32(kind.marker)
    matrix = cv2.getPerspectiveTransform(square, corners.astype(np.float32))
    x, y = (kind.pitch - kind.marker) / 2, (kind.height - kind.marker) / 2 + _MARGIN_MM
    ends = kind.marker + np.array([x, y])
    rim = np.array([(-x, -y), (ends[0], -y), (ends[0], ends[1]), (-x, ends[1])])
    return project(np.asarray(matrix, dtype=np.float64), rim)


def _fill_hull(canvas: ImageArray, points: FloatArray) -> None:
    limit = 10.0 * max(canvas.shape)
    rounded = np.round(np.clip(points, -limit, limit)).astype(np.int32)
    cv2.fillConvexPoly(canvas, cv2.convexHull(rounded), 1)
