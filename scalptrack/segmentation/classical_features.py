"""What the classical method looks at: colour and texture of every pixel, relative to skin.

All filter widths are in pixels of a picture in which the head is 400 to 512 px wide, so that they
are lengths on the head (about 0.35 mm per pixel).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, ImageArray

Floats = NDArray[np.float32]

FEATURES = (
    "fine_texture", "texture", "chroma_texture", "coherence", "luminance", "red", "blue",
    "smooth_luminance", "chroma_distance", "luminance_distance", "skin_distance",
    "texture_over_skin", "chroma_texture_over_skin", "coarse_texture_over_skin",
    "smooth_luminance_distance", "dark_strands", "light_strands",
)  # fmt: skip

MIN_PRIOR_PX = 300
"""Fewer pixels of known skin than this (a 17 px square) do not give a covariance worth using."""

# Light that reaches dark pixels by flare and noise: it keeps logarithms of black pixels finite.
_FLARE = 0.012
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709
_LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255.0],
    np.float32,
)


def linear_light(image: ImageArray) -> Floats:
    """Linear RGB in [0, 1] (float32) of an sRGB picture (uint8), same shape."""
    return _LINEAR[image]


def luminance(linear: Floats) -> Floats:
    """Relative luminance (H, W) of linear RGB (H, W, 3)."""
    return np.asarray(linear @ _LUMINANCE, np.float32)


def blurred(values: Floats, sigma_px: float) -> Floats:
    """Gaussian blur of an (H, W) or (H, W, C) float32 array."""
    return np.asarray(
        cv2.GaussianBlur(values, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT), np.float32
    )


def weighted_blur(values: Floats, weights: Floats, sigma_px: float) -> tuple[Floats, Floats]:
    """Blurred ``values * weights`` and blurred ``weights``, at reduced size when the blur is wide.

    Parameters
    ----------
    values : float32 (H, W) or (H, W, C)
    weights : float32 (H, W)
    sigma_px : float
        Standard deviation of the Gaussian.

    Returns
    -------
    tuple of float32 arrays
        Numerator, of the shape of `values`, and denominator (H, W).
    """
    product = values * (weights if values.ndim == 2 else weights[..., None])
    shrink = max(1, int(sigma_px // 3))
    if shrink == 1:
        return blurred(product, sigma_px), blurred(weights, sigma_px)
    height, width = weights.shape
    small = (max(2, width // shrink), max(2, height // shrink))
    both = []
    for array in (product, weights):
        reduced = cv2.resize(array, small, interpolation=cv2.INTER_AREA)
        spread = blurred(np.asarray(reduced, np.float32), sigma_px / shrink)
        both.append(np.asarray(cv2.resize(spread, (width, height)), np.float32))
    return both[0], both[1]


def local_mean(values: Floats, weights: Floats, sigma_px: float) -> Floats:
    """Mean of `values` around each pixel, weighted by `weights` (normalised convolution)."""
    total, weight = weighted_blur(values, weights, sigma_px)
    divisor = weight + np.float32(1e-3)
    return np.asarray(total / (divisor if values.ndim == 2 else divisor[..., None]), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Maps:
    """Per-pixel quantities, before they are compared with skin; all (H, W) float32."""

    luminance: Floats
    red: Floats
    blue: Floats
    fine_energy: Floats
    energy: Floats
    coarse_energy: Floats
    chroma_energy: Floats
    sharp_luminance: Floats


def _maps(image: ImageArray) -> _Maps:
    """Log luminance, log chromaticities, and squared band-passes of a picture."""
    linear = linear_light(image)
    sharp = np.log(luminance(linear) + _FLARE)
    soft = blurred(linear, 0.8)
    log_soft = np.log(soft + _FLARE)
    red, blue = log_soft[..., 0] - log_soft[..., 1], log_soft[..., 2] - log_soft[..., 1]
    fine = blurred(sharp, 0.5) - blurred(sharp, 1.5)
    at_25 = blurred(sharp, 2.5)
    strand = blurred(sharp, 0.7) - at_25
    coarse = at_25 - blurred(sharp, 6.0)
    chroma = (red - blurred(red, 3.0)) ** 2 + (blue - blurred(blue, 3.0)) ** 2
    return _Maps(
        np.log(luminance(soft) + _FLARE), red, blue, fine**2, strand**2, coarse**2, chroma,
        blurred(sharp, 0.8),
    )  # fmt: skip


def _log_rms(energy: Floats, weights: Floats, sigma_px: float) -> Floats:
    return np.asarray(0.5 * np.log(local_mean(energy, weights, sigma_px) + 1e-5), np.float32)


def _coherence(sharp: Floats, weights: Floats) -> Floats:
    """How much the gradients around a pixel share one direction: 0 none, 1 all (structure tensor).

    References
    ----------
    .. [1] Bigün & Granlund, "Optimal orientation detection of linear symmetry", ICCV 1987.
    """
    across = np.asarray(cv2.Sobel(sharp, cv2.CV_32F, 1, 0), np.float32) / 8
    down = np.asarray(cv2.Sobel(sharp, cv2.CV_32F, 0, 1), np.float32) / 8
    xx, xy, yy = (
        local_mean(np.asarray(product, np.float32), weights, 5.0)
        for product in (across**2, across * down, down**2)
    )
    return np.asarray(np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 1e-4), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _SkinReference:
    """What this person's bare skin looks like in this picture (or skin in general)."""

    centre: NDArray[np.float64]
    precision: NDArray[np.float64]
    bright: float
    texture: float
    chroma_texture: float
    coarse_texture: float


def _reference(maps: _Maps, region: BoolArray, skin: BoolArray | None) -> _SkinReference:
    """Measure known skin; without it, assume a middling skin lit like the region's brightest."""
    if skin is None:
        bright = float(np.quantile(maps.luminance[region], 0.9))
        spread = np.diag([0.2, 0.15, 0.5]) ** 2
        centre = np.array([0.55, -0.42, bright])
        return _SkinReference(centre, np.linalg.inv(spread), bright, -3.5, -3.7, -3.3)
    colours = np.stack([maps.red[skin], maps.blue[skin], maps.luminance[skin]], 1).astype(float)
    centre = np.median(colours, axis=0)
    scatter = 1.4826 * np.median(np.abs(colours - centre), axis=0)
    typical = (np.abs(colours - centre) < 3 * scatter + 0.05).all(axis=1)
    spread = np.cov(colours[typical].T) + np.diag([0.03, 0.03, 0.05]) ** 2
    weights = skin.astype(np.float32)

    def quiet(energy: Floats, sigma_px: float) -> float:
        # The quieter part of known skin: eyes, brows and lips lie above it.
        return float(np.quantile(_log_rms(energy, weights, sigma_px)[skin], 0.4))

    return _SkinReference(
        centre, np.linalg.inv(spread), float(np.quantile(colours[:, 2], 0.6)),
        quiet(maps.energy, 6.0), quiet(maps.chroma_energy, 6.0), quiet(maps.coarse_energy, 8.0),
    )  # fmt: skip


def _strand_contrast(sharp: Floats) -> tuple[Floats, Floats]:
    """Black-hat and top-hat of log luminance: dark lines on light, light lines on dark."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    dark = cv2.morphologyEx(sharp, cv2.MORPH_BLACKHAT, disc)
    light = cv2.morphologyEx(sharp, cv2.MORPH_TOPHAT, disc)
    return np.asarray(dark, np.float32), np.asarray(light, np.float32)


def pixel_features(image: ImageArray, region: BoolArray, skin: BoolArray | None) -> Floats:
    """The `FEATURES` of every pixel of a region.

    Parameters
    ----------
    image : uint8 (H, W, 3)
    region : bool (H, W)
        Where scalp is; nothing outside it enters a texture.
    skin : bool (H, W), optional
        Pixels that are surely skin of the same person, at least `MIN_PRIOR_PX` of them.

    Returns
    -------
    float32 (N, len(FEATURES))
        One row per pixel of `region`, row by row.
    """
    maps = _maps(image)
    skin_like = _reference(maps, region, skin)
    weights = region.astype(np.float32)
    texture = _log_rms(maps.energy, weights, 6.0)
    chroma_texture = _log_rms(maps.chroma_energy, weights, 6.0)
    red, blue, smooth = (
        local_mean(values, weights, 3.0) for values in (maps.red, maps.blue, maps.luminance)
    )
    off = np.stack([red, blue, smooth], axis=-1) - skin_like.centre
    distance = np.einsum("hwi,ij,hwj->hw", off, skin_like.precision, off)
    lum, smooth = maps.luminance - skin_like.bright, smooth - skin_like.bright
    dark, light = _strand_contrast(maps.sharp_luminance)
    columns = (
        _log_rms(maps.fine_energy, weights, 3.0), texture, chroma_texture,
        _coherence(maps.sharp_luminance, weights), lum, off[..., 0], off[..., 1], smooth,
        np.hypot(off[..., 0], off[..., 1]), np.abs(lum), np.log1p(distance),
        texture - skin_like.texture, chroma_texture - skin_like.chroma_texture,
        _log_rms(maps.coarse_energy, weights, 8.0) - skin_like.coarse_texture, np.abs(smooth),
        dark, light,
    )  # fmt: skip
    return np.stack([column[region] for column in columns], axis=1).astype(np.float32)
