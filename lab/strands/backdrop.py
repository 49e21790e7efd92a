"""Backgrounds and cloth: anything that is neither hair nor skin, or looks like either."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from lab.strands.head import Floats
from lab.strands.noise import layered, plane

_TEXT = ("A7", "clinic", "2024", "Rx", "OPEN", "no 3", "left", "cm", "Hello", "42")


def _colour(rng: np.random.Generator) -> Floats:
    """A random linear colour, mostly dull."""
    base = rng.uniform(0.02, 0.95) ** 1.5
    spread = rng.choice([0.05, 0.15, 0.6])
    return np.clip(base * np.exp(rng.normal(0, spread, 3)), 0.003, 1.0).astype(np.float32)


def _skin_or_hair_colour(rng: np.random.Generator) -> Floats:
    """A linear colour in the range of skin, wood and hair."""
    red = float(np.exp(rng.uniform(np.log(0.02), np.log(0.8))))
    return np.array([red, red * rng.uniform(0.4, 0.8), red * rng.uniform(0.15, 0.65)], np.float32)


def _any_colour(rng: np.random.Generator) -> Floats:
    return _skin_or_hair_colour(rng) if rng.random() < 0.4 else _colour(rng)


def _turned(rng: np.random.Generator, size: int) -> tuple[Floats, Floats]:
    """Pixel coordinates turned by a random angle."""
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return c * x + s * y, -s * x + c * y


def _wall(rng: np.random.Generator, size: int) -> Floats:
    grain = 0.03 * layered(rng, size, rng.uniform(3, 200)) * rng.choice([0.3, 1, 3])
    u, _ = _turned(rng, size)
    fall = np.exp(rng.normal(0, 0.4) * (u / size - 0.5))
    return (fall * np.exp(grain))[..., None] * _any_colour(rng)


def _two_tone(rng: np.random.Generator, size: int) -> Floats:
    u, v = _turned(rng, size)
    edge = u + 0.2 * v > rng.uniform(0.1, 0.9) * size
    return np.where(edge[..., None], _wall(rng, size), _wall(rng, size))


def _planks(rng: np.random.Generator, size: int) -> Floats:
    """Wood: planks with grain along them."""
    u, v = _turned(rng, size)
    width = rng.uniform(15, 110)
    plank = np.floor(u / width).astype(np.int64)
    tone = np.exp(rng.normal(0, 0.25, 400))[plank % 400]
    across = u + 2.5 * layered(rng, size, 60)
    grain = np.sin(across * rng.uniform(0.3, 2.0)) * 0.08 + 0.12 * _fibre(rng, u, v, 18)
    gap = np.where(np.abs(u - plank * width) < rng.uniform(0.5, 2.5), 0.4, 1.0)
    return (tone * np.exp(grain) * gap)[..., None].astype(np.float32) * _skin_or_hair_colour(rng)


def _fibre(rng: np.random.Generator, u: Floats, v: Floats, longer: float) -> Floats:
    """Noise stretched along v."""
    size = len(u)
    field = plane(rng, size, 1.5 + rng.random() * 2)
    return cv2.remap(
        field,
        np.mod(u, size - 1).astype(np.float32),
        np.mod(v / longer, size - 1).astype(np.float32),
        cv2.INTER_LINEAR,
    )


def _carpet(rng: np.random.Generator, size: int) -> Floats:
    noise = layered(rng, size, rng.uniform(2, 14), 3) * rng.uniform(0.1, 0.5)
    noise = noise + 0.3 * layered(rng, size, 90) * rng.random()
    return np.exp(noise)[..., None] * _any_colour(rng)


def _tiles(rng: np.random.Generator, size: int) -> Floats:
    u, v = _turned(rng, size)
    cell, line = rng.uniform(18, 130), rng.uniform(1, 4)
    tone = np.exp(rng.normal(0, 0.12, (64, 64)))
    face = tone[(u // cell).astype(np.int64) % 64, (v // cell).astype(np.int64) % 64]
    grout = (np.mod(u, cell) < line) | (np.mod(v, cell) < line)
    picture = face[..., None] * _any_colour(rng)
    return (
        np.where(grout[..., None], _colour(rng), picture)
        * np.exp(0.05 * layered(rng, size, 40))[..., None]
    )


def _stripes(rng: np.random.Generator, size: int) -> Floats:
    """Curtain folds, blinds, striped cloth."""
    u, v = _turned(rng, size)
    period = rng.uniform(4, 60)
    bend = rng.uniform(0, 8) * layered(rng, size, 120)
    wave = np.sin((u + bend) * 2 * np.pi / period)
    if rng.random() < 0.5:
        wave = np.sign(wave)
    if rng.random() < 0.3:
        wave = wave + np.sign(np.sin(v * 2 * np.pi / period))
    mix = (0.5 + 0.5 * np.clip(wave, -1, 1))[..., None] * rng.uniform(0.2, 1)
    return _any_colour(rng) * mix + _any_colour(rng) * (1 - mix)


def _fur(rng: np.random.Generator, size: int) -> Floats:
    """Fur, grass, brushed cloth: hair-like lines that are no hair of the scalp."""
    picture = np.ascontiguousarray(_wall(rng, size))
    low, high = _any_colour(rng), _any_colour(rng)
    count = int(rng.integers(200, 5000))
    start = rng.uniform(-10, size + 10, (count, 2))
    angle = rng.uniform(0, 2 * np.pi) + rng.choice([0.1, 0.4, 3.0]) * rng.normal(size=count)
    reach = rng.uniform(4, 70)
    bend = rng.normal(0, 0.5, count)
    steps = np.linspace(0, reach, 4)
    turn = angle[:, None] + bend[:, None] * steps / reach
    path = start[:, None] + np.stack([np.cos(turn) * steps, np.sin(turn) * steps], -1)
    lines = np.round(path * 8).astype(np.int32)[:, :, None]
    for line, share in zip(lines, rng.random(count).tolist(), strict=True):
        paint = (low + share * (high - low)).tolist()
        cv2.polylines(picture, [line], False, paint, 1, cv2.LINE_8, 3)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0))


def _clutter(rng: np.random.Generator, size: int) -> Floats:
    """Shapes in front of one another, each with some texture."""
    picture = np.ascontiguousarray(_wall(rng, size))
    for _ in range(int(rng.integers(4, 40))):
        mask = np.zeros((size, size), np.uint8)
        x, y = (int(k) for k in rng.uniform(0, size, 2))
        a, b = (int(k) for k in np.exp(rng.uniform(np.log(4), np.log(size / 2.5), 2)))
        turn = float(rng.uniform(0, 180))
        if rng.random() < 0.4:
            cv2.ellipse(mask, (x, y), (a, b), turn, 0, 360, 255, -1)
        else:
            box = cv2.boxPoints(((x, y), (2 * a, b), turn)).astype(np.int32)
            cv2.fillPoly(mask, [box], 255)
        paint = _any_colour(rng)
        shade = np.exp(rng.uniform(0, 0.3) * plane(rng, size, rng.uniform(4, 120)))
        picture = np.where(mask[..., None] > 0, paint * shade[..., None], picture)
    return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), rng.uniform(0.3, 7))


def _bokeh(rng: np.random.Generator, size: int) -> Floats:
    picture = np.ascontiguousarray(_wall(rng, size).astype(np.float32)) * 0.5
    radius = rng.uniform(4, 30)
    for _ in range(int(rng.integers(5, 60))):
        x, y = (int(k) for k in rng.uniform(0, size, 2))
        paint = (_colour(rng) * rng.uniform(0.5, 2)).tolist()
        layer = picture.copy()
        cv2.circle(layer, (x, y), int(radius * rng.uniform(0.5, 1.2)) + 1, paint, -1, cv2.LINE_AA)
        picture = cv2.addWeighted(layer, 0.6, picture, 0.4, 0)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 6))


def _poster(rng: np.random.Generator, size: int) -> Floats:
    picture = np.ascontiguousarray(_wall(rng, size).astype(np.float32))
    for _ in range(int(rng.integers(2, 12))):
        x, y = (int(k) for k in rng.uniform(-20, size, 2))
        word = str(rng.choice(_TEXT))
        thick = int(rng.integers(1, 4))
        size_factor = float(rng.uniform(0.4, 2.5))
        ink = np.zeros((size, size), np.uint8)
        cv2.putText(ink, word, (x, y), 0, size_factor, 255, thick, cv2.LINE_AA)
        picture = picture + (ink / np.float32(255))[..., None] * (_colour(rng) - picture)
    return picture


def _rounds(rng: np.random.Generator, size: int) -> Floats:
    """Balls, bowls, balloons: round things of skin or hair colour that are no head."""
    picture = np.ascontiguousarray(_wall(rng, size).astype(np.float32))
    y, x = np.mgrid[:size, :size].astype(np.float32)
    for _ in range(int(rng.integers(1, 5))):
        cx, cy = rng.uniform(0, size, 2)
        a, b = rng.uniform(15, size * 0.4, 2)
        away = ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2
        lit = 0.4 + 0.6 * np.clip(
            1 - ((x - cx + a / 3) / a) ** 2 - ((y - cy + b / 3) / b) ** 2, 0, 1
        )
        texture = np.exp(rng.choice([0.02, 0.2]) * layered(rng, size, rng.uniform(3, 30)))
        paint = _any_colour(rng) * (lit * texture)[..., None]
        picture = np.where(away[..., None] < 1, paint, picture)
    return picture


_KINDS: tuple[tuple[Callable[[np.random.Generator, int], Floats], float], ...] = (
    (_wall, 0.22),
    (_two_tone, 0.10),
    (_planks, 0.13),
    (_carpet, 0.09),
    (_tiles, 0.09),
    (_stripes, 0.08),
    (_fur, 0.07),
    (_clutter, 0.14),
    (_bokeh, 0.03),
    (_poster, 0.03),
    (_rounds, 0.02),
)


def backdrop(rng: np.random.Generator, size: int) -> Floats:
    """A random background.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int
        Height and width in pixels.

    Returns
    -------
    ndarray of float32, shape (size, size, 3)
        Linear RGB.
    """
    chance = np.array([share for _, share in _KINDS])
    make = _KINDS[int(rng.choice(len(_KINDS), p=chance / chance.sum()))][0]
    picture = make(rng, size).astype(np.float32)
    if rng.random() < 0.5:
        top = make(rng, size).astype(np.float32)
        u, v = _turned(rng, size)
        edge = (u + 0.1 * v) > rng.uniform(0.3, 1.2) * size
        picture = np.where(edge[..., None], top, picture)
    if rng.random() < 0.6:
        picture = cv2.GaussianBlur(picture, (0, 0), float(np.exp(rng.uniform(-1.2, 1.8))))
    return (picture * rng.uniform(0.4, 1.2)).astype(np.float32)


def lone_scene(rng: np.random.Generator, size: int) -> Floats:
    """A picture without a head: often round things, fur or wood."""
    if rng.random() < 0.4:
        return _rounds(rng, size).astype(np.float32)
    return backdrop(rng, size)


def cloth(rng: np.random.Generator, size: int) -> Floats:
    """Reflectance of clothes, towel or cape over the whole picture, linear RGB."""
    kind = rng.random()
    if kind < 0.55:
        paint = np.broadcast_to(_colour(rng), (size, size, 3)).copy()
        if rng.random() < 0.3:
            paint[:] = rng.choice([0.008, 0.02, 0.8])
    elif kind < 0.8:
        paint = _stripes(rng, size)
    elif kind < 0.9:
        paint = _fur(rng, size)
    else:
        paint = _poster(rng, size)
    folds = np.exp(rng.uniform(0.03, 0.3) * layered(rng, size, rng.uniform(15, 70), 2))
    weave = np.exp(rng.uniform(0, 0.15) * plane(rng, size, 1.5))
    return (paint * (folds * weave)[..., None]).astype(np.float32)
