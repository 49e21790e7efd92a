"""Lights, and how skin and hair answer them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.strands.camera import Camera, Surface
from lab.strands.head import NECK, NOTHING, SHOULDERS, Floats
from lab.strands.skin import Skin


@dataclass(frozen=True, slots=True)
class Lighting:
    """Directional lights and an ambient that is stronger from above.

    Attributes
    ----------
    towards : ndarray, shape (L, 3)
        Unit vectors towards the lights, head frame.
    colour : ndarray, shape (L, 3)
        Linear RGB.
    ambient : ndarray, shape (3,)
        Linear RGB.
    above : ndarray, shape (3,)
        Unit vector from which the ambient comes.
    wrap : float
        How far light reaches round the edge of shadow, in [0, 1].
    hair_shine, hair_gloss : float
        Strength and exponent of the highlight of hair.
    """

    towards: Floats
    colour: Floats
    ambient: Floats
    above: Floats
    wrap: float
    hair_shine: float
    hair_gloss: float

    def shade_hair(
        self, tangent: Floats, points: Floats, normal: Floats, rgb: Floats, eye: Floats
    ) -> Floats:
        """Light of hair (..., 3) after Kajiya and Kay, darkened away from the light.

        References
        ----------
        Kajiya, Kay: Rendering fur with three dimensional textures, 1989,
        doi:10.1145/74333.74361
        """
        view = eye - points
        view /= np.linalg.norm(view, axis=-1, keepdims=True) + 1e-6
        open_sky = 0.65 + 0.35 * (normal @ self.above)[..., None]
        light = self.ambient * open_sky * rgb
        for towards, colour in zip(self.towards, self.colour, strict=True):
            sine = np.sqrt(np.clip(1 - (tangent @ towards) ** 2, 0, 1))[..., None]
            facing = np.clip((normal @ towards + self.wrap) / (1 + self.wrap), 0, 1)[..., None]
            half = view + towards
            half /= np.linalg.norm(half, axis=-1, keepdims=True) + 1e-6
            across = np.clip(1 - np.einsum("...i,...i->...", tangent, half) ** 2, 0, 1)
            shine = (self.hair_shine * across ** (self.hair_gloss / 2))[..., None]
            light = light + colour * facing * (0.85 * sine * rgb + shine * (0.3 + 0.7 * rgb))
        return light.astype(np.float32)

    def shade_skin(
        self, surface: Surface, reflectance: Floats, skin: Skin, eye: Floats, shadow: Floats
    ) -> Floats:
        """Light of the bare person per pixel (H, W, 3), linear, not clipped."""
        normal = surface.normal
        view = eye - surface.point_mm
        view /= np.linalg.norm(view, axis=-1, keepdims=True) + 1e-6
        open_sky = (0.65 + 0.35 * normal @ self.above)[..., None]
        light = self.ambient * open_sky * _below_chin(surface)[..., None] * reflectance
        oily = (surface.label > NOTHING) * skin.shine
        body = (surface.label == NECK) | (surface.label == SHOULDERS)
        for towards, colour in zip(self.towards, self.colour, strict=True):
            facing = np.clip((normal @ towards + self.wrap) / (1 + self.wrap), 0, 1)
            blocked = body & _behind_head(surface.point_mm, towards)
            facing = facing * np.where(blocked, 0.25, 1.0)
            half = view + towards
            half /= np.linalg.norm(half, axis=-1, keepdims=True) + 1e-6
            gloss = np.clip(np.einsum("...i,...i->...", normal, half), 0, 1) ** skin.gloss
            gloss = gloss * oily * (skin.gloss + 8) / 12 * (facing > 0)
            light = light + colour * shadow[..., None] * (
                facing[..., None] * reflectance + gloss[..., None]
            )
        return light.astype(np.float32)


def _below_chin(surface: Surface) -> Floats:
    """Share of the ambient light that reaches the neck below the jaw; 1 elsewhere."""
    height = np.clip((surface.point_mm[..., 2] + 160) / 60, 0, 1)
    front = np.clip(surface.point_mm[..., 1] / 40 + 0.5, 0, 1)
    return np.where(surface.label == NECK, 1 - 0.55 * height * front, 1.0).astype(np.float32)


def _behind_head(points: Floats, towards: Floats) -> np.ndarray:
    """Whether the skull lies between points (H, W, 3) and the light."""
    scale = np.array([1 / 76, 1 / 98, 1 / 108], np.float32)
    p, d = points * scale, towards * scale
    b = p @ d
    return (b < 0) & (b**2 > (d @ d) * (np.einsum("...i,...i->...", p, p) - 1))


def sample_lighting(rng: np.random.Generator, camera: Camera, *, plain: bool = False) -> Lighting:
    """One to three lights of any hardness and colour cast, scaled to a sensible exposure.

    Plain light is a room's or a window's: never from behind, with enough ambient.
    """
    count = int(rng.choice([1, 2, 3], p=[0.45, 0.35, 0.2]))
    towards = []
    for k in range(count):
        d = rng.normal(size=3)
        if k == 0 and rng.random() < 0.35:
            d = camera.position_mm / np.linalg.norm(camera.position_mm) + rng.normal(0, 0.15, 3)
        elif rng.random() < 0.7:
            d[2] = abs(d[2]) + 0.6
        d = d / np.linalg.norm(d)
        if plain:
            d = d + rng.uniform(0.4, 1.5) * camera.position_mm / np.linalg.norm(camera.position_mm)
        towards.append(d / np.linalg.norm(d))
    strength = np.exp(rng.normal(0, 0.5, count))
    cast = 0.05 if plain else 0.10
    warmth = rng.normal(0, cast, (count, 1)) * np.array([1, 0, -1.2])
    colour = strength[:, None] * np.exp(warmth + rng.normal(0, 0.03, (count, 3)))
    ambient = rng.uniform(0.35 if plain else 0.12, 1.0) * np.exp(rng.normal(0, 0.06, 3))
    total = 0.55 * colour.sum(0).mean() + ambient.mean()
    above = np.array([rng.normal(0, 0.4), rng.normal(0, 0.4), 1.0])
    return Lighting(
        np.asarray(towards, np.float32),
        (colour / total).astype(np.float32),
        (ambient / total).astype(np.float32),
        (above / np.linalg.norm(above)).astype(np.float32),
        float(rng.uniform(0.0, 0.6)),
        float(rng.choice([0.02, 0.06, 0.15, 0.4]) * rng.uniform(0.5, 1.5)),
        float(rng.uniform(8, 90)),
    )
