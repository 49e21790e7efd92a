"""Pictures painted with NumPy: the marks on the skin, and what is behind the head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from lab.phantom.head import FloatArray, is_scalp, unit
from lab.phantom.subject import Follicles, Subject, affected_by_pattern, stream

MAP_HEIGHT, MAP_WIDTH = 2048, 4096
"""Size of the skin map: 0.15 mm per pixel on a head of 10 cm radius."""

# Linear albedo of Fitzpatrick I-VI.
SKIN_ALBEDO = np.array(
    [
        [0.80, 0.55, 0.45],
        [0.70, 0.46, 0.35],
        [0.57, 0.36, 0.25],
        [0.40, 0.24, 0.155],
        [0.23, 0.13, 0.082],
        [0.115, 0.064, 0.043],
    ]
)


def skin_albedo(skin_type: float) -> FloatArray:
    """Linear RGB albedo (3,) of a Fitzpatrick type between 1 and 6."""
    types = np.arange(1.0, 7.0)
    return np.array([np.interp(skin_type, types, SKIN_ALBEDO[:, k]) for k in range(3)])


def map_coordinates_of(direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Column and row (float, row 0 at the bottom) of unit `direction` (N, 3) in the skin map.

    The map is equirectangular with its poles on the x axis, under the ears.
    """
    x, y, z = direction.T
    column = (-np.arctan2(z, y) / (2.0 * np.pi) + 0.5) * MAP_WIDTH
    row = (np.arctan2(x, np.hypot(y, z)) / np.pi + 0.5) * MAP_HEIGHT
    return np.asarray(column), np.asarray(row)


def skin_map(subject: Subject, follicles: Follicles, *, stubble: float) -> NDArray[np.float32]:
    """Multiplier of the skin's albedo, (MAP_HEIGHT, MAP_WIDTH, 3), row 0 at the bottom.

    Freckles, moles, sun spots, red spots, small scars, painted brows, lids and lips,
    follicle openings, and micropigmentation where the subject has it.

    Parameters
    ----------
    stubble
        Darkness (0-1) of the follicle openings: shaved hair shows as dots.
    """
    picture = np.ones((MAP_HEIGHT, MAP_WIDTH, 3), dtype=np.float32)
    rng = stream(subject.seed, "skin")
    _marks(picture, rng, subject)
    _paint_face(picture, subject)
    dots = np.full(len(follicles.rank), 0.10 + stubble * 0.5)
    _dots(picture, follicles.direction, dots, np.array([0.55, 0.45, 0.42]))
    if subject.micropigmentation:
        tattoo = unit(stream(subject.seed, "tattoo").normal(0.0, 1.0, (90_000, 3)))
        tattoo = tattoo[is_scalp(subject.shape, tattoo)]
        strength = 0.85 * affected_by_pattern(subject, tattoo)
        _dots(picture, tattoo, strength, np.array([0.12, 0.12, 0.13]))
    return picture


def _marks(picture: NDArray[np.float32], rng: np.random.Generator, subject: Subject) -> None:
    """Round and ragged spots of all sizes; small ones are many, large ones few."""
    count = int(1700 * subject.mottling)
    direction = unit(rng.normal(0.0, 1.0, (count, 3)))
    size_cm = np.clip(0.045 * rng.pareto(2.2, count) + 0.035, 0.035, 0.55)
    kind = rng.random(count)
    strength = rng.uniform(0.15, 0.65, count) * np.clip(0.16 / size_cm, 0.35, 1.0) ** 0.5
    dark = subject.skin_type >= 4.5
    for d, size, k, usual in zip(direction, size_cm, kind, strength, strict=True):
        s = float(usual)
        if k < 0.70:
            colour = np.array([0.30, 0.20, 0.17]) if not dark else np.array([0.25, 0.22, 0.22])
        elif k < 0.85:
            colour = np.array([0.95, 0.50, 0.48])
        elif k < 0.94:
            colour = np.array([1.30, 1.28, 1.25]) if not dark else np.array([1.8, 1.75, 1.7])
        else:
            colour, s = np.array([0.12, 0.08, 0.07]), min(1.0, 1.6 * s)
        squeeze, turn = rng.uniform(0.45, 1.0), rng.uniform(0.0, np.pi)
        _blot(picture, d, float(size), float(squeeze), float(turn), 1.0 + s * (colour - 1.0))


def _blot(
    picture: NDArray[np.float32],
    direction: FloatArray,
    size_cm: float,
    squeeze: float,
    turn: float,
    factor: FloatArray,
) -> None:
    """Multiply a soft-edged ellipse of half axis `size_cm` into the map."""
    column, row = (float(v[0]) for v in map_coordinates_of(direction[None]))
    per_cm = MAP_HEIGHT / (np.pi * 9.5)
    stretch = 1.0 / max(float(np.hypot(direction[1], direction[2])), 0.05)
    half = int(np.ceil(size_cm * per_cm * 1.6)) + 1
    half_columns = int(np.ceil(half * stretch))
    rows = np.arange(int(row) - half, int(row) + half + 1)
    columns = np.arange(int(column) - half_columns, int(column) + half_columns + 1)
    dy = (rows[:, None] - row) / per_cm / size_cm
    dx = (columns[None] - column) / per_cm / stretch / size_cm
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / squeeze
    v = -dx * np.sin(turn) + dy * np.cos(turn)
    weight = 1.0 / (1.0 + np.exp((np.hypot(u, v) - 0.8) * 7.0))
    rows = np.clip(rows, 0, MAP_HEIGHT - 1)
    columns = columns % MAP_WIDTH
    block = np.ix_(rows, columns)
    picture[block] *= (1.0 + weight[..., None] * (factor - 1.0)).astype(np.float32)


def _paint_face(picture: NDArray[np.float32], subject: Subject) -> None:
    """Brows, closed lids and lips: paint, not hair."""
    brow = np.array([0.35, 0.28, 0.25])
    for side in (-1.0, 1.0):
        for step in np.linspace(0.0, 1.0, 14):
            d = unit(np.array([side * (0.16 + 0.30 * step), 1.0, 0.11 + 0.05 * np.sin(2.6 * step)]))
            _blot(picture, d, 0.38, 0.9, 0.0, 1.0 + 0.45 * (brow - 1.0))
        for step in np.linspace(-1.0, 1.0, 16):
            d = unit(np.array([side * (0.33 + 0.13 * step), 1.0, -0.135 + 0.03 * step**2]))
            _blot(picture, d, 0.14, 1.0, 0.0, np.array([0.45, 0.42, 0.42]))
    for step in np.linspace(-1.0, 1.0, 26):
        d = unit(np.array([0.24 * step, 1.0, -0.80 - 0.01 * step**2]))
        _blot(picture, d, 0.60 * (1.05 - 0.6 * step**2), 1.0, 0.0, np.array([0.97, 0.90, 0.91]))
        _blot(picture, d, 0.09, 1.0, 0.0, np.array([0.60, 0.50, 0.50]))
    if subject.skin_type < 3.0:
        for side in (-1.0, 1.0):
            d = unit(np.array([side * 0.48, 0.85, -0.30]))
            _blot(picture, d, 2.2, 1.0, 0.0, np.array([1.0, 0.90, 0.90]))


def _dots(
    picture: NDArray[np.float32], direction: FloatArray, strength: FloatArray, colour: FloatArray
) -> None:
    """Multiply dots of about 0.35 mm into the map, all at once."""
    column, row = map_coordinates_of(direction)
    base_row, base_column = np.floor(row).astype(int), np.floor(column).astype(int)
    stretch = np.clip(1.0 / np.maximum(np.hypot(direction[:, 1], direction[:, 2]), 0.2), 1.0, 3.0)
    factor = np.ones(picture.shape[:2], dtype=np.float32)
    for i in range(-2, 4):
        for j in range(-4, 6):
            rows, columns = base_row + i, base_column + j
            reach = ((rows + 0.5 - row) ** 2 + ((columns + 0.5 - column) / stretch) ** 2) / 1.3**2
            weight = (1.0 - strength * np.exp(-reach)).astype(np.float32)
            rows = np.clip(rows, 0, MAP_HEIGHT - 1)
            np.minimum.at(factor, (rows, columns % MAP_WIDTH), weight)
    darkness = (1.0 - factor)[..., None] * (1.0 - colour)
    picture *= (1.0 - darkness).astype(np.float32)


def background_picture(kind: str, seed: int, *, size: int = 1400) -> NDArray[np.float32]:
    """Linear albedo (size, size, 3) of what is behind the head, 140 cm across."""
    rng = stream(seed, f"background-{kind}")
    painters = {
        "wall": _wall,
        "wallpaper": _wallpaper,
        "wood": _wood,
        "tiles": _tiles,
        "towel": _towel,
        "clothes": _fabric,
        "brick": _brick,
    }
    return np.clip(painters[kind](rng, size), 0.01, 0.95).astype(np.float32)


def _clouds(rng: np.random.Generator, size: int, cell: float) -> FloatArray:
    """Smooth noise of zero mean and unit variance with features of `cell` pixels."""
    coarse = rng.normal(0.0, 1.0, (int(size / cell) + 4,) * 2)
    field = zoom(coarse, cell, order=3)[:size, :size]
    if min(field.shape) < size:
        field = np.pad(field, [(0, size - s) for s in field.shape], mode="reflect")
    return np.asarray((field - field.mean()) / field.std())


def _colour(rng: np.random.Generator, low: float, high: float, tint: float = 0.12) -> FloatArray:
    level = rng.uniform(low, high)
    return np.asarray(np.clip(level * (1.0 + rng.normal(0.0, tint, 3)), 0.02, 0.9))


def _wall(rng: np.random.Generator, size: int) -> FloatArray:
    plaster = 0.015 * _clouds(rng, size, 3.0) + 0.03 * _clouds(rng, size, 120.0)
    return np.asarray(_colour(rng, 0.25, 0.75)[None, None] * (1.0 + plaster[..., None]))


def _wallpaper(rng: np.random.Generator, size: int) -> FloatArray:
    picture = _wall(rng, size)
    y, x = np.mgrid[:size, :size].astype(float)
    period = rng.uniform(60.0, 130.0)
    lattice = np.sin(2 * np.pi * x / period) * np.sin(2 * np.pi * y / period)
    petals = lattice + 0.4 * np.sin(
        6 * np.arctan2((y % period) - period / 2, (x % period) - period / 2)
    )
    mask = gaussian_filter((petals > 0.55).astype(float), 1.2)[..., None]
    return np.asarray(picture * (1 - mask) + mask * _colour(rng, 0.1, 0.5, 0.4))


def _wood(rng: np.random.Generator, size: int) -> FloatArray:
    base = np.array([0.36, 0.20, 0.10]) * rng.uniform(0.35, 1.5)
    plank = int(rng.uniform(90, 140))
    picture = np.empty((size, size, 3))
    grain = gaussian_filter(rng.normal(0, 1, (size, size)), (1.0, 45.0))
    grain /= grain.std()
    for top in range(0, size, plank):
        shade = 1.0 + rng.normal(0, 0.14)
        rows = slice(top, min(top + plank, size))
        rolled = np.roll(grain[rows], int(rng.integers(size)), axis=1)
        picture[rows] = base * shade * (1.0 + 0.16 * rolled[..., None])
        picture[top : top + 2] *= 0.25
        joint = int(rng.integers(size))
        picture[rows, joint : joint + 2] *= 0.3
    return picture


def _tiles(rng: np.random.Generator, size: int) -> FloatArray:
    picture = _wall(rng, size)
    pitch = int(rng.uniform(110, 240))
    for start in range(0, size, pitch):
        picture[start : start + 4] *= 0.55
        picture[:, start : start + 4] *= 0.55
        for other in range(0, size, pitch):
            picture[start : start + pitch, other : other + pitch] *= 1.0 + rng.normal(0, 0.05)
    speckle = gaussian_filter(rng.normal(0, 1, (size, size)), 1.5)
    return np.asarray(
        picture * (1.0 + 0.10 * speckle[..., None] / speckle.std() * rng.uniform(0, 1))
    )


def _towel(rng: np.random.Generator, size: int) -> FloatArray:
    y, x = np.mgrid[:size, :size].astype(float)
    loops = (
        0.12 * np.sin(2 * np.pi * x / 7.0 + _clouds(rng, size, 20.0)) * np.sin(2 * np.pi * y / 7.0)
    )
    folds = 0.18 * _clouds(rng, size, 220.0) + 0.05 * _clouds(rng, size, 3.0)
    picture = _colour(rng, 0.2, 0.7, 0.35)[None, None] * (1.0 + (loops + folds)[..., None])
    band = int(rng.integers(size // 2))
    picture[band : band + 60] *= _colour(rng, 0.5, 1.0, 0.3)
    return np.asarray(picture)


def _fabric(rng: np.random.Generator, size: int) -> FloatArray:
    y, x = np.mgrid[:size, :size].astype(float)
    angle = rng.uniform(0, np.pi)
    stripe = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / rng.uniform(12, 50))
    folds = 0.35 * _clouds(rng, size, 260.0) + 0.06 * _clouds(rng, size, 2.0)
    first, second = _colour(rng, 0.04, 0.4, 0.4), _colour(rng, 0.04, 0.5, 0.4)
    mask = (stripe > rng.uniform(-0.2, 1.1))[..., None]
    return np.asarray(np.where(mask, second, first) * np.clip(1.0 + folds[..., None], 0.2, 2.0))


def _brick(rng: np.random.Generator, size: int) -> FloatArray:
    mortar = _colour(rng, 0.4, 0.6, 0.05)
    picture = np.ones((size, size, 3)) * mortar
    height, width = 65, 210
    for k, top in enumerate(range(0, size, height)):
        for left in range(-(k % 2) * width // 2, size, width):
            colour = np.array([0.36, 0.15, 0.09]) * (1.0 + rng.normal(0, 0.18))
            picture[top + 5 : top + height, max(left + 5, 0) : max(left + width, 0)] = colour
    return np.asarray(picture * (1.0 + 0.12 * _clouds(rng, size, 2.5)[..., None]))
