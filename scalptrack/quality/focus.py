"""How blurred the scalp is: the standard deviation of the blur, in percent of the head's width.

An edge that was blurred with a standard deviation sigma is blurred twice more, with s1 and s2.
Its gradient then falls by R = sqrt((sigma² + s2²) / (sigma² + s1²)), which tells sigma whatever the
contrast of the edge. Noise adds the same power everywhere: it is measured where the region is
smoothest, and subtracted. Only the strongest structures count, and of them the sharpest, so that
soft shading doesn't matter; each direction is judged for itself, because a shaken photograph is
blurred in one direction only. A bald scalp may have no detail of its own: then the outline of the
head counts, too, and in each direction the sharper of both decides.
Exact for edges; dense strands, which have finer detail than an edge, are taken for up to a third
sharper than they are, soft borders for less sharp (``lab/benchmarks/blur.py``).

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
from scalptrack.records import BoolArray, FloatArray, ImageArray

FINE, COARSE = (0.8 / 400, 1.6 / 400), (1.5 / 400, 3.0 / 400)
"""Standard deviations of the two re-blurs, in head widths. The fine pair tells little blur from
none, and is misled by noise where there is much; the coarse one is the other way round."""

SURE_PERCENT = 0.75
"""Blur from which the coarse pair is believed: sharp photographs measure at most 0.69 by it."""

BARE_HAIR_SHARE = 0.15
"""Below this share of hair the scalp may be smooth: then the outline of the head counts too."""

STRONGEST_PERCENTILE = 90
"""Gradients above it count as structure."""

SMOOTHEST_PERCENTILE = 10
"""Neighbourhoods below it show nothing but noise."""

SHARPEST_PERCENTILE = 90
"""Of the structures, how sharp one of the sharpest is."""

DIRECTIONS = 8
LARGEST_PERCENT = 9.0
"""What is reported when there is no structure that could be sharp."""

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Blur:
    """Blur across its strongest and its weakest direction, in percent of the head's width."""

    strongest_percent: float
    weakest_percent: float


def measure_blur(subject: Subject) -> Blur:
    """Blur of the scalp, or of the whole picture when there is no head."""
    inner = cv2.erode(subject.scalp.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    regions = [np.asarray(inner)]
    if is_bare(subject):
        regions.append(_outline(subject))
    return blur_in(subject.picture, *regions, head_px=subject.head_px)


def blur_in(picture: ImageArray, *regions: BoolArray, head_px: float) -> Blur:
    """Blur of a picture (h, w, 3) in which the head is ``head_px`` wide.

    In each direction the region counts that is sharpest.
    """
    grey = luma(picture)
    fine, coarse = (
        _blurs([_gradient(grey, share * head_px) for share in pair], pair, regions, head_px)
        for pair in (FINE, COARSE)
    )
    percents = np.where(coarse > SURE_PERCENT, np.maximum(coarse, fine), fine)
    return Blur(float(percents.max()), float(percents.min()))


def _blurs(
    gradients: list[tuple[Plane, Plane]],
    pair: tuple[float, float],
    regions: tuple[BoolArray, ...],
    head_px: float,
) -> FloatArray:
    """Blur in percent of the head's width in each direction, by one pair of re-blurs."""
    percents = []
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        first, second = (np.square(x * cosine + y * sine) for x, y in gradients)
        ratios = [_power_ratio(first, second, each, head_px) for each in regions if each.any()]
        percents.append(
            min((_sigma_percent(each, pair) for each in ratios), default=LARGEST_PERCENT)
        )
    return np.array(percents)


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


def _sigma_percent(ratio: float, pair: tuple[float, float]) -> float:
    """Blur that gives a ratio R² of gradient powers, in percent of the head's width."""
    if ratio <= 1:
        return LARGEST_PERCENT
    first, second = pair
    variance = (second**2 - ratio * first**2) / (ratio - 1)
    return float(min(100 * np.sqrt(max(variance, 0.0)), LARGEST_PERCENT))


def is_bare(subject: Subject) -> bool:
    """Whether there is a scalp with next to no hair."""
    share = int(subject.hair.sum()) / max(1, int(subject.scalp.sum()))
    return subject.found and share < BARE_HAIR_SHARE


def _outline(subject: Subject) -> BoolArray:
    """Band along the edge of the head."""
    side = max(3, int(0.04 * subject.head_px) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(
        cv2.morphologyEx(subject.head.astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0
    )
