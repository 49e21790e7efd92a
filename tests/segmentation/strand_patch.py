"""Small pictures of a skin patch with hair whose fraction is known exactly in every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SUPERSAMPLING = 4

SKIN = {
    "light": (236, 196, 172),
    "tan": (188, 138, 104),
    "dark": (92, 58, 42),
}
HAIR = {
    "black": (22, 18, 17),
    "brown": (70, 45, 30),
    "blond": (190, 158, 106),
    "grey": (168, 166, 164),
    "white": (226, 224, 220),
    "red": (134, 66, 34),
}


@dataclass(frozen=True)
class StrandPatch:
    """A picture (H, W, 3) uint8, its hair fraction (H, W) float32, and where scalp is (H, W)."""

    image: np.ndarray
    hair_fraction: np.ndarray
    region: np.ndarray


def srgb_to_linear(srgb):
    srgb = np.asarray(srgb, dtype=np.float64) / 255.0
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear):
    linear = np.clip(linear, 0.0, 1.0)
    return 255.0 * np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055
    )


def smooth_noise(rng, size, scale_px):
    coarse = rng.standard_normal((max(2, round(size / scale_px)),) * 2).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def draw_strands(canvas, rng, hair, count, length_px, width_px, density):
    """Draw ``count`` opaque strands into the linear (H, W, 4) canvas; channel 3 is the mask."""
    size = canvas.shape[0]
    turn = rng.uniform(0, 2 * np.pi)
    flow = smooth_noise(rng, size // SUPERSAMPLING, 80.0)
    for index in range(count):
        while True:
            x, y = rng.uniform(0, size, 2)
            if rng.uniform() < density[int(y), int(x)]:
                break
        angle = turn + 0.7 * flow[int(y) // SUPERSAMPLING, int(x) // SUPERSAMPLING]
        angle += rng.normal(0, 0.25)
        step = length_px * SUPERSAMPLING * rng.uniform(0.7, 1.3) / 6
        curl = rng.normal(0, 0.12)
        points = [(x, y)]
        for _ in range(6):
            angle += curl
            points.append(
                (points[-1][0] + step * np.cos(angle), points[-1][1] + step * np.sin(angle))
            )
        depth = 0.45 + 0.55 * index / max(count - 1, 1)
        shade = depth * rng.lognormal(0, 0.25)
        polyline = np.rint(points).astype(np.int32)
        thickness = max(1, round(width_px * SUPERSAMPLING * rng.uniform(0.8, 1.2)))
        gloss = rng.uniform(0.0, 0.06) if rng.uniform() < 0.4 else 0.0
        for k in range(6):
            shine = gloss if k in (2, 3) else 0.0
            colour = [*(float(c) * shade + shine for c in hair), 1.0]
            cv2.line(canvas, polyline[k].tolist(), polyline[k + 1].tolist(), colour, thickness)


def strand_patch(
    skin,
    hair,
    *,
    coverage,
    seed,
    size=256,
    length_px=36.0,
    width_px=0.7,
    patchy=0.5,
    exposure=1.0,
    noise=0.012,
    blur_px=0.5,
    jpeg_quality=90,
):
    """Skin with mottling, moles and shading, and strands that cover about ``coverage`` of it."""
    rng = np.random.default_rng(seed)
    high = size * SUPERSAMPLING
    skin_linear = srgb_to_linear(SKIN[skin])
    mottle = np.exp(0.05 * smooth_noise(rng, size, 20.0) + 0.04 * smooth_noise(rng, size, 6.0))
    surface = skin_linear * mottle[..., None]
    surface *= np.exp(0.05 * smooth_noise(rng, size, 30.0)[..., None] * np.array([-0.5, 0.5, 0.6]))
    for _ in range(4):
        x, y = rng.integers(0, size, 2)
        mole = np.zeros((size, size), np.float32)
        cv2.circle(mole, (int(x), int(y)), 2, 1.0, -1)
        surface *= 1.0 - 0.5 * cv2.GaussianBlur(mole, (0, 0), 0.8)[..., None]
    canvas = np.zeros((high, high, 4), np.float32)
    canvas[..., :3] = cv2.resize(surface.astype(np.float32), (high, high))
    bare = canvas[..., :3].copy()
    density = np.clip(1 + patchy * 2 * smooth_noise(rng, size, size / 3), 0.02, 2.0) / 2.0
    density = cv2.resize(density.astype(np.float32), (high, high))
    total = (
        int(-np.log(1 - min(coverage, 0.995)) * size**2 / (length_px * width_px)) if coverage else 0
    )
    draw_strands(canvas, rng, srgb_to_linear(HAIR[hair]), total, length_px, width_px, density)
    mask = canvas[..., 3:]
    shadow = np.roll(cv2.GaussianBlur(mask, (0, 0), 3.0 * SUPERSAMPLING), (6, 5), (0, 1))[..., None]
    linear = np.where(mask > 0, canvas[..., :3], bare * (1 - 0.45 * shadow))
    linear = cv2.resize(linear, (size, size), interpolation=cv2.INTER_AREA)
    fraction = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[:size, :size] / size - 0.5
    tilt = rng.uniform(0, 2 * np.pi)
    light = exposure * (0.85 + 0.5 * (x * np.cos(tilt) + y * np.sin(tilt)) - 0.5 * (x**2 + y**2))
    linear = cv2.GaussianBlur(linear * light[..., None].astype(np.float32), (0, 0), blur_px)
    srgb = linear_to_srgb(linear) + 255 * noise * rng.standard_normal(linear.shape)
    image = np.clip(np.rint(srgb), 0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1].copy()
    region = ((x**2 + y**2) < 0.47**2).astype(bool)
    return StrandPatch(image, fraction.astype(np.float32), region)
