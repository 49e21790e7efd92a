"""Things in front of the head: hands, caps, bands, glasses, combs, clips, tapes, capes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.strands.backdrop import cloth
from lab.strands.camera import Camera, Surface
from lab.strands.head import EAR, FACE, SCALP, Floats
from lab.strands.skin import Skin, sample_skin

OBJECT, OTHER_SKIN = 4, 3


@dataclass(frozen=True, slots=True)
class Cover:
    """Something that hides what is behind it.

    Attributes
    ----------
    light : ndarray of float32, shape (H, W, 3)
        Linear light.
    alpha : ndarray of float32, shape (H, W)
        Coverage in [0, 1].
    class_code : int
        4 object or 3 other skin.
    """

    light: Floats
    alpha: Floats
    class_code: int


def _lit(picture: Floats, level: float) -> Floats:
    return (picture * level).astype(np.float32)


def _soft(mask: NDArray[np.uint8]) -> Floats:
    size = mask.shape[0] // 2
    return (cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA) / 255).astype(np.float32)


def _on_head(rng: np.random.Generator, surface: Surface) -> tuple[float, float]:
    """A pixel (x, y) on the scalp, or anywhere when none is seen."""
    at = np.argwhere(surface.label == SCALP)
    if not len(at):
        size = surface.label.shape[0]
        return float(rng.uniform(0, size)), float(rng.uniform(0, size))
    y, x = at[rng.integers(len(at))]
    return float(x), float(y)


def _hand(rng: np.random.Generator, camera: Camera, surface: Surface, skin: Skin) -> Cover:
    """One to four fingers, sometimes with a palm; capsules shaded like cylinders."""
    size = camera.size
    y, x = np.mgrid[:size, :size].astype(np.float32)
    tone = skin.reflectance if rng.random() < 0.6 else sample_skin(rng).reflectance
    tip = np.array(_on_head(rng, surface)) + rng.normal(0, 12, 2)
    heading = rng.uniform(0, 2 * np.pi)
    thick = rng.uniform(6.5, 10) / camera.mm_per_px
    away = np.array([np.cos(heading), np.sin(heading)])
    across = np.array([-away[1], away[0]])
    alpha = np.zeros((size, size), np.float32)
    shade = np.zeros((size, size), np.float32)
    side = rng.uniform(-0.5, 0.5)
    for finger in range(int(rng.integers(1, 5))):
        angle = heading + (finger - 1.5) * rng.uniform(0.02, 0.18)
        start = tip + across * thick * 2.1 * (finger - 1.5) + away * rng.normal(0, 0.8) * thick
        way = np.array([np.cos(angle), np.sin(angle)])
        u = (x - start[0]) * way[0] + (y - start[1]) * way[1]
        v = -(x - start[0]) * way[1] + (y - start[1]) * way[0]
        reach = rng.uniform(6, 9) * thick if rng.random() < 0.5 else 3 * size
        beyond = u - np.clip(u, 0, reach)
        knuckle = 1 + 0.08 * np.cos(u / thick * 1.5)
        distance = np.sqrt(v**2 + beyond**2) / (thick * knuckle)
        here = np.clip((1 - distance) * thick + 0.5, 0, 1)
        bulge = np.sqrt(np.clip(1 - distance**2, 0.02, 1)) * (1 + side * v / thick)
        nail = (np.abs(v) < 0.55 * thick) & (u > -0.5 * thick) & (u < 0.9 * thick)
        bulge = np.where(nail & (rng.random() < 0.5), bulge * 1.15, bulge)
        shade = np.where(here > 0.3, bulge, shade)
        alpha = np.maximum(alpha, here)
    u = (x - tip[0]) * away[0] + (y - tip[1]) * away[1] - 6.5 * thick
    v = -(x - tip[0]) * away[1] + (y - tip[1]) * away[0]
    wide = thick * (4.4 - 1.4 * np.clip((u / thick - 5) / 5, 0, 1))
    palm = np.sqrt(v**2 + np.minimum(u, 0) ** 2) / wide
    here = np.clip((1 - palm) * wide + 0.5, 0, 1)
    bulge = np.sqrt(np.clip(1 - palm**2, 0.02, 1)) * (1 + side * v / wide)
    shade = np.where((here > 0.3) & (alpha < 0.5), bulge, shade)
    alpha = np.maximum(alpha, here)
    light = tone * np.clip(0.25 + 0.75 * shade, 0, 1.2)[..., None] * rng.uniform(0.6, 1.2)
    return Cover(light.astype(np.float32), alpha, OTHER_SKIN)


def _cap(rng: np.random.Generator, camera: Camera, surface: Surface, cover: float) -> Cover:
    """A cap, hat, headband or scarf that follows the head."""
    p = surface.point_mm
    tilt = rng.normal(0, 0.25, 2)
    height = p[..., 2] + tilt[0] * p[..., 0] + tilt[1] * p[..., 1]
    low = rng.uniform(5, 60)
    on = (surface.label == SCALP) | (surface.label == FACE) | (surface.label == EAR)
    if cover > 0.5:
        mask = on & (height > low)
    else:
        axis = np.array([rng.normal(0, 0.3), rng.choice([-0.9, 0.2, 0.9]), rng.uniform(0.3, 1)])
        along = p @ (axis / np.linalg.norm(axis)).astype(np.float32)
        mask = on & (np.abs(along - rng.uniform(10, 85)) < rng.uniform(3, 22))
    grow = max(1, round(4 / camera.mm_per_px))
    solid = cv2.dilate(mask.astype(np.uint8), cv2.getStructuringElement(2, (2 * grow + 1,) * 2))
    alpha = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), 0.6)
    shade = 0.45 + 0.55 * np.clip(cv2.GaussianBlur(surface.normal[..., 2], (0, 0), 2), 0, 1)
    return Cover(_lit(cloth(rng, camera.size) * shade[..., None], 1.0), alpha, OBJECT)


def _tool(rng: np.random.Generator, camera: Camera, surface: Surface) -> Cover:
    """Comb, clip, ruler, tape, cable, sticker: straight things across the head."""
    size = camera.size
    canvas = np.zeros((2 * size, 2 * size), np.uint8)
    x, y = _on_head(rng, surface)
    angle = float(rng.uniform(0, 180))
    px = 1 / camera.mm_per_px
    long, wide = rng.uniform(15, 220) * px, rng.uniform(3, 22) * px
    box = cv2.boxPoints(((2 * x, 2 * y), (2 * long, 2 * wide), angle))
    cv2.fillPoly(canvas, [np.round(box).astype(np.int32)], 255)
    teeth = rng.random() < 0.4
    if teeth:
        a, b = box[0], box[1]
        c = box[3] - box[0]
        count = int(long / (rng.uniform(1.5, 4) * px)) + 2
        (a, b) = (box[0], box[3]) if np.linalg.norm(c) > np.linalg.norm(b - a) else (a, b)
        out = (box[1] - box[0]) if (b == box[3]).all() else c
        out = out / (np.linalg.norm(out) + 1e-3) * rng.uniform(12, 30) * px * 2
        for s in np.linspace(0, 1, min(count, 120)):
            foot = a + s * (b - a)
            cv2.line(canvas, foot.astype(int).tolist(), (foot - out).astype(int).tolist(), 255,
                     max(1, round(1.4 * px)))  # fmt: skip
    picture = cloth(rng, size)
    if rng.random() < 0.3:
        u = np.mgrid[:size, :size].sum(0) % max(3, round(6 * px)) < 1
        picture = np.where(u[..., None], 0.02, picture * 0 + rng.uniform(0.3, 0.9, 3))
    return Cover(_lit(picture, rng.uniform(0.5, 1.2)), _soft(canvas), OBJECT)


def _glasses(rng: np.random.Generator, camera: Camera) -> Cover:
    """Frames, bridge and temples, projected from the head; sometimes dark lenses."""
    size = camera.size
    canvas = np.zeros((2 * size, 2 * size), np.uint8)
    t = np.linspace(0, 2 * np.pi, 30)
    radius, lift = rng.uniform(16, 25), 0.0
    pushed_up = rng.random() < 0.25
    if pushed_up:
        lift = rng.uniform(60, 85)
    front = 95.0 if not pushed_up else 75.0
    thick = max(1, round(rng.uniform(1, 3.5) / camera.mm_per_px * 2))
    for side in (-1, 1):
        ring = np.stack(
            [side * 33 + radius * 1.2 * np.cos(t), front + 0 * t, lift - 6 + radius * np.sin(t)], 1
        )
        arm = np.array([[side * 62, front - 4, lift], [side * 84, 0, lift * 0.5 + 2.0]])
        for line, closed in ((ring, True), (arm, False)):
            if ((line - camera.position_mm) @ line.mean(0)).mean() > 0:
                continue
            xy, _ = camera.project(line.astype(np.float32))
            pixels = np.clip(np.round(xy * 2), -9000, 9000).astype(np.int32)
            cv2.polylines(canvas, [pixels], closed, 255, thick)
            if closed and rng.random() < 0.25:
                cv2.fillPoly(canvas, [pixels], 255)
    paint = np.full((size, size, 3), rng.uniform(0.005, 0.4), np.float32)
    return Cover(paint * rng.uniform(0.5, 1.5, 3).astype(np.float32), _soft(canvas), OBJECT)


def _cape(rng: np.random.Generator, camera: Camera) -> Cover:
    """Cloth that comes in from a border of the picture."""
    size = camera.size
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    along = (x - size / 2) * np.cos(angle) + (y - size / 2) * np.sin(angle)
    curve = rng.normal(0, 0.1) * ((x - size / 2) * np.sin(angle)) ** 2 / size
    edge = along + curve > rng.uniform(0.22, 0.48) * size
    return Cover(_lit(cloth(rng, size), rng.uniform(0.4, 1.0)), edge.astype(np.float32), OBJECT)


def _bar(rng: np.random.Generator, surface: Surface) -> Cover:
    """A plain rectangle over the eyes, as published photographs have it, or over another part."""
    size = surface.label.shape[0]
    face = np.argwhere(surface.label == FACE)
    alpha = np.zeros((size, size), np.float32)
    if len(face) > 50:
        top, left = np.percentile(face, 3, axis=0)
        bottom, right = np.percentile(face, 97, axis=0)
        high = rng.uniform(0.15, 0.6) * (bottom - top)
        middle = top + rng.uniform(0.2, 0.6) * (bottom - top)
        rows = slice(max(0, int(middle - high / 2)), int(middle + high / 2) + 1)
        alpha[rows, max(0, int(left)) : int(right) + 1] = 1
    paint = np.full((size, size, 3), rng.choice([0.0, 0.0, 0.2, 1.0]), np.float32)
    return Cover(paint, alpha, OBJECT)


def sample_covers(
    rng: np.random.Generator, camera: Camera, surface: Surface, skin: Skin
) -> list[Cover]:
    """Random things in front of the head, back to front; usually none or one."""
    covers = []
    if rng.random() < 0.10:
        covers.append(_cap(rng, camera, surface, rng.random()))
    if rng.random() < 0.14:
        covers.append(_glasses(rng, camera))
    if rng.random() < 0.13:
        covers.append(_tool(rng, camera, surface))
    if rng.random() < 0.16:
        covers.append(_hand(rng, camera, surface, skin))
    if rng.random() < 0.06:
        covers.append(_cape(rng, camera))
    if rng.random() < 0.06:
        covers.append(_bar(rng, surface))
    return covers
