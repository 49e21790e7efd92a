"""Square crops of a photograph at the network's size, and the way back to the photograph."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, Grid, ImageArray

INPUT_PX = 320
"""Side of the network's square input and of the maps; the exported file is made for this size."""

FINER_PX = 512
"""Side of the picture in which hair is told from skin, where the photograph has the pixels: strands
that blur into grey at `INPUT_PX` can be seen there."""

FINER_FROM_PX, FINER_UP_TO_PX = 560, 750
"""Photograph pixels along a crop between which that side grows from INPUT_PX to FINER_PX: enlarged
or blurred pictures show strands where there are none. Set on 125 pictures that are in no training
and in no other table, with a script that is not kept; lab/benchmarks/finer.py, partly on the same
people, agrees. What it gains is in the change between photographs (see the model card): of a
level the error is no smaller."""

_MULTIPLE = 32

BEYOND = (114, 114, 114)
"""Grey that stands for what lies beyond the frame, as in training (lab/training)."""

MIN_SIDE_PX = 64


@dataclass(frozen=True, slots=True)
class Crop:
    """A square of the photograph, in whole photograph pixels; it may reach past the frame."""

    left_px: int
    top_px: int
    side_px: int

    def zoomed(self, zoom: float) -> Crop:
        """A crop around the same centre in which everything is larger by a factor."""
        side = round(self.side_px / zoom)
        shift = (self.side_px - side) // 2
        return Crop(self.left_px + shift, self.top_px + shift, side)

    def holds(self, shape: tuple[int, ...]) -> bool:
        """True when nothing of a photograph of this (H, W) lies outside."""
        return bool(
            self.left_px <= 0
            and self.top_px <= 0
            and self.left_px + self.side_px >= shape[1]
            and self.top_px + self.side_px >= shape[0]
        )

    def grid(self) -> Grid:
        """Where the network's pixels lie in the photograph."""
        step = self.side_px / INPUT_PX
        half = (step - 1) / 2
        return Grid(self.left_px + half, self.top_px + half, step, INPUT_PX, INPUT_PX)


def whole_crop(shape: tuple[int, ...]) -> Crop:
    """The square around all of a photograph of this (H, W)."""
    side = max(shape[:2])
    return Crop((shape[1] - side) // 2, (shape[0] - side) // 2, side)


def cut(image: ImageArray, crop: Crop) -> ImageArray:
    """Pixels of a crop, (side, side, 3); beyond the frame they are grey."""
    height, width = image.shape[:2]
    left, top = max(crop.left_px, 0), max(crop.top_px, 0)
    right = min(crop.left_px + crop.side_px, width)
    bottom = min(crop.top_px + crop.side_px, height)
    padded = cv2.copyMakeBorder(
        image[top:bottom, left:right],
        top - crop.top_px,
        crop.top_px + crop.side_px - bottom,
        left - crop.left_px,
        crop.left_px + crop.side_px - right,
        cv2.BORDER_CONSTANT,
        value=BEYOND,
    )
    return np.asarray(padded, dtype=np.uint8)


def finer_side(crop: Crop) -> int:
    """Side of the picture in which hair is told from skin; INPUT_PX where no finer one helps."""
    wanted = np.interp(crop.side_px, (FINER_FROM_PX, FINER_UP_TO_PX), (INPUT_PX, FINER_PX))
    return _MULTIPLE * round(float(wanted) / _MULTIPLE)


def shrunk(full: ImageArray, side: int = INPUT_PX) -> ImageArray:
    """Area-averaged (side, side, 3) picture of a crop."""
    interpolation = cv2.INTER_AREA if len(full) > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(full, (side, side), interpolation=interpolation), dtype=np.uint8)


def averaged(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Maps (K, S, S) of a finer picture, averaged over the area of the grid's pixels."""
    side = (INPUT_PX, INPUT_PX)
    if maps.shape[1:] == side:
        return maps
    smaller = [cv2.resize(each, side, interpolation=cv2.INTER_AREA) for each in maps]
    return np.asarray(smaller, dtype=np.float32)


def resampled(maps: NDArray[np.float32], grid: Grid, wanted: Grid) -> NDArray[np.float32]:
    """Maps (K, H, W) on one grid of the photograph, bilinear on another; repeated past borders."""
    scale = wanted.step_px / grid.step_px
    x, y = (wanted.x0_px - grid.x0_px) / grid.step_px, (wanted.y0_px - grid.y0_px) / grid.step_px
    matrix = np.array([[scale, 0, x], [0, scale, y]], dtype=np.float64)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (wanted.width, wanted.height)
    moved = [
        cv2.warpAffine(
            np.ascontiguousarray(each), matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE
        )
        for each in maps
    ]
    return np.asarray(moved, dtype=np.float32)


def inside_frame(shape: tuple[int, ...], crop: Crop) -> BoolArray:
    """Grid pixels whose centre lies in the photograph."""
    grid = crop.grid()
    x = grid.x0_px + np.arange(INPUT_PX) * grid.step_px
    y = grid.y0_px + np.arange(INPUT_PX) * grid.step_px
    columns = (x >= -0.5) & (x <= shape[1] - 0.5)
    rows = (y >= -0.5) & (y <= shape[0] - 0.5)
    return np.asarray(rows[:, np.newaxis] & columns[np.newaxis, :])


def crop_around(scalp: BoolArray, crop: Crop, share: float) -> Crop:
    """Crop of which the scalp, seen in another crop, fills a share of the side."""
    rows, columns = np.nonzero(scalp)
    if not len(rows):
        return crop
    # Robust extent: a few stray pixels must not decide the scale of the measurement.
    x_low, x_high = np.percentile(columns, [0.5, 99.5])
    y_low, y_high = np.percentile(rows, [0.5, 99.5])
    step = crop.side_px / INPUT_PX
    side = max(x_high - x_low + 1, y_high - y_low + 1) * step / share
    side_px = max(round(float(side)), MIN_SIDE_PX)
    centre_x = crop.left_px + (x_low + x_high + 1) / 2 * step
    centre_y = crop.top_px + (y_low + y_high + 1) / 2 * step
    left_px, top_px = round(float(centre_x - side_px / 2)), round(float(centre_y - side_px / 2))
    return Crop(left_px, top_px, side_px)


def nearly_equal(first: Crop, second: Crop) -> bool:
    """True when another look through the second crop would not change what is seen."""
    tolerance = 0.06 * second.side_px
    return (
        abs(first.side_px - second.side_px) < tolerance
        and abs(first.left_px - second.left_px) < tolerance
        and abs(first.top_px - second.top_px) < tolerance
    )
