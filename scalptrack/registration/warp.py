"""Photographs carried to the reference's geometry, for people to look at; never measured."""

from __future__ import annotations

import cv2
import numpy as np

from scalptrack.records import BoolArray, FloatArray, Grid, ImageArray, SurfaceTransform

_CELL = 8
"""Grid pixels between points that are mapped exactly; between them the map is all but linear
(curvature of a head 600 px wide: below 0.02 px)."""


def warp_to_reference(
    moving_image: ImageArray,
    transform: SurfaceTransform,
    reference_shape: tuple[int, int],
    *,
    grid: Grid | None = None,
) -> tuple[ImageArray, BoolArray]:
    """The moving photograph as the reference's camera would have seen it.

    Parameters
    ----------
    moving_image : uint8 (H, W, 3)
        The moving photograph.
    transform : SurfaceTransform
        moving_from_reference.
    reference_shape : tuple of int
        (H, W) of the reference photograph.
    grid : Grid, optional
        Where in the reference to sample; its own pixels by default.

    Returns
    -------
    warped : uint8 (h, w, 3)
        Black where there is no data.
    footprint : bool (h, w)
        Where the moving photograph shows the surface: exact, not grown by interpolation.
    """
    if grid is None:
        grid = Grid(0.0, 0.0, 1.0, reference_shape[1], reference_shape[0])
    mapped = dense_map(transform, grid)
    height, width = moving_image.shape[:2]
    with np.errstate(invalid="ignore"):
        inside = (mapped >= 0.0) & (mapped <= [width - 1, height - 1])
    footprint: BoolArray = np.asarray(inside.all(axis=2))
    safe = np.where(footprint[..., None], mapped, 0.0).astype(np.float32)
    warped = cv2.remap(
        moving_image, safe[..., 0], safe[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    warped[~footprint] = 0
    return np.asarray(warped, np.uint8), footprint


def dense_map(transform: SurfaceTransform, grid: Grid) -> FloatArray:
    """Moving points (h, w, 2) of all pixels of `grid`; NaN where the surface isn't visible.

    Exact at every `_CELL`-th pixel and bilinear between; cells at the border of visibility are
    exact at every pixel.
    """
    rows = np.arange(0, grid.height + _CELL, _CELL)
    columns = np.arange(0, grid.width + _CELL, _CELL)
    u, v = np.meshgrid(columns, rows)
    knots = grid.to_photograph(np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float64))
    coarse = transform.map_points(knots).reshape(len(rows), len(columns), 2)
    known = np.isfinite(coarse[..., 0])
    corners = known[:-1, :-1].astype(int) + known[1:, :-1] + known[:-1, 1:] + known[1:, 1:]
    dense = _bilinear(coarse)[: grid.height, : grid.width]
    mixed = np.repeat(np.repeat((corners > 0) & (corners < 4), _CELL, 0), _CELL, 1)
    y, x = np.nonzero(mixed[: grid.height, : grid.width])
    exact = transform.map_points(grid.to_photograph(np.stack([x, y], axis=1).astype(np.float64)))
    dense[y, x] = exact
    return dense


def _bilinear(coarse: FloatArray) -> FloatArray:
    """Knots (n, m, 2) interpolated to pixels ((n-1) * cell, (m-1) * cell, 2); NaN spreads."""
    t = np.arange(_CELL) / _CELL
    low, high = coarse[:-1, None], coarse[1:, None]
    tall = (low * (1 - t)[None, :, None, None] + high * t[None, :, None, None]).reshape(
        -1, coarse.shape[1], 2
    )
    left, right = tall[:, :-1, None], tall[:, 1:, None]
    wide = left * (1 - t)[None, None, :, None] + right * t[None, None, :, None]
    return np.asarray(wide.reshape(len(tall), -1, 2))
