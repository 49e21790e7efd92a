"""Perturbed copies of a picture: what the same head might have looked like in the same minute."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from scalptrack.records import ImageArray

EXPOSURE_EV = 0.3
WHITE_BALANCE = 0.08
"""Sizes of the photometric perturbation: what one phone varies by from shot to shot."""

NEARER = 1.12
"""By how much the head is larger or smaller in some copies: another distance, another look."""

GAMMA = 2.2


@dataclass(frozen=True, slots=True)
class Recipe:
    """One perturbation.

    Attributes
    ----------
    exposure_ev : float
        Added exposure.
    red, blue : float
        Gains of the white balance, in linear light.
    blur_px : float
        Standard deviation of a Gaussian in pixels of the picture.
    zoom : float
        Size of the head relative to the picture's; the caller applies it.
    """

    exposure_ev: float = 0.0
    red: float = 1.0
    blue: float = 1.0
    blur_px: float = 0.0
    zoom: float = 1.0


RECIPES = (
    Recipe(-EXPOSURE_EV, zoom=NEARER),
    Recipe(EXPOSURE_EV, zoom=1 / NEARER),
    Recipe(0.0, 1 + WHITE_BALANCE, 1 - WHITE_BALANCE, zoom=1 / NEARER),
    Recipe(0.0, 1 - WHITE_BALANCE, 1 + WHITE_BALANCE, 0.5, zoom=NEARER),
    Recipe(0.0, 1.0, 1.0, 0.7),
    Recipe(-EXPOSURE_EV / 2, 1 - WHITE_BALANCE / 2, 1.0, 0.35),
    Recipe(EXPOSURE_EV / 2, 1.0, 1 - WHITE_BALANCE / 2, 0.35),
)
"""Fixed, so that a rerun gives the same numbers."""


def perturbed(picture: ImageArray, recipe: Recipe) -> ImageArray:
    """A picture under another exposure, white balance and sharpness.

    Parameters
    ----------
    picture : uint8 (H, W, 3)
        RGB picture.
    recipe : Recipe
        What to change.

    Returns
    -------
    uint8 (H, W, 3)
    """
    gains = np.array([recipe.red, 1.0, recipe.blue], dtype=np.float32)
    gains *= np.float32(2.0**recipe.exposure_ev)
    linear = (picture.astype(np.float32) / 255) ** np.float32(GAMMA) * gains
    encoded = np.clip(linear, 0, 1) ** np.float32(1 / GAMMA) * 255
    blurred = cv2.GaussianBlur(encoded, (0, 0), recipe.blur_px) if recipe.blur_px > 0 else encoded
    return np.clip(blurred + 0.5, 0, 255).astype(np.uint8)
