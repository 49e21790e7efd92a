"""Photographs of the card whose scale and colours are known: a pinhole camera, light and damage."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image

from scalptrack.fiducials.layout import CARD_HEIGHT_MM, CARD_VERSION, CARD_WIDTH_MM
from scalptrack.fiducials.markers import card_picture

FILM_DIAGONAL_MM = 43.27
SOURCE_PX_PER_MM = 10
SUPERSAMPLING = 2


@dataclass(frozen=True)
class Shot:
    """How a photograph of the card is taken.

    ``tilt_deg`` turns the card around an axis in its own plane that lies at ``axis_deg``, then
    ``roll_deg`` turns it around its normal. ``stretch`` is width over height of the print.
    ``bend_radius_mm`` bends the card around its upright axis. ``covered`` is a rectangle on the
    card (x, y, width, height; mm) under a finger.
    """

    size_px: tuple[int, int] = (1500, 2000)
    focal_mm: float = 26.0
    distance_mm: float = 400.0
    offset_mm: tuple[float, float] = (60.0, 40.0)
    tilt_deg: float = 10.0
    axis_deg: float = 30.0
    roll_deg: float = 8.0
    stretch: float = 1.0
    bend_radius_mm: float = 0.0
    lens_k1: float = 0.0
    version: int = CARD_VERSION
    covered: tuple[float, float, float, float] | None = None
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    mixing: float = 0.0
    tone: float = 1.0
    exposure: float = 0.8
    light_stops: float = 0.0
    blur_px: float = 0.6
    noise: float = 2.0
    quality: int = 90
    seed: int = 1

    def focal_px(self) -> float:
        return self.focal_mm / FILM_DIAGONAL_MM * float(np.hypot(*self.size_px))

    def true_mm_per_px(self) -> float:
        """At the depth of the card's middle."""
        return self.distance_mm / self.focal_px()


def linear(levels: np.ndarray) -> np.ndarray:
    share = levels / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def encoded(light: np.ndarray) -> np.ndarray:
    share = np.clip(light, 0, 1)
    return 255 * np.where(
        share <= 0.0031308, 12.92 * share, 1.055 * np.maximum(share, 1e-9) ** (1 / 2.4) - 0.055
    )


def rotation(shot: Shot) -> np.ndarray:
    axis = np.radians(shot.axis_deg)
    turn = np.radians(shot.tilt_deg) * np.array([np.cos(axis), np.sin(axis), 0])
    roll = np.array([0, 0, np.radians(shot.roll_deg)])
    return cv2.Rodrigues(turn)[0] @ cv2.Rodrigues(roll)[0]


def photographed_points(shot: Shot, card_mm: np.ndarray) -> np.ndarray:
    """Pixels (N, 2) of points on the card (N, 2), through print, bend, pose and lens."""
    middle = np.array([CARD_WIDTH_MM / 2, CARD_HEIGHT_MM / 2])
    flat = (card_mm - middle) * (np.sqrt(shot.stretch), 1 / np.sqrt(shot.stretch))
    solid = np.column_stack([flat, np.zeros(len(flat))])
    if shot.bend_radius_mm:
        angle = flat[:, 0] / shot.bend_radius_mm
        solid[:, 0] = shot.bend_radius_mm * np.sin(angle)
        solid[:, 2] = shot.bend_radius_mm * (1 - np.cos(angle))
    placed = solid @ rotation(shot).T + (*shot.offset_mm, shot.distance_mm)
    seen = placed[:, :2] / placed[:, 2:]
    seen = seen * (1 + shot.lens_k1 * np.square(seen).sum(axis=1, keepdims=True))
    height, width = shot.size_px
    return seen * shot.focal_px() + ((width - 1) / 2, (height - 1) / 2)


@functools.cache
def _source(version: int) -> np.ndarray:
    light = linear(card_picture(SOURCE_PX_PER_MM, version=version).astype(np.float64))
    return np.dstack([light, np.ones(light.shape[:2])]).astype(np.float32)


def seen_card(shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    """Linear light of the card as the camera sees it, and the share of each pixel that it fills."""
    source = _source(shot.version).copy()
    if shot.covered:
        x, y, width, height = (round(each * SOURCE_PX_PER_MM) for each in shot.covered)
        source[y : y + height, x : x + width, :3] = linear(np.array([214.0, 160.0, 135.0]))
    # Pieces of the card small enough to be flat for the eye: exact also when bent or distorted.
    pieces = 12 if shot.bend_radius_mm or shot.lens_k1 else 1
    xs = np.linspace(0, CARD_WIDTH_MM, pieces + 1)
    ys = np.linspace(0, CARD_HEIGHT_MM, pieces + 1)
    grid = np.stack(np.meshgrid(xs, ys), axis=2)
    seen = photographed_points(shot, grid.reshape(-1, 2))
    low = np.maximum(np.floor(seen.min(axis=0)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(seen.max(axis=0)).astype(int) + 3, shot.size_px[::-1])
    whole = np.zeros((*shot.size_px, 4), np.float32)
    if (high > low).all():
        box = tuple(high - low)
        canvas = np.zeros((box[1] * SUPERSAMPLING, box[0] * SUPERSAMPLING, 4), np.float32)
        for i in range(pieces):
            for j in range(pieces):
                corners = np.array([grid[j, i], grid[j, i + 1], grid[j + 1, i + 1], grid[j + 1, i]])
                _draw_piece(canvas, source, corners, photographed_points(shot, corners) - low)
        part = cv2.resize(canvas, box, interpolation=cv2.INTER_AREA)
        whole[low[1] : high[1], low[0] : high[0]] = part
    return whole[..., :3], whole[..., 3]


def _draw_piece(
    canvas: np.ndarray, source: np.ndarray, corners: np.ndarray, seen: np.ndarray
) -> None:
    target = (seen + 0.5) * SUPERSAMPLING - 0.5
    matrix = cv2.getPerspectiveTransform(
        (corners * SOURCE_PX_PER_MM - 0.5).astype(np.float32), target.astype(np.float32)
    )
    size = (canvas.shape[1], canvas.shape[0])
    piece = cv2.warpPerspective(source, matrix, size, flags=cv2.INTER_LINEAR)
    mask = np.zeros(piece.shape[:2], np.uint8)
    polygon = np.rint(target * 256).astype(np.int32)
    cv2.fillConvexPoly(mask, polygon, 1, shift=8)
    canvas[mask > 0] = piece[mask > 0]


def photograph(shot: Shot, background: np.ndarray | None = None) -> np.ndarray:
    """The photograph, uint8 (H, W, 3); ``background`` (H, W, 3) lies behind the card."""
    light, share = seen_card(shot)
    if background is None:
        background = np.full((*shot.size_px, 3), (150, 140, 125), np.uint8)
    scene = light + (1 - share[..., np.newaxis]) * linear(background.astype(np.float64))
    return developed(scene, shot)


def developed(scene: np.ndarray, shot: Shot) -> np.ndarray:
    """Light of a scene (H, W, 3) through coloured, uneven light and the camera."""
    across = np.linspace(-0.5, 0.5, scene.shape[1])
    seen = scene * shot.exposure * np.array(shot.gains) * 2 ** (shot.light_stops * across)[:, None]
    mixed = (1 - shot.mixing) * seen + shot.mixing * seen.mean(axis=2, keepdims=True)
    picture = encoded(np.clip(mixed, 0, 1) ** shot.tone)
    if shot.blur_px:
        picture = cv2.GaussianBlur(picture, (0, 0), shot.blur_px)
    rng = np.random.default_rng(shot.seed)
    noisy = picture + rng.normal(0, shot.noise, picture.shape)
    picture = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    if shot.quality >= 100:
        return picture
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=shot.quality)
    return np.asarray(Image.open(buffer))


def random_shot(rng: np.random.Generator, **fixed: object) -> Shot:
    """A shot as people take them."""
    shot = Shot(
        distance_mm=float(rng.uniform(280, 600)),
        focal_mm=float(rng.choice([24.0, 26.0, 28.0, 52.0])),
        tilt_deg=float(rng.uniform(0, 35)),
        axis_deg=float(rng.uniform(0, 180)),
        roll_deg=float(rng.uniform(-180, 180)),
        seed=int(rng.integers(1 << 30)),
    )
    reach = 0.18 * shot.distance_mm * 26 / shot.focal_mm
    offset = rng.uniform(-reach, reach, 2)
    shot = replace(shot, offset_mm=(float(offset[0]), float(offset[1])))
    return replace(shot, **fixed)
