"""Scale, tilt and print distortion from the homography of the card.

With a camera of focal length f (px) and its axis through the middle of the picture, the columns of
``inv(K) @ H`` are the card's two directions in space and its corner, all times one factor. A print
that is stretched makes one direction longer than the other; a tilted card doesn't, as its tilt
shows in the third row.

References
----------
Z. Zhang, "A flexible new technique for camera calibration", IEEE TPAMI 22, 2000,
doi:10.1109/34.888718 (the two constraints that a plane puts on a camera).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from scalptrack.fiducials.detect import Placement, refit
from scalptrack.fiducials.layout import CARD_HEIGHT_MM, CARD_WIDTH_MM
from scalptrack.records import FloatArray

FILM_DIAGONAL_MM = 43.27
USUAL_FOCAL_LENGTH_MM = 26.0
"""Of phones' main cameras, on 35 mm film: what is assumed when the file doesn't say."""

KNOWN_FOCAL_RANGE = (0.92, 1.08)
"""True over stated focal length: EXIF rounds it, and focusing and stabilising crop."""

UNKNOWN_FOCAL_RANGE = (0.85, 2.2)
"""22 mm to 57 mm: main lenses and 2x lenses of phones."""

UNKNOWN_FOCALS_TRIED = 17
JACKKNIFE_GROUPS = 6

READING_ERROR = 0.002
"""Relative error of the scale with a known lens: at most 0.17 % (lab/benchmarks/card.py)."""

UNKNOWN_LENS_ERROR = 0.005
"""Where the lens isn't stated: at most 0.5 % in eight shots, for 24 to 52 mm."""

MAX_PRINT_RATIO = 1.01
"""Width over height of the print, or the inverse, that is still no distortion."""


@dataclass(frozen=True, slots=True)
class CardGeometry:
    """What the shape of the card in the picture tells.

    Attributes
    ----------
    mm_per_px : float
        Millimetres per pixel for what is as far from the camera as the middle of the card.
    mm_per_px_low, mm_per_px_high : float
        What it might be as the lens isn't known exactly and the print may be stretched; a print
        that is too large or too small as a whole can't be seen.
    tilt_deg : float
        Angle between the card's normal and the line of sight.
    print_ratio : float
        Width over height of the print, divided by what it should be.
    print_ratio_low, print_ratio_high : float
        Interval of it, from the corners' errors and from what isn't known of the lens.
    """

    mm_per_px: float
    mm_per_px_low: float
    mm_per_px_high: float
    tilt_deg: float
    print_ratio: float
    print_ratio_low: float
    print_ratio_high: float

    @property
    def distorted(self) -> bool:
        """True when the print is surely stretched in one direction."""
        return self.print_ratio_low > MAX_PRINT_RATIO or self.print_ratio_high < 1 / MAX_PRINT_RATIO


@dataclass(frozen=True, slots=True)
class _Pose:
    """Scale and tilt for one focal length, and how well they explain the corners (RMS)."""

    mm_per_px: float
    tilt_deg: float
    residual_px: float


def measure_geometry(
    placement: Placement, shape: tuple[int, int], focal_length_35mm: float | None
) -> CardGeometry:
    """Scale, tilt and stretch of a card.

    Parameters
    ----------
    placement : Placement
        Where the card lies.
    shape : tuple of int
        (H, W) of the whole photograph, not cropped.
    focal_length_35mm : float or None
        As in EXIF; None where the file doesn't say.
    """
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    diagonal = float(np.hypot(*shape))
    focal_px = (focal_length_35mm or USUAL_FOCAL_LENGTH_MM) / FILM_DIAGONAL_MM * diagonal
    ratio = _stretch(placement.photograph_from_card, focal_px, centre)
    spread = 2 * _jackknife_sd(placement, focal_px, centre)
    factors = UNKNOWN_FOCAL_RANGE if focal_length_35mm is None else KNOWN_FOCAL_RANGE
    ratios = [
        _stretch(placement.photograph_from_card, factor * focal_px, centre) for factor in factors
    ]
    low, high = min(ratio, *ratios) - spread, max(ratio, *ratios) + spread
    measured = CardGeometry(0.0, 0.0, 0.0, 0.0, ratio, low, high)
    assumed = ratio if measured.distorted else 1.0
    if focal_length_35mm is None:
        factors = tuple(np.geomspace(*factors, UNKNOWN_FOCALS_TRIED))
    poses = [_pose(placement, factor * focal_px, centre, assumed) for factor in (1.0, *factors)]
    # A lens that isn't stated is told by the perspective of a tilted card.
    best = poses[0] if focal_length_35mm else min(poses, key=lambda pose: pose.residual_px)
    allowed = max(1.5 * best.residual_px, best.residual_px + 0.05)
    scales = [pose.mm_per_px for pose in poses if focal_length_35mm or pose.residual_px <= allowed]
    reading = READING_ERROR if focal_length_35mm else UNKNOWN_LENS_ERROR
    slack = reading + abs(math.sqrt(assumed) - 1)
    return replace(
        measured,
        mm_per_px=best.mm_per_px,
        mm_per_px_low=min(scales) * (1 - slack),
        mm_per_px_high=max(scales) * (1 + slack),
        tilt_deg=best.tilt_deg,
    )


def _stretch(homography: FloatArray, focal_px: float, centre: FloatArray) -> float:
    """Length of the card's first direction in space over that of its second."""
    moved = homography.copy()
    moved[:2] -= np.outer(centre, homography[2])
    moved[:2] /= focal_px
    return float(np.linalg.norm(moved[:, 0]) / np.linalg.norm(moved[:, 1]))


def _pose(placement: Placement, focal_px: float, centre: FloatArray, ratio: float) -> _Pose:
    """Pose of a card whose stretch is known.

    Six numbers instead of the homography's eight: steadier where part of the board is hidden.
    """
    middle = np.array([CARD_WIDTH_MM / 2, CARD_HEIGHT_MM / 2])
    flat = (placement.card_points - middle) * (np.sqrt(ratio), 1 / np.sqrt(ratio))
    solid = np.column_stack([flat, np.zeros(len(flat))])
    camera = np.array([[focal_px, 0, centre[0]], [0, focal_px, centre[1]], [0, 0, 1]])
    seen = placement.photograph_points
    _, turn, shift = cv2.solvePnP(solid, seen, camera, None, flags=cv2.SOLVEPNP_IPPE)
    turn, shift = cv2.solvePnPRefineLM(solid, seen, camera, None, turn, shift)
    place = shift.ravel()
    cosine = abs(cv2.Rodrigues(turn)[0][:, 2] @ place) / np.linalg.norm(place)
    tilt = float(np.degrees(np.arccos(np.clip(cosine, 0, 1))))
    projected, _ = cv2.projectPoints(solid, turn, shift, camera, np.zeros(4))
    residual = float(np.sqrt(np.mean(np.square(projected.reshape(-1, 2) - seen).sum(axis=1))))
    return _Pose(float(abs(place[2]) / focal_px), tilt, residual)


def _jackknife_sd(placement: Placement, focal_px: float, centre: FloatArray) -> float:
    """SD of the stretch from leaving out a sixth of the corners at a time."""
    count = len(placement.card_points)
    groups = min(JACKKNIFE_GROUPS, count - 4)
    if groups < 2:
        return 0.05
    ratios = []
    for group in range(groups):
        kept = np.arange(count) % groups != group
        homography = refit(placement.card_points[kept], placement.photograph_points[kept])
        ratios.append(_stretch(homography, focal_px, centre))
    return float(
        np.sqrt((groups - 1) / groups * np.sum(np.square(np.array(ratios) - np.mean(ratios))))
    )
