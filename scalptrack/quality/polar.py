"""What lies around the middle of a scalp, by angle and distance, whatever the picture's size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalptrack.records import FloatArray, Grid, Segmentation

ANGLES = 36
"""Directions that are looked in, 10 degrees apart."""

RADII = np.arange(1, 18) * 0.15
"""Distances from the middle, in radii of a disc that is as large as the scalp."""

SCALP, OUT_OF_SIGHT = 1, 5
"""Codes of a place; the others are those of `RegionClass`, and hair off the scalp is hair."""

MIN_SCALP_PX = 300


@dataclass(frozen=True, slots=True, eq=False)
class PolarMap:
    """A scalp and what surrounds it, sampled on circles about the scalp's middle.

    Attributes
    ----------
    codes : uint8 (RADII, ANGLES)
        What lies there. Angles run clockwise in the picture from its right.
    cosine : float32 (RADII, ANGLES)
        Incidence cosine on the scalp, 0 elsewhere.
    """

    codes: NDArray[np.uint8]
    cosine: NDArray[np.float32]


def polar_map(segmentation: Segmentation, *, min_scalp_px: int = MIN_SCALP_PX) -> PolarMap | None:
    """Sample a segmentation; None where it has fewer grid pixels of scalp than that."""
    scalp = segmentation.scalp
    rows, columns = np.nonzero(scalp)
    if len(rows) < min_scalp_px:
        return None
    grid = segmentation.grid
    middle = grid.to_photograph(np.array([[columns.mean(), rows.mean()]]))[0]
    unit_px = float(np.sqrt(len(rows) / np.pi)) * grid.step_px
    angle = 2 * np.pi * np.arange(ANGLES) / ANGLES
    around = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    points = middle + unit_px * (RADII[:, None, None] * around).reshape(-1, 2)
    height, width = segmentation.photograph_shape
    in_frame = np.all((points > -0.5) & (points < (width - 0.5, height - 0.5)), axis=1)
    codes = np.full(len(points), OUT_OF_SIGHT, np.uint8)
    wider = segmentation.surroundings
    if wider is not None:
        seen, at = _places(wider.grid, points)
        codes[seen] = wider.classes[at]
    seen, at = _places(grid, points)
    codes[seen] = np.where(scalp[at], SCALP, _off_scalp(segmentation.classes[at]))
    codes[~in_frame] = OUT_OF_SIGHT
    cosine = np.zeros(len(points), np.float32)
    cosine[seen] = np.where(scalp[at], segmentation.incidence_cosine[at], 0)
    shape = (len(RADII), ANGLES)
    return PolarMap(codes.reshape(shape), cosine.reshape(shape))


def _off_scalp(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Classes off the scalp: bare scalp isn't there, whatever its class says."""
    return np.where(classes == SCALP, 0, classes).astype(np.uint8)


def _places(
    grid: Grid, points: FloatArray
) -> tuple[NDArray[np.bool_], tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Which points (N, 2) lie on a grid, and the rows and columns of those."""
    found = np.rint(grid.from_photograph(points)).astype(np.intp)
    inside = np.all((found >= 0) & (found < (grid.width, grid.height)), axis=1)
    return inside, (found[inside, 1], found[inside, 0])
