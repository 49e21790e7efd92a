"""How blurred the scalp is: the standard deviation of the blur, in percent of the head's width.

An edge that was blurred with a standard deviation sigma is blurred twice more, with s1 and s2.
Its gradient then falls by R = sqrt((sigma² + s2²) / (sigma² + s1²)), which tells sigma whatever the
contrast of the edge. Noise adds the same power everywhere: it is measured where the region is
smoothest, and subtracted. Only the strongest structures count, and of them the sharpest, so that
soft shading doesn't matter; each direction is judged for itself, because a shaken photograph is
blurred in one direction only. Exact for edges; dense strands, which have finer detail than an edge,
are taken for up to a third sharper than they are, soft borders for less sharp (0.5 at most was
measured on sharp photographs).

References
----------
S. Zhuo and T. Sim, "Defocus map estimation from a single image", Pattern Recognition 44, 2011,
doi:10.1016/j.patcog.2011.03.009 (the re-blurred gradient ratio of an edge).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.quality.subject import Subject, luma
from scalptrack.records import BoolArray, ImageArray

FIRST_BLUR, SECOND_BLUR = 1.5 / 400, 3.0 / 400
"""Standard deviations of the two re-blurs, in head widths."""

STRONGEST_PERCENTILE = 90
"""Gradients above it count as structure."""

SMOOTHEST_PERCENTILE = 10
"""Neighbourhoods below it show nothing but noise."""

SHARPEST_PERCENTILE = 90
"""Of the structures, how sharp one of the sharpest is."""

DIRECTIONS = 4
LARGEST_PERCENT = 9.0
"""What is reported when there is no structure that could be sharp."""

BARE_HAIR_SHARE = 0.15
"""Below this share of hair the scalp may be smooth: then the outline of the head counts too."""

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Blur:
    """Blur across its strongest and its weakest direction, in percent of the head's width."""

    strongest_percent: float
    weakest_percent: float


def measure_blur(subject: Subject) -> Blur:
    """Blur of the scalp, or of the whole picture when there is no head.

    A bald scalp may have no structure of its own, so that the outline of the head is looked at as
    well and the sharper of the two decides.
    """
    inner = cv2.erode(subject.scalp.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    blur = blur_in(subject.picture, np.asarray(inner), head_px=subject.head_px)
    if subject.found and _hair_share(subject) < BARE_HAIR_SHARE:
        outline = blur_in(subject.picture, _outline(subject), head_px=subject.head_px)
        blur = min(blur, outline, key=lambda each: each.strongest_percent)
    return blur


def blur_in(picture: ImageArray, region: BoolArray, *, head_px: float) -> Blur:
    """Blur of a region of a picture (h, w, 3) in which the head is ``head_px`` wide."""
    if not region.any():
        return Blur(LARGEST_PERCENT, LARGEST_PERCENT)
    grey = luma(picture)
    first = _gradient(grey, FIRST_BLUR * head_px)
    second = _gradient(grey, SECOND_BLUR * head_px)
    percents = []
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        powers = [np.square(x * cosine + y * sine) for x, y in (first, second)]
        ratio = _power_ratio(powers[0], powers[1], region, head_px)
        percents.append(_sigma_percent(ratio))
    return Blur(max(percents), min(percents))


def _gradient(grey: Plane, sigma_px: float) -> tuple[Plane, Plane]:
    """Derivatives along x and y of a blurred picture."""
    soft = cv2.GaussianBlur(grey, (0, 0), max(sigma_px, 0.3))
    return (
        np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=1)),
        np.asarray(cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=1)),
    )


def _power_ratio(first: Plane, second: Plane, region: BoolArray, head_px: float) -> float:
    """Ratio R² of gradient powers of sharp structures, free of noise; 1 when there are none."""
    around = int(0.06 * head_px) | 1
    noise = [
        float(np.percentile(cv2.blur(power, (around, around))[region], SMOOTHEST_PERCENTILE))
        for power in (first, second)
    ]
    limit = float(np.percentile(second[region], STRONGEST_PERCENTILE))
    structure = region & (second >= limit)
    near = max(3, int(0.03 * head_px) | 1)
    share = cv2.blur(structure.astype(np.float32), (near, near))[structure]
    sums = [
        cv2.blur(power * structure, (near, near))[structure] - level * share
        for power, level in zip((first, second), noise, strict=True)
    ]
    counts = sums[1] > 0.2 * limit * share
    if limit <= 0 or np.count_nonzero(counts) < 20:
        return 1.0
    return float(np.percentile(sums[0][counts] / sums[1][counts], SHARPEST_PERCENTILE))


def _sigma_percent(ratio: float) -> float:
    """Blur that gives a ratio R² of gradient powers, in percent of the head's width."""
    if ratio <= 1:
        return LARGEST_PERCENT
    variance = (SECOND_BLUR**2 - ratio * FIRST_BLUR**2) / (ratio - 1)
    return float(min(100 * np.sqrt(max(variance, 0.0)), LARGEST_PERCENT))


def _hair_share(subject: Subject) -> float:
    """Share of the scalp that is mostly hair."""
    return int(subject.hair.sum()) / max(1, int(subject.scalp.sum()))


def _outline(subject: Subject) -> BoolArray:
    """Band along the edge of the head."""
    side = max(3, int(0.04 * subject.head_px) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(
        cv2.morphologyEx(subject.head.astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0
    )
