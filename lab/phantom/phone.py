"""From radiance to the file that a phone writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from scipy.ndimage import convolve, gaussian_filter

from lab.phantom.subject import stream
from lab.phantom.visit import Visit

DIAGONAL_35MM = 43.27
"""`FocalLengthIn35mmFilm` is meant by the diagonal: focal_px = f35 * diagonal_px / 43.27."""

METER_SHARE, TYPICAL_MEAN = 0.65, 0.10
"""A phone brightens a dark scene only in part: share of the correction it makes, and the
mean radiance of a light-skinned head in our room light, which needs none."""

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def develop(radiance: NDArray[np.float32], visit: Visit) -> NDArray[np.uint8]:
    """Linear radiance (H, W, 3) as the 8-bit sRGB picture of the visit's camera."""
    rng = stream(visit.seed, "sensor")
    light = _smear(radiance.astype(np.float64), visit)
    light *= _meter(light) * 2.0**visit.exposure_ev
    light *= 1.0 + rng.normal(0.0, 0.02, 3)
    sigma = visit.noise * np.sqrt(np.maximum(light, 0.0) / 0.18 + 0.05)
    grain = rng.normal(0.0, 1.0, light.shape)
    grain = 0.75 * grain + 0.45 * gaussian_filter(grain, (0.8, 0.8, 0.0)) / 0.35
    light = np.maximum(light + 0.6 * sigma * grain, 0.0)
    shown = _tone(light)
    sharp = shown + 0.55 * (shown - gaussian_filter(shown, (1.1, 1.1, 0.0)))
    return np.asarray(np.round(np.clip(sharp, 0.0, 1.0) * 255.0), dtype=np.uint8)


def _smear(light: NDArray[np.float64], visit: Visit) -> NDArray[np.float64]:
    """Defocus, then the smear of a moved hand along a random direction."""
    light = gaussian_filter(light, (visit.blur_px, visit.blur_px, 0.0))
    if visit.motion_px < 1.0:
        return light
    angle = stream(visit.seed, "motion").uniform(0.0, np.pi)
    half = int(np.ceil(visit.motion_px / 2.0))
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    kernel = np.exp(-((across / 0.7) ** 2)) * (np.abs(along) <= visit.motion_px / 2.0)
    kernel /= kernel.sum()
    smeared = [convolve(light[..., k], kernel, mode="nearest") for k in range(3)]
    return np.stack(smeared, axis=-1)


def _meter(light: NDArray[np.float64]) -> float:
    """Gain that a centre-weighted meter chooses, holding highlights back."""
    luminance = light @ LUMINANCE
    height, width = luminance.shape
    y = (np.arange(height) / height - 0.5)[:, None]
    x = (np.arange(width) / width - 0.5)[None]
    weight = 0.25 + np.exp(-(x**2 + y**2) / 0.08)
    mean = float(np.sum(weight * luminance) / np.sum(weight))
    gain = (0.23 / max(mean, 1e-6)) ** METER_SHARE * (0.23 / TYPICAL_MEAN) ** (1.0 - METER_SHARE)
    return min(gain, 1.5 / max(float(np.percentile(luminance, 99.0)), 1e-6))


def _tone(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """A soft shoulder, then the sRGB curve and a little contrast."""
    shoulder = light * (1.0 + light / 2.2**2) / (1.0 + 0.75 * light)
    x = np.clip(shoulder, 0.0, 1.0)
    srgb = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1.0 / 2.4) - 0.055)
    return np.asarray(srgb - 0.03 * np.sin(2.0 * np.pi * srgb))


def write_photograph(path: Path, picture: NDArray[np.uint8], visit: Visit) -> None:
    """Write an upright (H, W, 3) picture as JPEG with the EXIF data of the visit.

    The stored pixels are turned where the visit asks for an EXIF orientation other than
    1; a reader that applies the orientation gets the upright picture back.
    """
    turns = {1: 0, 6: 1, 8: -1}[visit.orientation]
    image = Image.fromarray(np.ascontiguousarray(np.rot90(picture, turns)))
    clock = stream(visit.seed, "clock")
    time = f"{int(clock.integers(8, 19)):02d}:{int(clock.integers(60)):02d}:00"
    stamp = f"{visit.date.replace('-', ':')} {time}"
    exif = Image.Exif()
    exif[0x010F] = "Phantom"
    exif[0x0110] = "P1"
    exif[0x0112] = visit.orientation
    exif[0x0132] = stamp
    details = exif.get_ifd(0x8769)
    details[0x9003] = stamp
    details[0x920A] = IFDRational(round(visit.focal_35mm * 100 / 7.2), 100)
    details[0xA405] = round(visit.focal_35mm)
    image.save(path, format="JPEG", quality=visit.jpeg_quality, subsampling=1, exif=exif)
