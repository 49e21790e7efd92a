"""The part of a photograph that is judged: the head and its scalp, at a fixed scale.

All checks look at a copy of the photograph in which the head is `HEAD_PX` wide, so that the same
blur, the same light and the same noise give the same numbers whatever the camera's resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, FloatArray, ImageArray, RegionClass, Segmentation

HEAD_PX = 400
"""Width of the head in the copy; a smaller head is not enlarged.

Wider than the 288 px at which hair is segmented: what is finer than this doesn't decide anything.
"""

HEAD_SHARE_UNKNOWN = 0.6
"""Share of the shorter side that a head fills when none was found: framing as the guide asks."""

HEAD_CLASSES = (RegionClass.SCALP_SKIN, RegionClass.HAIR, RegionClass.OTHER_SKIN)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What the checks look at.

    Attributes
    ----------
    picture : uint8 (h, w, 3)
        The photograph, reduced so that the head is at most `HEAD_PX` wide.
    scale : float
        Pixels of the picture per pixel of the photograph.
    head_px : float
        Width of the head in the picture.
    scalp, head : bool (h, w)
        Scalp, and everything that belongs to the head; the whole picture when no head was found.
    skin, hair : bool (h, w)
        Pixels of the scalp that are mostly skin, and mostly hair; nothing when no head was found.
    found : bool
        Whether there is a head.
    """

    picture: ImageArray
    scale: float
    head_px: float
    scalp: BoolArray
    head: BoolArray
    skin: BoolArray
    hair: BoolArray
    found: bool


def subject_of(image: ImageArray, segmentation: Segmentation | None) -> Subject:
    """Reduce a photograph (H, W, 3) to the scale of its head, with the masks that go with it."""
    found = segmentation is not None and bool(segmentation.scalp.any())
    width_px = head_width_px(segmentation) if found and segmentation is not None else 0.0
    if width_px <= 0:
        found, width_px = False, HEAD_SHARE_UNKNOWN * min(image.shape[:2])
    scale = min(1.0, HEAD_PX / width_px)
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    picture = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    shape = (picture.shape[0], picture.shape[1])
    if not found or segmentation is None:
        every, none = np.ones(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
        return Subject(
            np.asarray(picture), scale, width_px * scale, every, every, none, none, found
        )
    scalp = _resampled(segmentation.scalp, segmentation, shape)
    hair = _resampled(segmentation.hair_fraction >= 0.5, segmentation, shape) & scalp
    skin = _resampled(segmentation.hair_fraction < 0.2, segmentation, shape) & scalp
    head = _resampled(head_mask(segmentation), segmentation, shape) | scalp
    return Subject(np.asarray(picture), scale, width_px * scale, scalp, head, skin, hair, found)


def head_mask(segmentation: Segmentation) -> BoolArray:
    """Head on the segmentation's grid: hair and skin that hang together with the scalp."""
    belongs = np.isin(segmentation.classes, HEAD_CLASSES) | segmentation.scalp
    _, labels = cv2.connectedComponents(belongs.astype(np.uint8))
    counts = np.bincount(labels[segmentation.scalp], minlength=2)
    counts[0] = 0
    return np.asarray(labels == int(np.argmax(counts)))


def head_width_px(segmentation: Segmentation) -> float:
    """Width of the head in pixels of the photograph: the short side of its tightest rectangle.

    Ears and hair count: a fifth more than the width of the skull on rendered heads.
    """
    points = cv2.findNonZero(head_mask(segmentation).astype(np.uint8))
    if points is None:
        return 0.0
    _, (first, second), _ = cv2.minAreaRect(points)
    return (min(first, second) + 1) * segmentation.grid.step_px


def luma(picture: ImageArray) -> NDArray[np.float32]:
    """Brightness (h, w) of an RGB picture on its own 8-bit scale."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.float32)


def linear_light(picture: ImageArray) -> FloatArray:
    """Light (h, w) that fell on the sensor, 0 to 1, from sRGB levels."""
    return np.asarray(np.power(luma(picture) / 255.0, 2.2), dtype=np.float64)


def _resampled(mask: BoolArray, segmentation: Segmentation, shape: tuple[int, int]) -> BoolArray:
    """A mask of the segmentation's grid at the pixels of the reduced picture."""
    grid = segmentation.grid
    height, width = segmentation.photograph_shape
    x = (np.arange(shape[1]) + 0.5) * width / shape[1] - 0.5
    y = (np.arange(shape[0]) + 0.5) * height / shape[0] - 0.5
    u = np.rint((x - grid.x0_px) / grid.step_px).astype(int)
    v = np.rint((y - grid.y0_px) / grid.step_px).astype(int)
    inside = ((v >= 0) & (v < grid.height))[:, np.newaxis] & ((u >= 0) & (u < grid.width))
    picked = mask[np.ix_(v.clip(0, grid.height - 1), u.clip(0, grid.width - 1))]
    return np.asarray(picked & inside)
