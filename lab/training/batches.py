"""Batches of crops of both renderers, each photographed anew when it is drawn."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.strands.backdrop import backdrop, lone_scene
from lab.training.aims import Aim
from lab.training.cycles import Photographs, draw_photograph, photographed
from lab.training.dataset import Pictures, Truth, draw_crop

ELSEWHERE_SHARE = 0.25
"""Share of the crops with a person that get another background than they were rendered with."""

MOST_LOOSE_HAIR = 0.01
"""Share of a crop up to which hair may lie over the background when that is replaced: between
loose strands the old one stays."""

_HAIRLESS = 0.02


def draw_batch(
    rng: np.random.Generator,
    pictures: Pictures,
    photographs: Photographs,
    size: int,
    count: int,
    pairs: int,
    cycles_share: float,
    aim: Aim,
) -> tuple[NDArray[np.float32], list[Truth]]:
    """A batch of photographs; the last `pairs` show the scenes of the first ones again.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    pictures, photographs : Pictures, Photographs
        What to draw from: strands and Cycles.
    size, count : int
        Side of the crops in pixels, and how many.
    pairs : int
        How many of them show a scene a second time.
    cycles_share : float
        Chance of a crop to come from Cycles, where there are such photographs.
    aim : Aim
        What the crops show, and how carefully they are photographed.

    Returns
    -------
    tuple
        Images (count, 3, size, size) in [0, 1], and the truth of each.
    """
    scenes = []
    for _ in range(count - pairs):
        if rng.random() < aim.nobody:
            scenes.append((lone_scene(rng, size), _nobody(size)))
        elif photographs.items and rng.random() < cycles_share:
            item = photographs.items[int(rng.integers(len(photographs.items)))]
            scenes.append(elsewhere(rng, *draw_photograph(rng, item, size, aim)))
        else:
            light, packed, _ = pictures.draw(rng, aim)
            scenes.append(elsewhere(rng, *draw_crop(rng, light, packed, size, aim)))
    scenes += scenes[:pairs]
    images = np.stack([photographed(rng, light, aim) for light, _ in scenes])
    batch = images.transpose(0, 3, 1, 2).astype(np.float32) / 255
    return np.ascontiguousarray(batch), [truth for _, truth in scenes]


def elsewhere(
    rng: np.random.Generator, light: NDArray[np.float32], truth: Truth
) -> tuple[NDArray[np.float32], Truth]:
    """The crop before another background, now and then, so that none belongs to a person."""
    loose = truth.fraction * (truth.classes == 0)
    if rng.random() >= ELSEWHERE_SHARE or loose.mean() > MOST_LOOSE_HAIR:
        return light, truth
    person = ((truth.classes != 0) | (truth.fraction > _HAIRLESS)).astype(np.float32)
    kept = cv2.GaussianBlur(cv2.dilate(person, np.ones((3, 3))), (0, 0), 0.7)[..., None]
    return light * kept + backdrop(rng, len(light)) * (1 - kept), truth


def _nobody(size: int) -> Truth:
    """Truth of a picture of a background."""
    zero = np.zeros((size, size), np.float32)
    return Truth(zero.astype(np.int64), zero, zero, zero)
