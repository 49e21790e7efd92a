"""Perturbed copies of a picture: what the same head might have looked like in the same minute."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from scalptrack.records import ImageArray

EXPOSURE_EV = 0.3
WHITE_BALANCE = 0.08
"""Sizes of the photometric perturbation: what one phone varies by from shot to shot."""

_RECIPES: tuple[tuple[float, float, float, float], ...] = (
    # exposure (EV), red gain, blue gain, blur sigma (grid pixels)
    (-EXPOSURE_EV, 1.0, 1.0, 0.0),
    (EXPOSURE_EV, 1.0, 1.0, 0.0),
    (0.0, 1.0 + WHITE_BALANCE, 1.0 - WHITE_BALANCE, 0.0),
    (0.0, 1.0 - WHITE_BALANCE, 1.0 + WHITE_BALANCE, 0.5),
    (0.0, 1.0, 1.0, 0.7),
    (-EXPOSURE_EV / 2, 1.0 - WHITE_BALANCE / 2, 1.0, 0.35),
    (EXPOSURE_EV / 2, 1.0, 1.0 - WHITE_BALANCE / 2, 0.35),
)


def perturbed_copies(picture: ImageArray, count: int) -> Iterator[ImageArray]:
    """Copies of a picture under other exposure, white balance and sharpness.

    The recipes are fixed, so that a rerun gives the same numbers.

    Parameters
    ----------
    picture : uint8 (H, W, 3)
        RGB picture.
    count : int
        How many copies, at most 7.

    Yields
    ------
    uint8 (H, W, 3)
    """
    for exposure_ev, red, blue, sigma in _RECIPES[:count]:
        gains = np.float32(2.0**exposure_ev) * np.array([red, 1.0, blue], dtype=np.float32)
        linear = (picture.astype(np.float32) / 255) ** np.float32(2.2) * gains
        encoded = np.clip(linear, 0, 1) ** np.float32(1 / 2.2) * 255
        smooth = cv2.GaussianBlur(encoded, (0, 0), sigma) if sigma > 0 else encoded
        yield np.clip(smooth + 0.5, 0, 255).astype(np.uint8)
