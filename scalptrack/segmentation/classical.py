"""The classical method, complete: an independent second opinion that needs no learned model."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, Grid, ImageArray, RegionClass, Segmentation
from scalptrack.segmentation.classical_hair import (
    CONFIDENCE_NOTES,
    METHOD,
    ClassicalHair,
    hair_fraction_classical,
)
from scalptrack.segmentation.classical_head import FoundHead, find_head
from scalptrack.segmentation.perturb import RECIPES, perturbed

__all__ = [
    "CONFIDENCE_NOTES", "HEAD_WIDTH_PX", "METHOD", "ClassicalHair", "ClassicalSegmenter",
    "hair_fraction_classical", "segment_classical",
]  # fmt: skip

HEAD_WIDTH_PX = 450
"""Width of the head on the grid: the scale for which the filters are made."""

MARGIN = 1.3
"""Side of the crop per long axis of the head."""

BURNT_OUT = 250
"""8-bit level at which all three channels are taken as burnt out."""

DENSE = 0.5
"""Hair fraction from which a pixel's class is hair."""


class ClassicalSegmenter:
    """The classical method behind the interface of `protocol.Segmenter`.

    Parameters
    ----------
    seed : int
        Seeds GrabCut and the sampling of pixels.
    """

    def __init__(self, *, seed: int) -> None:
        self._seed = seed

    @property
    def method(self) -> str:
        """Name and version."""
        return METHOD

    def segment(self, image: ImageArray, *, perturbations: int = 0) -> Segmentation:
        """Segment an upright photograph; see `protocol.Segmenter.segment`."""
        return segment_classical(image, seed=self._seed, perturbations=perturbations)


def segment_classical(image: ImageArray, *, seed: int, perturbations: int = 0) -> Segmentation:
    """Find the head and its hair without a network.

    The scalp is the whole outline of the head: what is made for views from above and behind counts
    a face, where one is seen, as bare scalp. Give the region to `hair_fraction_classical` when it
    is known.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        RGB photograph.
    seed : int
        Seeds GrabCut and the sampling of pixels; the same seed gives the same answer.
    perturbations : int
        How many perturbed copies measure `Segmentation.coverage_sd_fraction`.

    Returns
    -------
    Segmentation

    Raises
    ------
    scalptrack.errors.HeadNotFoundError
        When no head stands out from the background.
    """
    head = find_head(image, seed=seed)
    grid = _grid(head)
    picture = _sampled(image, grid, cv2.INTER_AREA)
    radius = head.radius(grid.photograph_points()).reshape(grid.height, grid.width)
    inside = _inside_frame(image, grid)
    person = _person(head, grid)
    glare = _sampled(image, grid, cv2.INTER_AREA).min(axis=2) >= BURNT_OUT
    scalp = (radius < 1) & person & inside
    hair = hair_fraction_classical(picture, scalp, seed=seed)
    coverages = [hair.coverage_fraction(scalp)]
    for recipe in RECIPES[:perturbations]:
        answer = hair_fraction_classical(perturbed(picture, recipe), scalp, seed=seed)
        coverages.append(answer.coverage_fraction(scalp))
    return Segmentation(
        grid=grid,
        photograph_shape=(image.shape[0], image.shape[1]),
        hair_fraction=hair.hair_fraction,
        classes=_classes(hair.hair_fraction, scalp, person & inside),
        scalp=scalp,
        incidence_cosine=np.sqrt(np.clip(1 - radius**2, 0, 1)).astype(np.float32),
        glare=np.asarray(glare & inside),
        method=METHOD,
        coverage_sd_fraction=float(np.std(coverages, ddof=1)) if len(coverages) > 1 else 0.0,
    )


def _grid(head: FoundHead) -> Grid:
    """Grid around the head on which it is `HEAD_WIDTH_PX` wide."""
    step = head.width_px / HEAD_WIDTH_PX
    side = round(MARGIN * 2 * max(head.semi_axes) / step)
    half = (side - 1) / 2 * step
    return Grid(head.centre[0] - half, head.centre[1] - half, step, side, side)


def _sampled(image: ImageArray, grid: Grid, interpolation: int) -> ImageArray:
    """The photograph on the grid, averaged over each grid pixel when that is the larger one."""
    if grid.step_px > 1:
        shrink = 1 / grid.step_px
        size = (max(round(image.shape[1] * shrink), 1), max(round(image.shape[0] * shrink), 1))
        small = np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)
        step = np.array([image.shape[1] / size[0], image.shape[0] / size[1]])
    else:
        small, step = image, np.ones(2)
    scale = grid.step_px / step
    shift = (np.array([grid.x0_px, grid.y0_px]) + 0.5) / step - 0.5
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (grid.width, grid.height)
    return np.asarray(
        cv2.warpAffine(small, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _inside_frame(image: ImageArray, grid: Grid) -> BoolArray:
    """Grid pixels whose centre lies in the photograph."""
    x = grid.x0_px + np.arange(grid.width) * grid.step_px
    y = grid.y0_px + np.arange(grid.height) * grid.step_px
    columns = (x >= -0.5) & (x <= image.shape[1] - 0.5)
    rows = (y >= -0.5) & (y <= image.shape[0] - 0.5)
    return np.asarray(rows[:, np.newaxis] & columns)


def _person(head: FoundHead, grid: Grid) -> BoolArray:
    """What is not background, on the grid."""
    points = (grid.photograph_points() + 0.5) / head.scale - 0.5
    columns = np.clip(np.rint(points[:, 0]).astype(int), 0, head.foreground.shape[1] - 1)
    rows = np.clip(np.rint(points[:, 1]).astype(int), 0, head.foreground.shape[0] - 1)
    return np.asarray(head.foreground[rows, columns].reshape(grid.height, grid.width))


def _classes(
    fraction: NDArray[np.float32], scalp: BoolArray, person: BoolArray
) -> NDArray[np.uint8]:
    """Codes of `RegionClass`; what is of the person and not of the head is called an object."""
    classes = np.full(fraction.shape, RegionClass.BACKGROUND, np.uint8)
    classes[person] = RegionClass.OBJECT
    classes[scalp] = RegionClass.SCALP_SKIN
    classes[scalp & (fraction >= DENSE)] = RegionClass.HAIR
    return classes
