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
    shine = float(rng.choice([0.0, 0.02, 0.05, 0.15], p=[0.3, 0.3, 0.25, 0.15]))
    shine *= float(rng.uniform(0.5, 1.8))
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


class _Painter:
    """Mixes paint into the reflectance of a face, in place."""

    def __init__(self, colour: Floats, angles: _Angles, grain: Floats) -> None:
        self.colour = colour
        self.angles = angles
        self.grain = grain

    def mix(self, where: Floats, paint: Floats | float, amount: float) -> None:
        """Move the colour towards `paint` where a soft indicator says so."""
        self.colour += (np.clip(where, 0, 1) * amount)[..., None] * (paint - self.colour)

    def ellipse(
        self, azimuth: float, elevation: float, width: float, height: float, paint: Floats | float,
        amount: float,
    ) -> None:  # fmt: skip
        """Paint an ellipse; sizes in degrees."""
        self.mix(self.angles.ellipse(azimuth, elevation, width, height), paint, amount)

    def line(self, azimuth: Floats, elevation: Floats, thick: float, amount: float) -> None:
        """Darken along a line through points given in degrees (a wrinkle, a fold)."""
        a, e = self.angles.azimuth, self.angles.elevation
        gap = np.abs(e - np.interp(a, azimuth, elevation))
        taper = np.clip((a - azimuth[0]) / 4, 0, 1) * np.clip((azimuth[-1] - a) / 4, 0, 1)
        near = np.exp(-((gap / thick) ** 2)) * taper * self.angles.face
        self.mix(near, 0.35 * self.colour, amount)


def _eyes(rng: np.random.Generator, painter: _Painter) -> None:
    """Sockets, whites, irises, lids and lashes."""
    closed = rng.random() < 0.2
    open_deg, wide = rng.uniform(1.6, 3.6), rng.uniform(7, 9)
    irises = ((0.03, 0.015, 0.008), (0.10, 0.05, 0.02), (0.10, 0.16, 0.25), (0.10, 0.14, 0.08))
    iris = np.array(irises[int(rng.integers(4))], np.float32)
    shade, bag = rng.uniform(0.1, 0.6), rng.uniform(0, 0.4)
    gaze, lash = rng.normal(0, 1.2), rng.uniform(0.3, 1)
    white = np.full(3, rng.uniform(0.3, 0.7), np.float32)
    for side in (-1, 1):
        at = side * 19.5
        painter.ellipse(at, -2.5, 12, 6, painter.colour * 0.55, shade)
        painter.ellipse(at, -8.5, 9, 1.6, painter.colour * 0.6, bag)
        if not closed:
            painter.ellipse(at, -4, wide, open_deg, white, 0.9)
            painter.ellipse(at + gaze, -4, 3.2, min(open_deg, 3.2), iris, 0.95)
            painter.ellipse(at + gaze, -4, 1.4, min(open_deg, 1.4), 0.01, 0.95)
            painter.ellipse(at + gaze + 1, -3.2, 0.7, 0.6, 1.0, 0.8)
        painter.ellipse(at, -4 + open_deg, wide + 1, 0.9, 0.02, lash)
        painter.ellipse(at, -4 - open_deg, wide, 0.5, painter.colour * 0.4, 0.5 * lash)
        painter.ellipse(at, -1.2 + open_deg, wide + 1, 0.6, painter.colour * 0.5, 0.6)


def _brows(rng: np.random.Generator, painter: _Painter, hair: Floats) -> None:
    """Brows of short strokes, thicker towards the nose."""
    height, thick = rng.uniform(4, 10), rng.uniform(0.9, 3.2)
    bend, amount, slope = rng.uniform(0, 3), rng.uniform(0.2, 1.0), rng.uniform(-0.15, 0.1)
    paint = hair * rng.uniform(0.3, 1.0)
    a, e = painter.angles.azimuth, painter.angles.elevation
    for side in (-1, 1):
        along = (a * side - 19.5) / 13
        middle = height + bend * (1 - along**2) + slope * 13 * along
        width = thick * np.clip(1.15 - 0.5 * along, 0.4, 1.6)
        body = np.clip(2.5 * (1 - ((e - middle) / width) ** 2), 0, 1)
        painter.mix(body * (np.abs(along) < 1) * painter.angles.face * painter.grain, paint, amount)


def _mouth(rng: np.random.Generator, painter: _Painter) -> None:
    """Lips, sometimes open with teeth; nostrils and the folds beside the nose."""
    lips = np.array([0.30, 0.09, 0.08], np.float32) * rng.uniform(0.5, 1.6)
    lips = 0.5 * lips + 0.5 * painter.colour * np.array([1.0, 0.6, 0.6], np.float32)
    amount, wide = rng.uniform(0.2, 0.9), rng.uniform(11, 17)
    smile = rng.random() < 0.35
    painter.ellipse(0, -37.2, wide - 2, 2.2, lips, amount)
    painter.ellipse(0, -41.2, wide - 3, 2.8, lips, amount)
    if smile:
        painter.ellipse(0, -39.2, wide - 3, 2.4, 0.04, 0.9)
        painter.ellipse(0, -38.8, wide - 5, 1.8, rng.uniform(0.5, 0.8), 0.9)
    painter.ellipse(0, -39, wide, 0.6, painter.colour * 0.2, 0.8)
    for side in (-1, 1):
        painter.ellipse(side * 4, -27, 2.2, 1.3, painter.colour * 0.15, 0.9)
        fold = np.array([8.0, 13.0, 18.0])
        line = fold if side > 0 else -fold[::-1]
        drop = np.array([-24.0, -31.0, -41.0])
        painter.line(line, drop if side > 0 else drop[::-1], 0.9, rng.uniform(0, 0.6) + 0.3 * smile)
    painter.ellipse(0, -30, 9, 2, painter.colour * 0.6, rng.uniform(0.1, 0.6))


def _wrinkles(rng: np.random.Generator, painter: _Painter) -> None:
    """Lines across the forehead, between the brows and beside the eyes."""
    if rng.random() < 0.5:
        amount = rng.uniform(0.1, 0.6)
        for height in np.arange(rng.uniform(13, 20), 44, rng.uniform(4, 8)):
            grid = np.linspace(-rng.uniform(15, 40), rng.uniform(15, 40), 7)
            wave = height + rng.normal(0, 0.8, 7) + rng.uniform(-3, 3) * (grid / 30) ** 2
            painter.line(grid, wave, rng.uniform(0.3, 0.9), amount)
    if rng.random() < 0.4:
        for side in (-1, 1):
            painter.ellipse(side * 3, 6, 0.8, 4, painter.colour * 0.5, rng.uniform(0.1, 0.6))
            for k in range(3):
                ends = np.array([29.0, 38.0]) * side
                rise = np.array([-4.0, -8.0 + 6 * k])
                order = np.argsort(ends)
                painter.line(ends[order], rise[order], 0.5, rng.uniform(0, 0.5))


def _beard(rng: np.random.Generator, surface: Surface, painter: _Painter, hair: Floats) -> None:
    """Stubble, moustache or beard: hair of the face is *other skin* here."""
    p, azimuth = surface.point_mm, painter.angles.azimuth
    edge = rng.uniform(-40, -18)
    below = np.clip((edge - p[..., 2] + 25 * (np.abs(p[..., 0]) / 70) ** 2) / 12, 0, 1)
    jaw = below * (surface.label == FACE) * np.clip(p[..., 1] / 20 + 0.6, 0, 1)
    if rng.random() < 0.3:
        jaw = jaw * np.clip((30 - np.abs(azimuth)) / 6, 0, 1)
    if rng.random() < 0.6:
        jaw = np.maximum(jaw, painter.angles.ellipse(0, -33, 17, 3.5))
    beard = np.clip(jaw * painter.grain * rng.uniform(0.3, 1.4), 0, 1).astype(np.float32)
    paint = (
        hair * rng.uniform(0.5, 1.2) if rng.random() < 0.7 else np.full(3, rng.uniform(0.1, 0.6))
    )
    lips = painter.angles.ellipse(0, -39, 14, 4)
    painter.mix(beard * (1 - lips), paint.astype(np.float32), rng.uniform(0.25, 0.98))


def _face(
    rng: np.random.Generator, surface: Surface, colour: Floats, hair: Floats, volume: Volume
) -> Floats:
    """Paint eyes, brows, lips, nostrils, wrinkles and beard. All of them are *other skin*."""
    face = surface.label == FACE
    if face.sum() < 20:
        return colour
    grain = np.ones(face.shape, np.float32)
    grain[face] += 0.6 * volume.at(surface.point_mm[face] * np.array([1, 1, 0.6]), 1.5)
    painter = _Painter(colour, _angles(surface), np.clip(grain, 0, 2))
    rouge = colour * np.array([1.05, 0.75, 0.75], np.float32)
    blush = rng.uniform(0, 0.5)
    for side in (-1, 1):
        painter.ellipse(side * 33, -22, 18, 14, rouge, blush)
    painter.ellipse(0, -21, 8, 7, rouge, rng.uniform(0, 0.5))
    _wrinkles(rng, painter)
    _eyes(rng, painter)
    _brows(rng, painter, hair)
    _mouth(rng, painter)
    if rng.random() < 0.4:
        _beard(rng, surface, painter, hair)
    return painter.colour


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
