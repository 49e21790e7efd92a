"""Visible hair coverage of one region of the scalp, carried to every photograph as geometry.

The region is defined once, on the reference photograph's grid. Each photograph is measured on its
own grid: a grid pixel belongs to the region when its point, carried back to the reference through
the surface of the head, lies inside. Hair fractions are never warped.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scalptrack.records import (
    BoolArray,
    FloatArray,
    Grid,
    Measurement,
    RegionClass,
    Segmentation,
    SurfaceTransform,
)

MIN_REGION_PX = 400
"""Grid pixels below which a coverage says nothing (about 2 % of a head's area on the grid)."""

RESAMPLED_BAND_PX = 12
"""Grid pixels on both sides of the region's border that are carried anew through each resampled
transform: an accepted registration moves them by one or two, and the rest stays what it is."""

ROUGH_BAND_PX = 80
"""The same for an alignment by outline or by hand: a turn of 15 degrees (three times what is
assumed) moves the middle of a head, 216 grid pixels wide, by 28."""

EDGE_MARGIN_PX = 2
"""Grid pixels by which the region keeps away from the border of what is visible: a mixed pixel at
the outline belongs to nobody."""


def scalp_region(segmentation: Segmentation, *, max_incidence_deg: float) -> BoolArray:
    """Scalp of one photograph that can be measured: seen at less than the angle, no glare.

    Parameters
    ----------
    segmentation : Segmentation
        Of the photograph.
    max_incidence_deg : float
        Largest angle between the scalp's normal and the line of sight.

    Returns
    -------
    bool (H, W)
        On the segmentation's grid.
    """
    facing = segmentation.incidence_cosine >= np.cos(np.deg2rad(max_incidence_deg))
    return np.asarray(segmentation.scalp & facing & ~segmentation.glare)


def co_visible_region(
    reference: Segmentation,
    others: Sequence[tuple[SurfaceTransform, Segmentation]],
    *,
    max_incidence_deg: float,
    drawn: BoolArray | None = None,
) -> BoolArray:
    """Part of the reference's scalp that every compared photograph shows.

    What a person drew is scalp, whatever the segmentation takes its skin for: only the angle,
    glare, objects, the background and what a photograph doesn't show are taken out of it.

    Parameters
    ----------
    reference : Segmentation
        Of the reference photograph.
    others : sequence of (SurfaceTransform, Segmentation)
        ``moving_from_reference`` and the segmentation of each registered photograph.
    max_incidence_deg : float
        Largest incidence angle in any of the photographs.
    drawn : bool (H, W) or None
        Region that a person drew, on the reference's grid; None takes all of the scalp.

    Returns
    -------
    bool (H, W)
        On the reference's grid.
    """
    if drawn is None:
        region = scalp_region(reference, max_incidence_deg=max_incidence_deg)
        blocking: tuple[RegionClass, ...] = (*_HIDING, RegionClass.OTHER_SKIN)
    else:
        # A rim around it: what lies just outside decides where its border is seen.
        region = ndimage.binary_dilation(drawn, iterations=EDGE_MARGIN_PX + 1)
        region &= reference.incidence_cosine >= np.cos(np.deg2rad(max_incidence_deg))
        region &= _usable(reference, _HIDING)
        blocking = _HIDING
    rows, columns = np.nonzero(region)
    points = reference.grid.to_photograph(np.stack([columns, rows], axis=1).astype(np.float64))
    seen = np.ones(len(points), dtype=bool)
    smallest_cosine = np.cos(np.deg2rad(max_incidence_deg))
    for transform, segmentation in others:
        with np.errstate(invalid="ignore"):
            facing = transform.incidence_cosine(points) >= smallest_cosine
        usable = _usable(segmentation, blocking)
        seen &= facing & _sample_mask(usable, segmentation.grid, transform.map_points(points))
    region[rows, columns] = seen
    if drawn is not None:
        outside = ~ndimage.binary_dilation(drawn, iterations=EDGE_MARGIN_PX + 1)
        return np.asarray(_eroded(region | outside) & drawn)
    return _without_specks(region)


_HIDING = (RegionClass.BACKGROUND, RegionClass.OBJECT)


def _usable(segmentation: Segmentation, blocking: Sequence[RegionClass]) -> BoolArray:
    """Grid pixels (H, W) without glare that are scalp, or at least nothing that blocks it."""
    blocked = np.isin(segmentation.classes, blocking)
    return np.asarray(~segmentation.glare & ~(blocked & ~segmentation.scalp))


def _sample_mask(mask: BoolArray, grid: Grid, points: FloatArray) -> BoolArray:
    """Value of the mask at the nearest grid pixel; False outside the grid and for NaN points."""
    at = np.floor(np.nan_to_num(grid.from_photograph(points), nan=-1.0) + 0.5).astype(int)
    inside = (at >= 0).all(axis=1) & (at[:, 0] < grid.width) & (at[:, 1] < grid.height)
    result = np.zeros(len(points), dtype=bool)
    result[inside] = mask[at[inside, 1], at[inside, 0]]
    return result


def _eroded(region: BoolArray) -> BoolArray:
    """The region without its thin border."""
    kernel = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * EDGE_MARGIN_PX + 1, 2 * EDGE_MARGIN_PX + 1)
    )
    padded = np.pad(region.astype(np.uint8), 1)
    return np.asarray(cv2.erode(padded, kernel)[1:-1, 1:-1] > 0)


def _without_specks(region: BoolArray) -> BoolArray:
    """The region without its thin border and without islands too small to be seen."""
    eroded = _eroded(region)
    labels, count = ndimage.label(eroded)
    if count < 2:
        return np.asarray(eroded)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(sizes[labels] >= max(MIN_REGION_PX // 10, int(0.02 * sizes.max())))


def signed_distance(region: BoolArray) -> NDArray[np.float32]:
    """Distance in grid pixels to the region's border, positive inside.

    Sampled bilinearly it carries the border with sub-pixel precision, where a sampled mask would
    grow or shrink.
    """
    inside = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    outside = ndimage.distance_transform_edt(~np.pad(region, 1))[1:-1, 1:-1]
    return np.asarray(np.where(region, inside - 0.5, 0.5 - outside), dtype=np.float32)


def carry_region(
    region: BoolArray,
    reference_grid: Grid,
    segmentation: Segmentation,
    transform: SurfaceTransform | None,
) -> NDArray[np.float32]:
    """The region in a moving photograph, on that photograph's own grid, with sub-pixel borders.

    Parameters
    ----------
    region : bool (H, W)
        On the reference's grid.
    reference_grid : Grid
        Of the region.
    segmentation : Segmentation
        Of the moving photograph.
    transform : SurfaceTransform or None
        ``moving_from_reference``; None for the reference itself.

    Returns
    -------
    float32 (h, w)
        Share of each pixel of the moving segmentation's grid that lies in the region, 0 to 1;
        0 where glare or an object hides it.
    """
    distance = _carried_distance(
        signed_distance(region), reference_grid, segmentation, transform, _measurable(segmentation)
    )
    return _weights(distance)


def _measurable(segmentation: Segmentation) -> BoolArray:
    """Grid pixels (H, W) that neither glare nor an object hides."""
    bare = (segmentation.classes != RegionClass.OBJECT) | segmentation.scalp
    return np.asarray(bare & ~segmentation.glare)


def _carried_distance(
    distance_to_border: NDArray[np.float32],
    reference_grid: Grid,
    segmentation: Segmentation,
    transform: SurfaceTransform | None,
    wanted: BoolArray,
) -> FloatArray:
    """Signed distance (H, W) to the region's border, far outside where it isn't `wanted`."""
    points = segmentation.grid.photograph_points()[wanted.ravel()]
    at = points if transform is None else transform.inverse_points(points)
    found = np.full(wanted.shape, -np.inf)
    found[wanted] = _distance_at(distance_to_border, reference_grid, at)
    return found


def _weights(distance: FloatArray) -> NDArray[np.float32]:
    """Share of each pixel that lies in the region.

    The ramp of one grid pixel is the area share of a pixel that a straight border cuts.
    """
    return np.asarray(np.clip(distance + 0.5, 0, 1), dtype=np.float32)


def _distance_at(distance: NDArray[np.float32], grid: Grid, points: FloatArray) -> FloatArray:
    """Bilinear samples of the signed distance; far outside for NaN points."""
    at = grid.from_photograph(points)
    at = np.where(np.isfinite(at), at, -1e6)
    return np.asarray(
        ndimage.map_coordinates(
            distance, [at[:, 1], at[:, 0]], order=1, mode="constant", cval=-1e6
        ),
        dtype=np.float64,
    )


def measure(
    segmentation: Segmentation,
    region: BoolArray,
    reference_grid: Grid,
    transform: SurfaceTransform | None,
    *,
    resampled: Sequence[SurfaceTransform] = (),
    band_px: float = RESAMPLED_BAND_PX,
) -> Measurement | None:
    """Coverage of the region in one photograph, with its components of error.

    Parameters
    ----------
    segmentation : Segmentation
        Of the photograph that is measured.
    region : bool (H, W)
        The compared region, on the reference's grid.
    reference_grid : Grid
        Of the region.
    transform : SurfaceTransform or None
        ``moving_from_reference``; None for the reference itself.
    resampled : sequence of SurfaceTransform
        What the transform might as well have been; gives the registration's component.
    band_px : float
        How far from the region's border, in grid pixels, the resampled transforms may move it.

    Returns
    -------
    Measurement or None
        None when fewer than `MIN_REGION_PX` grid pixels are left.
    """
    distance = signed_distance(region)
    carried_distance = _carried_distance(
        distance, reference_grid, segmentation, transform, _measurable(segmentation)
    )
    carried = _weights(carried_distance)
    grid_px = float(carried.sum(dtype=np.float64))
    if grid_px < MIN_REGION_PX:
        return None
    pixel_area = segmentation.grid.step_px**2
    visible_px = int(segmentation.scalp.sum())
    kept_px = float(carried[segmentation.scalp].sum(dtype=np.float64))
    return Measurement(
        hair_px=_mean(segmentation.hair_fraction, carried) * grid_px * pixel_area,
        region_px=round(grid_px * pixel_area),
        excluded_fraction=1 - kept_px / visible_px if visible_px else 1.0,
        segmentation_sd_fraction=segmentation.coverage_sd_fraction,
        registration_sd_fraction=_registration_sd(
            segmentation,
            distance,
            reference_grid,
            carried_distance,
            resampled,
            band_px=band_px,
        ),
        doubt_fraction=0.0 if segmentation.doubt is None else _mean(segmentation.doubt, carried),
    )


def _mean(values: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    """Mean under weights that aren't all zero."""
    return float(np.average(values, weights=weights.astype(np.float64)))


def _registration_sd(
    segmentation: Segmentation,
    distance: NDArray[np.float32],
    reference_grid: Grid,
    carried_distance: FloatArray,
    resampled: Sequence[SurfaceTransform],
    *,
    band_px: float,
) -> float:
    """SD of the coverage over the resampled transforms; 0 when there are fewer than two."""
    band = np.abs(carried_distance) < band_px
    weights = _weights(carried_distance)
    coverages = []
    for transform in resampled:
        again = _carried_distance(distance, reference_grid, segmentation, transform, band)
        weights[band] = _weights(again[band])
        if weights.any():
            coverages.append(_mean(segmentation.hair_fraction, weights))
    return float(np.std(coverages, ddof=1)) if len(coverages) > 1 else 0.0
