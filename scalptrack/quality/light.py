"""Exposure, glare, direction and colour of the light on the scalp."""

from __future__ import annotations

import cv2
import numpy as np

from scalptrack.quality.subject import Subject, linear_light, luma
from scalptrack.records import ImageArray

CLIPPED_LEVEL = 253
"""8-bit level from which a channel has lost its detail (JPEG scatters 255 by a level or two)."""

MIN_PIXELS = 200
"""Fewest pixels of a kind on each side that are compared."""


def bright_level(subject: Subject) -> float:
    """Level of the brightest twentieth of the head: dark hair and dark skin have highlights too."""
    return float(np.percentile(luma(subject.picture)[subject.head], 95))


def clipped_percent(subject: Subject) -> float:
    """Percentage of the scalp in which at least two channels are clipped."""
    clipped = (subject.picture >= CLIPPED_LEVEL).sum(axis=2) >= 2
    return float(100 * np.mean(clipped[subject.scalp]))


def tonal_range(picture: ImageArray) -> float:
    """Levels between the darkest and the brightest percent of the whole picture."""
    low, high = np.percentile(luma(picture), [1, 99])
    return float(high - low)


def left_right_stops(subject: Subject) -> float:
    """Difference of light between the left and the right third of the scalp, in stops.

    Skin is compared with skin and hair with hair; the kind with more pixels decides. 0 when there
    is too little of both.
    """
    light = linear_light(subject.picture)
    columns = np.flatnonzero(subject.scalp.any(axis=0))
    if not subject.found or columns.size == 0:
        return 0.0
    third = (columns[-1] - columns[0] + 1) / 3
    x = np.arange(subject.picture.shape[1])
    left, right = x < columns[0] + third, x > columns[-1] - third
    compared: list[tuple[int, float]] = []
    for kind in (subject.skin, subject.hair):
        pixels = min(int(kind[:, left].sum()), int(kind[:, right].sum()))
        if pixels >= MIN_PIXELS:
            sides = [np.median(light[:, side][kind[:, side]]) for side in (left, right)]
            compared.append((pixels, abs(float(np.log2((sides[0] + 1e-3) / (sides[1] + 1e-3))))))
    return max(compared)[1] if compared else 0.0


def skin_hue_deg(subject: Subject) -> float | None:
    """Hue angle of the scalp's skin in CIELAB, degrees; None when there is too little skin.

    In neutral light skin of every tone is between red and yellow. None also for a grey picture.
    """
    levels = subject.picture[subject.skin]
    usable = levels[(levels.max(axis=1) < CLIPPED_LEVEL) & (levels.max(axis=1) > 30)]
    if len(usable) < MIN_PIXELS:
        return None
    lab = cv2.cvtColor(usable[np.newaxis].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    green_red, blue_yellow = np.median(lab[:, 1]), np.median(lab[:, 2])
    if np.hypot(green_red, blue_yellow) < 2:
        return None
    return float(np.degrees(np.arctan2(blue_yellow, green_red)))
