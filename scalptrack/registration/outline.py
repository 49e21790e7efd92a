"""The head's outline: from the border between scalp and background to a head-shaped prior."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import least_squares

from scalptrack.errors import HeadNotFoundError
from scalptrack.records import BoolArray, FloatArray, RegionClass, Segmentation
from scalptrack.registration.surface import HeadShape
from scalptrack.translation import tr

MIN_SCALP_PX = 400
"""Scalp pixels of the segmentation's grid below which no outline can be fitted."""

DEPTH_PRIOR = 1.05
"""Half axis along the line of sight over the mean one across it; heads are 1.0 to 1.2 from above
and 1.0 to 1.25 from the back or front (half axes of 7.5 x 9.4 x 9.4 cm)."""

ASPECT_SD = 0.18
"""SD of the logarithm of the outline's aspect ratio around 1: keeps short arcs from running away;
heads have 1.27 from above and about 1.1 from elsewhere."""

_NEIGHBOUR_PX = 4


@dataclass(frozen=True, slots=True)
class Outline:
    """What the scalp's border says about the head.

    Attributes
    ----------
    shape : HeadShape
        Ellipsoid that the outline suggests, in photograph pixels.
    arc_fraction : float
        Share of directions from the centre in which the outline was seen against the background.
    cut_fraction : float
        Share of the scalp's border that is the edge of the photograph.
    spread_fraction : float
        Robust scatter of the border around the ellipse, relative to the head's width.
    """

    shape: HeadShape
    arc_fraction: float
    cut_fraction: float
    spread_fraction: float


def fit_outline(segmentation: Segmentation) -> Outline:
    """Fit an ellipse to the part of the scalp's border that is seen against the background.

    Raises
    ------
    HeadNotFoundError
        When there is too little scalp.
    """
    scalp = _largest_component(segmentation.scalp)
    if int(scalp.sum()) < MIN_SCALP_PX:
        message = tr(
            "only {sum} pixels of scalp were found, at least "
            "{min_scalp_px} are needed. Check that the head fills most of "
            "the photograph.",
            sum=int(scalp.sum()),
            min_scalp_px=MIN_SCALP_PX,
        )
        raise HeadNotFoundError(message)
    contour = _contour_points(scalp)
    occluding, at_edge = _occluding(contour, segmentation)
    grid = segmentation.grid
    border = contour[occluding] if int(occluding.sum()) >= 40 else contour[~at_edge]
    if len(border) < 40:
        border = contour
    start = _start_ellipse(scalp)
    centre, outline, spread = _fit_ellipse(border, start)
    angles = np.arctan2(*(border - centre).T[::-1])
    seen = np.zeros(36, dtype=bool)
    seen[((angles + np.pi) / (2 * np.pi) * 36).astype(int) % 36] = True
    centre_px = grid.to_photograph(centre[None])[0]
    shape = HeadShape(
        (float(centre_px[0]), float(centre_px[1])),
        (
            float(outline[0] / grid.step_px),
            float(outline[1] / grid.step_px),
            float(outline[2] / grid.step_px),
        ),
        DEPTH_PRIOR,
    )
    return Outline(shape, float(seen.mean()), float(at_edge.mean()), spread)


def _largest_component(mask: BoolArray) -> BoolArray:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return np.zeros(mask.shape, dtype=bool)
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def _contour_points(mask: BoolArray) -> FloatArray:
    """Points (N, 2) of the outer contour of one component."""
    found = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contours = found[0]
    longest = max(contours, key=len)
    return np.asarray(longest, dtype=np.float64).reshape(-1, 2)


def _occluding(contour: FloatArray, segmentation: Segmentation) -> tuple[BoolArray, BoolArray]:
    """Which contour points are seen against the background, and which lie on the photo's edge."""
    classes = segmentation.classes
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _NEIGHBOUR_PX + 1,) * 2)
    skin = (classes == RegionClass.OTHER_SKIN) | (classes == RegionClass.OBJECT)
    near_skin = cv2.dilate(skin.astype(np.uint8), kernel) > 0
    height, width = segmentation.photograph_shape
    points = segmentation.grid.to_photograph(contour)
    margin = 2.0 * segmentation.grid.step_px
    at_edge = (points.min(axis=1) < margin) | (points[:, 0] > width - 1 - margin)
    at_edge |= points[:, 1] > height - 1 - margin
    columns, rows = contour.astype(int).T
    return ~near_skin[rows, columns] & ~at_edge, at_edge


def _start_ellipse(mask: BoolArray) -> FloatArray:
    """(cx, cy, m11, m12, m22) of the ellipse with the mask's moments."""
    rows, columns = np.nonzero(mask)
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    covariance = np.cov(points.T) * 4.0
    factor = np.linalg.cholesky(np.linalg.inv(covariance)).T
    return np.array([*points.mean(axis=0), factor[0, 0], factor[0, 1], factor[1, 1]])


def _fit_ellipse(border: FloatArray, start: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Robust ellipse through border points (N, 2): centre (2,), (m11, m12, m22), scatter."""
    border = border[:: max(1, len(border) // 400)]
    radius = 1.0 / float(np.sqrt(start[2] * start[4]))
    origin = start[:2]

    def residuals(parameters: FloatArray) -> FloatArray:
        dx, dy, log11, shear, log22 = parameters
        offset = (border - origin) / radius - (dx, dy)
        m11, m22 = np.exp(log11), np.exp(log22)
        u = m11 * offset[:, 0] + shear * offset[:, 1]
        distance = np.hypot(u, m22 * offset[:, 1]) - 1.0
        prior = np.array([log11 - log22, shear]) / ASPECT_SD
        return np.concatenate([distance / 0.02, prior * np.sqrt(len(border) / 40.0)])

    initial = np.array(
        [
            0.0,
            0.0,
            np.log(start[2] * radius),
            start[3] * radius,
            np.log(start[4] * radius),
        ]
    )
    fit = least_squares(residuals, initial, loss="soft_l1", max_nfev=40)
    dx, dy, log11, shear, log22 = fit.x
    scatter = float(np.median(np.abs(residuals(fit.x)[:-2])) * 0.02 * 1.4826 / 2.0)
    outline = np.array([np.exp(log11), shear, np.exp(log22)]) / radius
    return origin + radius * np.array([dx, dy]), outline, scatter
