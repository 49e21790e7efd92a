"""Take the hair out of a picture, so that what is left moves with the skull.

Hair is masked (the segmentation's hair fraction, and thin dark or bright lines that it misses),
what lies between is filled by a normalised Gaussian, and illumination and contrast are flattened
with the same weights [1]_.

References
----------
.. [1] H. Knutsson, C.-F. Westin, "Normalized and differential convolution", CVPR 1993,
   doi:10.1109/CVPR.1993.341081.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, ImageArray

Float32 = NDArray[np.float32]

LINE_KERNEL_PX = 7
"""Structures narrower than this at the working scale are candidates for single strands."""

HAIR_SLOPE, _NEIGHBOURHOOD_PX = 1.2, 4.0
"""Bare skin = 1 - slope * hair fraction, times what it is relative to its neighbourhood: where the
segmentation resolves strands only the skin between them counts, and where it sees a haze of short
hair that still counts. With (1 - 1.6 * fraction)² instead, 1 of 7 genuine pairs segmented by the
network was lost; without the neighbourhood a pair with sharply drawn strands was."""

_FILL_SIGMAS_PX = (1.2, 3.0, 7.0)


def skin_weight(
    grey: Float32, hair_fraction: Float32, head: BoolArray, *, line_gain: float = 1.0
) -> Float32:
    """Confidence (H, W) in [0, 1] that a pixel shows bare skin of the head.

    Parameters
    ----------
    grey : float32 (H, W)
        Brightness, 0 to 255.
    hair_fraction : float32 (H, W)
        Fraction of the pixel that is hair.
    head : bool (H, W)
        Pixels of the head that may be used.
    line_gain : float
        How strongly thin lines lower the confidence.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (LINE_KERNEL_PX, LINE_KERNEL_PX))
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.7)
    dark = cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, kernel)
    bright = cv2.morphologyEx(smooth, cv2.MORPH_TOPHAT, kernel)
    lines = np.maximum(dark, bright)
    level = float(np.median(lines[head])) if head.any() else 1.0
    doubt = np.clip(lines / (4.0 * max(level, 1.0)) - 0.5, 0.0, 1.0) * line_gain
    bare = np.clip(1.0 - HAIR_SLOPE * hair_fraction, 0.0, 1.0)
    inside = head.astype(np.float32)
    mass = np.maximum(cv2.GaussianBlur(inside, (0, 0), _NEIGHBOURHOOD_PX), 1e-3)
    around = cv2.GaussianBlur(bare * inside, (0, 0), _NEIGHBOURHOOD_PX) / mass
    bare = np.clip(bare * bare / np.maximum(around, 0.05), 0.0, 1.0)
    weight = bare * (1.0 - doubt)
    return np.asarray(np.where(head, weight, 0.0), dtype=np.float32)


def fill(values: Float32, weight: Float32) -> tuple[Float32, Float32]:
    """Normalised Gaussian fill from fine to coarse.

    Returns
    -------
    filled, support : float32 (H, W)
        The picture without what has no weight, and the mean weight around each pixel.
    """
    filled = np.zeros_like(values)
    remaining = np.ones_like(values)
    support = cv2.GaussianBlur(weight, (0, 0), _FILL_SIGMAS_PX[1])
    for sigma in _FILL_SIGMAS_PX:
        mass = cv2.GaussianBlur(weight, (0, 0), sigma)
        mean = cv2.GaussianBlur(values * weight, (0, 0), sigma) / np.maximum(mass, 1e-4)
        trust = np.clip(mass / 0.25, 0.0, 1.0) * remaining
        filled += trust * mean
        remaining -= trust
    mass = cv2.GaussianBlur(weight, (0, 0), 20.0)
    mean = cv2.GaussianBlur(values * weight, (0, 0), 20.0) / np.maximum(mass, 1e-4)
    filled += remaining * mean
    return np.asarray(filled, np.float32), np.asarray(support, np.float32)


def flatten(values: Float32, weight: Float32, *, sigma_px: float = 14.0) -> Float32:
    """Remove illumination and equalise local contrast, seeing only weighted pixels.

    Returns
    -------
    float32 (H, W)
        Zero mean, about unit local standard deviation; 0 where nothing is known.
    """
    mass = cv2.GaussianBlur(weight, (0, 0), sigma_px)
    safe = np.maximum(mass, 1e-3)
    mean = cv2.GaussianBlur(values * weight, (0, 0), sigma_px) / safe
    detail = values - mean
    power = cv2.GaussianBlur(detail**2 * weight, (0, 0), 2.0 * sigma_px)
    power = power / np.maximum(cv2.GaussianBlur(weight, (0, 0), 2.0 * sigma_px), 1e-3)
    floor = 0.3 * float(np.sqrt(np.median(power[weight > 0.3]))) if (weight > 0.3).any() else 1.0
    flat = detail / np.sqrt(power + floor**2 + 1e-6)
    return np.asarray(np.where(mass > 0.02, flat, 0.0), dtype=np.float32)


def to_bytes(flat: Float32) -> ImageArray:
    """Picture (H, W) of 8 bits from a flattened one: grey 128, 36 levels per deviation."""
    return np.asarray(np.clip(128.0 + 36.0 * flat, 0, 255), dtype=np.uint8)
