"""What careless photographers do to the light of a scene, drawn by lot for training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]

SECOND_FAULT_SHARE = 0.3


def careless(rng: np.random.Generator, light: Light) -> Light:
    """Linear light as it reaches a camera that is held, set or lit badly.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    light : ndarray of float32, shape (S, S, 3)
        Linear RGB; 1 is white.

    Returns
    -------
    ndarray of float32, shape (S, S, 3)
        With one or two faults; their strengths reach from hardly visible to beyond what the
        program measures.
    """
    count = 2 if rng.random() < SECOND_FAULT_SHARE else 1
    for which in rng.choice(len(_FAULTS), count, replace=False):
        light = _FAULTS[which](rng, light)
    return light


def _dark(rng: np.random.Generator, light: Light) -> Light:
    """Too little light, of which a camera makes a dark picture, a grainy one, or both."""
    stops = rng.uniform(0.5, 4.5)
    light = light * np.float32(2**-stops)
    grain = np.float32(np.exp(rng.uniform(np.log(0.002), np.log(0.02))))
    spread = grain * np.sqrt(np.maximum(light, 0) + np.float32(0.02))
    light = light + spread * rng.standard_normal(light.shape, np.float32)
    brightened = 2 ** (stops * rng.random()) if rng.random() < 0.5 else 1.0
    return np.maximum(light * np.float32(brightened), 0)


def _bright(rng: np.random.Generator, light: Light) -> Light:
    return light * np.float32(2 ** rng.uniform(0.3, 2.3))


def _cast(rng: np.random.Generator, light: Light) -> Light:
    """The light of lamps, walls and curtains, not balanced away."""
    stops = rng.uniform(0.2, 1.6) * rng.choice([-1, 1])
    ways = ((0.5, 0.0, -0.5), (-0.35, 0.65, -0.35), (0.6, -0.4, -0.2))
    way = np.array(ways[rng.choice(3, p=(0.5, 0.3, 0.2))])
    return light * np.exp2(stops * way).astype(np.float32)


def _haze(rng: np.random.Generator, light: Light) -> Light:
    """A smeared lens or a lamp shining into it: the same light everywhere."""
    mean = light.mean((0, 1)) * rng.uniform(0.8, 1.25, 3)
    veil = rng.uniform(0.1, 2.2)
    hazy = light + (veil * mean).astype(np.float32)
    return hazy / np.float32((1 + veil) ** rng.uniform(0, 1))


def _ramp(rng: np.random.Generator, size: int, low_px: float, high_px: float) -> Light:
    """From 0 to 1 across a random line through the middle of the picture."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:size, :size].astype(np.float32) - np.float32(size / 2)
    along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    along -= np.float32(rng.normal(0, size / 6))
    soft = np.exp(rng.uniform(np.log(low_px), np.log(high_px)))
    return np.clip(along / np.float32(soft) + 0.5, 0, 1)


def _side_light(rng: np.random.Generator, light: Light) -> Light:
    """A window at one side."""
    size = len(light)
    fall = _ramp(rng, size, 0.4 * size, 1.5 * size)
    return light * np.exp2(-np.float32(rng.uniform(0.5, 4.5)) * fall)[..., None]


def _shadow(rng: np.random.Generator, light: Light) -> Light:
    """The edge of a shadow; what is left in it comes from elsewhere and has another colour."""
    dark = _ramp(rng, len(light), 1.0, 40.0)
    stops = rng.uniform(0.4, 3.0)
    tint = np.array([0.5, 0.0, -0.5]) * rng.normal(0, 0.15 * stops)
    left = np.exp2(-stops + tint).astype(np.float32)
    return light * (1 - dark[..., None] * (1 - left))


def _blurred(
    light: Light, reach_px: float, weight: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]
) -> Light:
    """Light spread with a weight of the shift (x, y) in pixels."""
    reach = int(np.ceil(reach_px)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = weight(x, y)
    return np.asarray(cv2.filter2D(light, -1, kernel / kernel.sum()), np.float32)


def _disc(rng: np.random.Generator, light: Light) -> Light:
    """Out of focus."""
    radius = float(np.exp(rng.uniform(np.log(0.7), np.log(4.5))))
    return _blurred(light, radius, lambda x, y: np.clip(radius + 0.5 - np.hypot(x, y), 0, 1))


def _shake(rng: np.random.Generator, light: Light) -> Light:
    """A straight movement during the exposure."""
    half, angle = np.exp(rng.uniform(np.log(0.8), np.log(6.0))), rng.uniform(0, np.pi)
    c, s = np.cos(angle), np.sin(angle)
    return _blurred(
        light,
        half,
        lambda x, y: (
            np.clip(1 - np.abs(x * s - y * c), 0, 1)
            * np.clip(half + 0.5 - np.abs(x * c + y * s), 0, 1)
        ),
    )


_FAULTS: tuple[Callable[[np.random.Generator, Light], Light], ...] = (
    _dark,
    _bright,
    _cast,
    _haze,
    _side_light,
    _shadow,
    _disc,
    _shake,
)
