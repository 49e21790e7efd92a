"""Painted skin: tone, mottling, spots, a face, and what treatment leaves on a scalp."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lab.strands.camera import Camera, Surface
from lab.strands.head import EAR, FACE, NECK, SCALP, SHOULDERS, Floats
from lab.strands.noise import Volume, plane

# sRGB of lit skin, Fitzpatrick I to VI; spread and jitter around them are wide.
_TONES = np.array(
    [
        [244, 214, 198],
        [234, 194, 168],
        [212, 166, 134],
        [176, 126, 92],
        [124, 82, 58],
        [72, 46, 36],
    ],
    dtype=np.float64,
)


@dataclass(frozen=True, slots=True)
class Skin:
    """A subject's skin.

    Attributes
    ----------
    type : int
        Fitzpatrick type, 1 to 6.
    reflectance : ndarray, shape (3,)
        Linear RGB.
    shine, gloss : float
        Strength and exponent of the specular reflection.
    """

    type: int
    reflectance: Floats
    shine: float
    gloss: float


def linear(srgb: Floats | np.ndarray) -> Floats:
    """Linear light in [0, 1] of sRGB values in 0..255."""
    return np.power(np.asarray(srgb, np.float32) / 255, 2.2).astype(np.float32)


def sample_skin(rng: np.random.Generator) -> Skin:
    """A random skin, types I to VI equally often."""
    level = float(rng.uniform(-0.3, 5.3))
    tone = np.array([np.interp(level, range(6), _TONES[:, c]) for c in range(3)])
    reflectance = linear(tone) * rng.uniform(0.8, 1.2) * rng.uniform(0.94, 1.06, 3)
    shine = float(rng.choice([0.0, 0.02, 0.06, 0.2]) * rng.uniform(0.5, 2.0))
    kind = int(np.clip(round(level), 0, 5)) + 1
    return Skin(kind, reflectance.astype(np.float32), shine, float(rng.uniform(6, 70)))


def _spots(
    rng: np.random.Generator,
    camera: Camera,
    surface: Surface,
    count: int,
    radius_mm: float,
    label: int | None,
) -> Floats:
    """Soft round spots on the skin: strength in [0, 1] per pixel."""
    strength = np.zeros(surface.label.shape, np.float32)
    pool = np.flatnonzero(surface.label == label) if label else np.flatnonzero(surface.label > 0)
    if not len(pool) or not count:
        return strength
    centres = surface.point_mm.reshape(-1, 3)[rng.choice(pool, count)]
    for centre in centres:
        radius = radius_mm * np.exp(rng.normal(0, 0.4))
        x, y = np.round(camera.project(centre)[0]).astype(int)
        reach = int(2 * radius / camera.mm_per_px) + 2
        rows, columns = np.mgrid[
            max(0, y - reach) : min(camera.size, y + reach + 1),
            max(0, x - reach) : min(camera.size, x + reach + 1),
        ]
        delta = surface.point_mm[rows, columns] - centre
        distance = np.linalg.norm(delta, axis=-1) / radius
        bell = np.clip(1.6 - 1.6 * distance, 0, 1).astype(np.float32)
        strength[rows, columns] = np.maximum(strength[rows, columns], bell)
    return strength


def _mottle(rng: np.random.Generator, surface: Surface, skin: Skin, volume: Volume) -> Floats:
    """Colour of plain skin per pixel, before the face is painted."""
    person = surface.label > 0
    points, scalp = surface.point_mm[person], surface.label[person] == SCALP
    strong = rng.uniform(0.3, 1.6)
    redness = 0.10 * strong * volume.at(points, rng.uniform(10, 45), 2)
    brown = 0.08 * strong * volume.at(points + 777, rng.uniform(4, 30), 3)
    fine = 0.05 * strong * volume.at(points + 333, rng.uniform(0.8, 2.5), 2)
    redness = redness + rng.normal(0.0, 0.10) * scalp
    if rng.random() < 0.2:
        redness += rng.uniform(0.2, 0.6) * np.clip(surface.normal[person][:, 2], 0, 1)
    tan = rng.normal(0, 0.12) * scalp
    absorb = brown[..., None] * np.array([0.7, 1.0, 1.3], np.float32)
    absorb = absorb + redness[..., None] * np.array([0.05, 1.0, 0.8], np.float32)
    total = absorb + fine[..., None] + tan[..., None]
    colour = np.zeros((*person.shape, 3), np.float32)
    colour[person] = skin.reflectance * np.exp(-np.clip(total, -0.7, 1.5))
    return colour


def _blemishes(
    rng: np.random.Generator, camera: Camera, surface: Surface, colour: Floats
) -> Floats:
    """Moles, freckles, veins, pimples, scars, crusts and micropigmentation."""
    dark = np.array([0.35, 0.25, 0.22], np.float32)
    many = int(rng.integers(0, 14))
    mole = _spots(rng, camera, surface, many, rng.uniform(0.8, 2.2), None)[..., None]
    colour = colour * (1 - mole * (1 - dark) * rng.uniform(0.3, 1))
    if rng.random() < 0.15:
        patch = _spots(rng, camera, surface, int(rng.integers(3, 25)), rng.uniform(2, 7), SCALP)
        colour = colour * (1 - 0.5 * patch[..., None] * np.array([0.5, 0.8, 0.9], np.float32))
    if rng.random() < 0.12:
        tint = np.array([0.0, 0.6, 0.6], np.float32) * rng.uniform(0.4, 1)
        sore = _spots(rng, camera, surface, int(rng.integers(5, 80)), rng.uniform(0.5, 1.6), SCALP)
        colour = colour * (1 - sore[..., None] * tint)
    if rng.random() < 0.10:
        pale = _spots(rng, camera, surface, int(rng.integers(10, 90)), rng.uniform(0.5, 2.5), SCALP)
        flake = colour * 0.4 + 0.45
        colour = colour + pale[..., None] * (flake - colour) * rng.uniform(0.3, 0.9)
    if rng.random() < 0.08:
        centre = surface.point_mm[surface.label == SCALP]
        if len(centre):
            start = centre[rng.integers(len(centre))]
            axis = rng.normal(size=3)
            axis /= np.linalg.norm(axis)
            offset = surface.point_mm - start
            line = np.abs(offset @ axis + 3 * np.sin(offset[..., 0] / 12))
            near = (line < rng.uniform(0.8, 2)) & (np.linalg.norm(offset, axis=-1) < 60)
            colour = np.where(near[..., None], colour * rng.uniform(0.8, 1.25), colour)
    return colour.astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Angles:
    """Direction of each pixel of the face in degrees, and whether it is the face."""

    azimuth: Floats
    elevation: Floats
    face: Floats

    def ellipse(self, azimuth: float, elevation: float, width: float, height: float) -> Floats:
        """Soft indicator of an ellipse on the face."""
        away = ((self.azimuth - azimuth) / width) ** 2
        away += ((self.elevation - elevation) / height) ** 2
        return np.clip(3 * (1 - away), 0, 1) * self.face


def _angles(surface: Surface) -> _Angles:
    p = surface.point_mm
    distance = np.sqrt(np.einsum("...i,...i->...", p, p)) + np.float32(1e-3)
    return _Angles(
        np.degrees(np.arctan2(p[..., 0], p[..., 1])),
        np.degrees(np.arcsin(np.clip(p[..., 2] / distance, -1, 1))),
        (surface.label == FACE).astype(np.float32),
    )


def _face(
    rng: np.random.Generator, surface: Surface, colour: Floats, hair: Floats, volume: Volume
) -> Floats:
    """Paint eyes, brows, lips, nostrils and beard. All of them are *other skin*."""

    def mix(where: Floats, paint: Floats, amount: float) -> None:
        colour[:] = colour + (where * amount)[..., None] * (paint - colour)

    if (surface.label == FACE).sum() < 20:
        return colour
    ellipse = _angles(surface).ellipse
    face = surface.label == FACE
    grain = np.ones(face.shape, np.float32)
    grain[face] += 0.5 * volume.at(surface.point_mm[face], 1.5)
    brow_height, arch = rng.uniform(6, 11), rng.uniform(1.2, 3.0)
    closed = rng.random() < 0.3
    for side in (-1, 1):
        mix(ellipse(side * 21, brow_height, 13, arch) * grain, hair, rng.uniform(0.2, 0.9))
        mix(ellipse(side * 20, -4, 11, 5), colour * 0.6, 0.7)
        if not closed:
            mix(ellipse(side * 20, -4, 8, 3), np.full(3, 0.55, np.float32), 0.9)
            mix(ellipse(side * 20, -4, 3, 3), np.full(3, 0.03, np.float32), 0.95)
        mix(ellipse(side * 20, -2.2, 9, 1.3), np.full(3, 0.02, np.float32), 0.7)
        mix(ellipse(side * 4, -27, 2.5, 1.6), colour * 0.15, 0.9)
    lips = colour.mean((0, 1)) * 0 + np.array([0.30, 0.09, 0.08], np.float32)
    mix(ellipse(0, -39, 15, 3.5), lips * rng.uniform(0.5, 1.6), rng.uniform(0.2, 0.8))
    mix(ellipse(0, -39, 13, 0.7), colour * 0.2, 0.8)
    if rng.random() < 0.35:
        p = surface.point_mm
        below = np.clip((-22 - p[..., 2] + 25 * (np.abs(p[..., 0]) / 70) ** 2) / 12, 0, 1)
        jaw = below * (surface.label == FACE) * np.clip(p[..., 1] / 20 + 0.6, 0, 1)
        beard = np.clip(jaw * grain * rng.uniform(0.3, 1.2), 0, 1).astype(np.float32)
        mix(beard * (1 - ellipse(0, -39, 14, 4)), hair, rng.uniform(0.3, 0.95))
    return colour


def paint_skin(
    rng: np.random.Generator,
    camera: Camera,
    surface: Surface,
    skin: Skin,
    hair: Floats,
    volume: Volume,
) -> Floats:
    """Reflectance of the bare person per pixel.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    camera, surface
        The scene.
    skin : Skin
        The subject's skin.
    hair : ndarray, shape (3,)
        Linear colour of the subject's hair, for brows and beard.
    volume : Volume
        Noise fixed to the head.

    Returns
    -------
    ndarray of float32, shape (H, W, 3)
        Linear RGB.
    """
    colour = _mottle(rng, surface, skin, volume)
    colour = _blemishes(rng, camera, surface, colour)
    colour = np.ascontiguousarray(colour)
    colour = _face(rng, surface, colour, hair, volume)
    ear = (surface.label == EAR)[..., None]
    warm = np.array([1.05, 0.85, 0.82], np.float32)
    folds = 0.85 + 0.15 * np.sin(surface.point_mm[..., 2:3] / 4 + surface.point_mm[..., 1:2] / 5)
    colour = np.where(ear, colour * warm * folds, colour)
    body = ((surface.label == NECK) | (surface.label == SHOULDERS))[..., None]
    tint = rng.uniform(0.85, 1.1, 3).astype(np.float32)
    return np.where(body, colour * tint, colour).astype(np.float32)


def follicle_dots(
    rng: np.random.Generator, camera: Camera, roots: Floats, strength: float, radius_mm: float
) -> Floats:
    """Darkening of the skin by dots at the follicles (shaved roots, micropigmentation).

    Returns
    -------
    ndarray of float32, shape (H, W)
        Share of the pixel that is pigment, in [0, 1].
    """
    super_px = 3
    size = camera.size * super_px
    canvas = np.zeros((size, size), np.uint8)
    xy, _ = camera.project(roots)
    radius = radius_mm / camera.mm_per_px * super_px
    drawn = max(1, round(float(radius)))
    level = min(1.0, float(radius / drawn) ** 2) * strength
    fixed = np.round((xy * super_px + 1) * 8).astype(np.int32)
    for x, y in fixed.tolist():
        cv2.circle(canvas, (x, y), drawn * 8, 255, -1, cv2.LINE_8, 3)
    dots = cv2.resize(canvas, (camera.size, camera.size), interpolation=cv2.INTER_AREA)
    speckle = 1 + 0.2 * plane(rng, camera.size, 6)
    return (np.clip(dots / 255 * level * speckle, 0, 1)).astype(np.float32)
