"""The shape of a head: a star-shaped skull and face, and ellipsoids for the rest.

Frame (mm): x to the subject's right, y forward (out of the face), z up; the origin lies
between the ears at the height of the brows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ROWS, COLUMNS = 288, 576
"""Cells of the radius table over polar angle and azimuth: under two thirds of a degree."""

NOTHING, SCALP, FACE, EAR, NECK, SHOULDERS = range(6)
"""Surface labels."""

# Border of the hair-bearing scalp as (degrees of azimuth from the face, elevation in
# degrees), before any loss: mature hairline, temple, sideburn, over the ear, nape.
_HAIRLINE = np.array(
    [
        [0, 46],
        [20, 48],
        [35, 51],
        [48, 45],
        [58, 28],
        [66, 10],
        [74, -12],
        [80, -8],
        [88, 16],
        [104, 18],
        [114, 2],
        [124, -22],
        [145, -40],
        [180, -44],
    ],
    dtype=np.float64,
)


@dataclass(frozen=True, slots=True)
class Part:
    """An ellipsoid that belongs to the person: ear, neck, shoulders.

    Attributes
    ----------
    centre : ndarray, shape (3,)
        In mm, head frame.
    axes : ndarray, shape (3, 3)
        Rows: unit axes divided by their half-lengths, so that ``|axes @ (p - centre)| = 1``
        on the surface.
    label : int
        Surface label.
    """

    centre: Floats
    axes: Floats
    label: int


@dataclass(frozen=True, slots=True)
class Head:
    """A head.

    Attributes
    ----------
    radius_mm : ndarray, shape (ROWS, COLUMNS)
        Distance of the surface from the origin per direction.
    normal : ndarray, shape (ROWS, COLUMNS, 3)
        Outward unit normal per direction.
    border : ndarray, shape (COLUMNS,)
        Elevation of the border of the hair-bearing scalp per azimuth, in radians.
    parts : tuple of Part
        Ears, neck, shoulders.
    """

    radius_mm: Floats
    normal: Floats
    border: Floats
    parts: tuple[Part, ...]

    def cells(self, points: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """Table cell and distance from the origin of points (..., 3)."""
        distance = np.sqrt(np.einsum("...i,...i->...", points, points)) + 1e-6
        polar = np.arccos(np.clip(points[..., 2] / distance, -1, 1))
        azimuth = np.arctan2(points[..., 0], points[..., 1])
        row = np.minimum((polar * (ROWS / np.pi)).astype(np.int64), ROWS - 1)
        column = ((azimuth + np.pi) * (COLUMNS / (2 * np.pi))).astype(np.int64) % COLUMNS
        return row, column, distance

    def scalp_cells(self) -> NDArray[np.bool_]:
        """Which cells of the table are hair-bearing scalp, shape (ROWS, COLUMNS)."""
        elevation = np.pi / 2 - _polar()
        return elevation[:, None] > self.border[None, :]


def _polar() -> NDArray[np.float64]:
    return (np.arange(ROWS) + 0.5) * np.pi / ROWS


def _azimuth() -> NDArray[np.float64]:
    return (np.arange(COLUMNS) + 0.5) * 2 * np.pi / COLUMNS - np.pi


@cache
def table_directions() -> Floats:
    """Unit directions of the table's cells, shape (ROWS, COLUMNS, 3)."""
    polar, azimuth = np.meshgrid(_polar(), _azimuth(), indexing="ij")
    return np.stack(
        [np.sin(polar) * np.sin(azimuth), np.sin(polar) * np.cos(azimuth), np.cos(polar)], -1
    ).astype(np.float32)


def _bump(azimuth: float, elevation: float, width: float, height: float) -> NDArray[np.float64]:
    """Gaussian over azimuth and elevation (degrees), symmetric about the midline."""
    across = np.abs(np.degrees(_azimuth())) - azimuth
    along = 90 - np.degrees(_polar()) - elevation
    return np.outer(np.exp(-((along / height) ** 2)), np.exp(-((across / width) ** 2)))


def _features(rng: np.random.Generator) -> NDArray[np.float64]:
    """Relief of the face in mm: nose, sockets, lids, cheeks, lips, chin."""
    tip, wings = rng.uniform(17, 27), rng.uniform(4, 9)
    relief = rng.uniform(3, 9) * _bump(0, -6, rng.uniform(3.5, 6), 9)
    relief += tip * _bump(0, -21, rng.uniform(4.5, 7), rng.uniform(5, 8))
    relief += 0.55 * tip * _bump(0, -13, 4.5, 8)
    relief += wings * _bump(6.5, -24, 3.5, 3.5)
    relief -= rng.uniform(2, 5) * _bump(0, -30.5, 8, 2.5)
    relief -= rng.uniform(6, 11) * _bump(19, -3, 10, 6)
    relief += rng.uniform(3, 6) * _bump(20, -4, 6.5, 3.6)
    relief += rng.uniform(1, 5) * _bump(15, 7, 14, 4.5)
    relief += rng.uniform(2, 6) * _bump(33, -20, 12, 9)
    relief -= rng.uniform(0, 4) * _bump(38, -38, 10, 10)
    relief += rng.uniform(1.5, 4) * _bump(0, -36.5, rng.uniform(9, 14), 2.2)
    relief += rng.uniform(2, 5) * _bump(0, -41.5, rng.uniform(8, 12), 2.6)
    relief -= rng.uniform(1, 3) * _bump(0, -39, 14, 1.0)
    relief -= rng.uniform(1, 4) * _bump(0, -46.5, 10, 2.5)
    relief += rng.uniform(2, 8) * _bump(0, -57, 13, 8)
    return relief


def _skull(rng: np.random.Generator) -> NDArray[np.float64]:
    """Radius table of skull and face in mm."""
    d = table_directions().astype(np.float64)
    x, y, z = d[..., 0], d[..., 1], d[..., 2]
    scale = rng.uniform(0.92, 1.06, 3)
    power = rng.uniform(2.0, 2.5)
    low = 1 / (1 + np.exp(z * 8))
    front = 1 / (1 + np.exp(-y * 6))
    half_x = scale[0] * (76 - 5 * front - 6 * low)
    half_y = scale[1] * (98 - 3 * front - 6 * low * (1 - front))
    half_z = scale[2] * ((1 - low) * 104 + low * (front * 125 + (1 - front) * 92))
    norm = (np.abs(x) / half_x) ** power + (np.abs(y) / half_y) ** power
    radius = (norm + (np.abs(z) / half_z) ** power) ** (-1 / power)
    radius += _features(rng)
    radius += rng.uniform(0, 6) * _bump(180, 5, 40, 25)
    single = d.astype(np.float32)
    for _ in range(10):
        axis = rng.normal(size=3)
        axis /= np.linalg.norm(axis)
        sharp = rng.uniform(3, 14)
        radius += rng.normal(0, 1.8) * np.exp(
            np.float32(sharp) * (single @ axis.astype(np.float32) - 1)
        )
    return radius


def _normals(radius: NDArray[np.float64]) -> Floats:
    points = table_directions() * radius[..., None]
    along = np.gradient(points, axis=0)
    wrapped = np.concatenate([points[:, -1:], points, points[:, :1]], 1)
    across = np.gradient(wrapped, axis=1)[:, 1:-1]
    normal = np.cross(across, along)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
    outward = np.sign((normal * points).sum(-1, keepdims=True))
    return (normal * outward).astype(np.float32)


def _border(rng: np.random.Generator) -> Floats:
    """Elevation of the scalp's border per azimuth, smooth and slightly asymmetric."""
    azimuth = np.degrees(_azimuth())
    shift = rng.normal(0, 2.5)
    low = np.clip((62 - _HAIRLINE[:, 0]) / 20, 0, 1) * rng.normal(-3, 3.5)  # In front alone.
    line = np.interp(np.abs(azimuth), _HAIRLINE[:, 0], _HAIRLINE[:, 1] + shift + low)
    kernel = np.hanning(25)
    line = np.convolve(
        np.concatenate([line[-12:], line, line[:12]]), kernel / kernel.sum(), "valid"
    )
    wave = sum(
        rng.normal(0, 1.2) * np.cos(np.radians(azimuth * order + rng.uniform(0, 360)))
        for order in range(1, 9)
    )
    return np.radians(line + wave).astype(np.float32)


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Rotation matrix about z (yaw), x (pitch) and y (roll), in radians."""
    c, s = np.cos, np.sin
    z = np.array([[c(yaw), -s(yaw), 0], [s(yaw), c(yaw), 0], [0, 0, 1]])
    x = np.array([[1, 0, 0], [0, c(pitch), -s(pitch)], [0, s(pitch), c(pitch)]])
    y = np.array([[c(roll), 0, s(roll)], [0, 1, 0], [-s(roll), 0, c(roll)]])
    turn: NDArray[np.float64] = z @ x @ y
    return turn


def _part(centre: list[float], half: list[float], turn: NDArray[np.float64], label: int) -> Part:
    axes = turn.T / np.asarray(half)[:, None]
    return Part(np.asarray(centre, np.float32), axes.astype(np.float32), label)


def sample_head(rng: np.random.Generator) -> Head:
    """A random head with its body.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Head
    """
    radius = _skull(rng)
    border = _border(rng)
    wide = radius[ROWS // 2, COLUMNS // 4]
    flare = rng.uniform(0.2, 0.8)
    ear = [rng.uniform(5, 8), rng.uniform(15, 19), rng.uniform(26, 34)]
    parts = [
        _part([side * (wide + 5), -6, -12], ear, rotation(side * flare, 0.15, side * 0.1), EAR)
        for side in (-1.0, 1.0)
    ]
    bend = rotation(rng.normal(0, 0.3), rng.normal(0, 0.22), rng.normal(0, 0.13))
    pivot = np.array([0, -20, -rng.uniform(50.0, 80.0)])
    broad = rng.uniform(0.85, 1.2)
    body: list[tuple[list[float], list[float], int]] = [
        ([0, 0, -60], [57 * broad, 60 * broad, 115], NECK),
        ([0, -10, -135], [125 * broad, 62, 48], SHOULDERS),
        ([0, 0, -205], [215 * broad, 100, 85], SHOULDERS),
        ([0, 10, -430], [180 * broad, 120, 300], SHOULDERS),
        ([215 * broad, 0, -380], [60, 65, 230], SHOULDERS),
        ([-215 * broad, 0, -380], [60, 65, 230], SHOULDERS),
    ]
    for centre, half, label in body:
        place = bend @ np.asarray(centre) + pivot
        parts.append(_part(list(place), half, bend, label))
    return Head(radius.astype(np.float32), _normals(radius), border, tuple(parts))
