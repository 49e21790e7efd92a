"""The camera: from linear light to the 8-bit picture a phone or a clinic would store."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.strands.head import Floats

WHITE = 2.0
"""Linear light at the top of the stored code; beyond it glare is cut."""

_POWER = 2.6


def encode_light(light: Floats) -> NDArray[np.uint8]:
    """Linear light as 8-bit codes that keep the shadows (H, W, 3)."""
    code = 255 * np.power(np.clip(light / WHITE, 0, 1), 1 / _POWER)
    return np.round(code).astype(np.uint8)


_DECODE = (WHITE * (np.arange(256) / 255.0) ** _POWER).astype(np.float32)


def decode_light(code: NDArray[np.uint8]) -> Floats:
    """Linear light of `encode_light`."""
    light: Floats = cv2.LUT(code, _DECODE)
    return light


def _expose(rng: np.random.Generator, light: Floats) -> Floats:
    """Automatic exposure with its errors, white balance, vignetting."""
    grey = light.mean(-1)
    size = grey.shape[0]
    centre = grey[size // 5 : -size // 5, size // 5 : -size // 5]
    meter = 0.5 * float(grey.mean()) + 0.5 * float(centre.mean()) + 1e-3
    gain = (0.20 / meter) ** rng.uniform(0.3, 0.9) * 2 ** rng.normal(0, 0.35)
    warm = rng.normal(0, 0.09)
    balance = np.exp(np.array([warm, 0, -warm]) + rng.normal(0, 0.03, 3)).astype(np.float32)
    exposed = light * (np.float32(gain) * balance)
    if rng.random() < 0.3:
        y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : light.shape[1] * 1j].astype(np.float32)
        fall = 1 - np.float32(rng.uniform(0.05, 0.4)) * (x**2 + y**2) / 2
        exposed = exposed * fall[..., None]
    return exposed


def _blur(rng: np.random.Generator, light: Floats) -> Floats:
    sigma = abs(rng.normal(0, 0.6)) if rng.random() < 0.85 else rng.uniform(0.8, 2.4)
    if sigma > 0.25:
        light = cv2.GaussianBlur(light, (0, 0), float(sigma))
    if rng.random() < 0.08:
        reach = int(rng.integers(2, 7))
        kernel = np.zeros((2 * reach + 1,) * 2, np.float32)
        angle = rng.uniform(0, np.pi)
        c, s = reach * np.cos(angle), reach * np.sin(angle)
        ends = [(round(reach - c), round(reach - s)), (round(reach + c), round(reach + s))]
        cv2.line(kernel, ends[0], ends[1], 1.0, 1)
        light = cv2.filter2D(light, -1, kernel / kernel.sum())
    if rng.random() < 0.1:
        haze = cv2.GaussianBlur(light, (0, 0), 12)
        light = light + np.float32(rng.uniform(0.03, 0.2)) * haze
    return light


def _tone(rng: np.random.Generator, light: Floats) -> Floats:
    """Transfer curve and colour rendering: sRGB-like values in [0, 1]."""
    shoulder = rng.uniform(0, 0.5)
    light = np.maximum(light, 0)
    light = light * (1 + shoulder * light) / (1 + shoulder * light * 2.0)
    value = np.power(np.clip(light, 0, 1), np.float32(1 / rng.uniform(1.9, 2.5)))
    contrast = rng.uniform(-0.15, 0.35)
    value = value + np.float32(contrast) * value * (1 - value) * (2 * value - 1)
    grey = value.mean(-1, keepdims=True)
    if rng.random() < 0.04:
        return np.repeat(grey, 3, -1)
    saturation = np.float32(np.clip(rng.normal(1.0, 0.2), 0.3, 1.7))
    black = np.float32(rng.uniform(0, 0.05) if rng.random() < 0.3 else 0)
    return black + (1 - black) * (grey + saturation * (value - grey))


def develop(rng: np.random.Generator, light: Floats) -> NDArray[np.uint8]:
    """Take a photograph of linear light.

    Parameters
    ----------
    rng : numpy.random.Generator
        Camera, exposure and compression are drawn from it.
    light : ndarray of float32, shape (H, W, 3)
        Linear RGB.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        RGB after blur, exposure, noise, tone curve, sharpening and JPEG.
    """
    light = _blur(rng, _expose(rng, light))
    noise = np.exp(rng.uniform(np.log(0.001), np.log(0.05)))
    grain = rng.standard_normal(light.shape, np.float32)
    if rng.random() < 0.4:
        grain = cv2.GaussianBlur(grain, (0, 0), 0.8) * 1.8
    light = light + np.float32(noise) * np.sqrt(np.maximum(light, 0) + 0.002) * grain
    value = _tone(rng, light)
    if rng.random() < 0.5:
        soft = cv2.GaussianBlur(value, (0, 0), float(rng.uniform(0.7, 1.6)))
        value = value + np.float32(rng.uniform(0.1, 1.0)) * (value - soft)
    picture = np.clip(value * 255 + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        quality = int(rng.integers(40, 99))
        _, code = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = np.ascontiguousarray(cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1])
    return picture
