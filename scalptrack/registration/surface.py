"""A head-shaped surface: an ellipsoid with a bounded smooth correction.

The surface lives in the frame of the reference camera; the unit of length is the distance from
that camera to the head's centre. A position X belongs to the ellipsoid's own coordinates
``v = L Bᵀ (X - C)``, where it lies on the surface when ``|v| = 1 + h(v_x/|v|, v_y/|v|)``. ``h`` is
a sum of Zernike polynomials of third and fourth order over the visible half; lower orders are
what the ellipsoid's own parameters do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, FloatArray
from scalptrack.registration.camera import Camera

# Zernike polynomials n = 3, 4 as coefficients of x^i y^j, rows of {(i, j): coefficient}.
_ZERNIKE: tuple[dict[tuple[int, int], float], ...] = (
    {(2, 1): 3, (0, 3): -1},
    {(2, 1): 3, (0, 3): 3, (0, 1): -2},
    {(3, 0): 3, (1, 2): 3, (1, 0): -2},
    {(3, 0): 1, (1, 2): -3},
    {(3, 1): 4, (1, 3): -4},
    {(3, 1): 8, (1, 3): 8, (1, 1): -6},
    {(4, 0): 6, (2, 2): 12, (0, 4): 6, (2, 0): -6, (0, 2): -6, (0, 0): 1},
    {(4, 0): 4, (0, 4): -4, (2, 0): -3, (0, 2): 3},
    {(4, 0): 1, (2, 2): -6, (0, 4): 1},
)
N_CORRECTIONS = len(_ZERNIKE)
_DEGREE = 4


def _basis() -> NDArray[np.float64]:
    basis = np.zeros((N_CORRECTIONS, _DEGREE + 1, _DEGREE + 1))
    for row, polynomial in enumerate(_ZERNIKE):
        for (i, j), coefficient in polynomial.items():
            basis[row, i, j] = coefficient
    return basis


_BASIS = _basis()
_FIXED_POINT_STEPS, _NEWTON_STEPS = 3, 4


@dataclass(frozen=True, slots=True)
class HeadShape:
    """Shape of the head as the reference photograph shows it.

    Attributes
    ----------
    centre_px : tuple of 2 floats
        Picture of the ellipsoid's centre.
    outline : tuple of 3 floats
        (m11, m12, m22) in 1/px: ``|[[m11, m12], [0, m22]] (p - centre_px)| = 1`` on the outline.
    depth : float
        Half axis along the line of sight, relative to the mean half axis across it.
    shear : tuple of 2 floats
        How far the ellipsoid leans from the line of sight.
    corrections : tuple of floats
        Coefficients of the Zernike polynomials, relative to the radius.
    """

    centre_px: tuple[float, float]
    outline: tuple[float, float, float]
    depth: float
    shear: tuple[float, float] = (0.0, 0.0)
    corrections: tuple[float, ...] = (0.0,) * N_CORRECTIONS

    @property
    def width_px(self) -> float:
        """Mean diameter of the outline in pixels."""
        return 2.0 / float(np.sqrt(self.outline[0] * self.outline[2]))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "centre_px": list(self.centre_px),
            "outline": list(self.outline),
            "depth": self.depth,
            "shear": list(self.shear),
            "corrections": list(self.corrections),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> HeadShape:
        """Inverse of `as_dict`."""
        cx, cy = values["centre_px"]
        m11, m12, m22 = values["outline"]
        sx, sy = values["shear"]
        corrections = tuple(float(c) for c in values["corrections"])
        return cls((cx, cy), (m11, m12, m22), values["depth"], (sx, sy), corrections)


class HeadSurface:
    """The surface of a `HeadShape` seen by `camera`, for intersecting it with rays."""

    def __init__(self, shape: HeadShape, camera: Camera) -> None:
        direction = camera.rays(np.array([shape.centre_px]))[0]
        stretch = float(np.linalg.norm(direction))
        axis = direction / stretch
        self.centre: FloatArray = axis
        self._frame = _frame_towards(axis)
        m11, m12, m22 = shape.outline
        focal = camera.focal_px * stretch
        tangent = 1.0 / (focal * np.sqrt(m11 * m22))
        # Tangent cone of an ellipsoid with half axes a (across), c = depth * a (along) at distance
        # one: tan² = a² / (1 - c²).
        half_axis = tangent / np.sqrt(1.0 + (shape.depth * tangent) ** 2)
        along = shape.depth * half_axis
        self.radius = float(half_axis)
        across = focal * tangent / half_axis
        self._scale = np.array(
            [
                [m11 * across, m12 * across, shape.shear[0] / half_axis],
                [0.0, m22 * across, shape.shear[1] / half_axis],
                [0.0, 0.0, 1.0 / along],
            ]
        )
        self._to_unit = self._scale @ self._frame.T
        self._polynomial = np.tensordot(np.asarray(shape.corrections), _BASIS, axes=1)
        self._corrected = bool(np.any(self._polynomial))

    def intersect(
        self, origin: FloatArray, directions: FloatArray
    ) -> tuple[FloatArray, FloatArray, BoolArray]:
        """First hit of rays from `origin` (3,) along `directions` (N, 3).

        Returns
        -------
        positions, normals : float (N, 3)
            Where the surface is hit, and its outward unit normal there.
        hit : bool (N,)
            False where the ray misses; the other two have no meaning there.
        """
        start = self._to_unit @ (origin - self.centre)
        step = directions @ self._to_unit.T
        a = np.einsum("ij,ij->i", step, step)
        b = step @ start
        c = float(start @ start)
        root = b * b - a * (c - 1.0)
        t = (-b - np.sqrt(np.maximum(root, 0.0))) / a
        hit = root >= 0.0
        if self._corrected:
            t, hit = self._correct(t, start, step)
        positions = origin + t[:, None] * directions
        return positions, self.normals(positions), hit & (t > 0.0)

    def _correct(
        self, t: FloatArray, start: FloatArray, step: FloatArray
    ) -> tuple[FloatArray, BoolArray]:
        """Move the hits of the ellipsoid to the corrected surface: fixed points, then Newton."""
        a = np.einsum("ij,ij->i", step, step)
        b = step @ start
        c = float(start @ start)
        for _ in range(_FIXED_POINT_STEPS):
            height, _, _ = self._height(start + t[:, None] * step)
            root = b * b - a * (c - (1.0 + height) ** 2)
            t = (-b - np.sqrt(np.maximum(root, 0.0))) / a
        gap = np.zeros_like(t)
        for _ in range(_NEWTON_STEPS):
            v = start + t[:, None] * step
            height, radius, gradient = self._height(v)
            gap = radius - 1.0 - height
            slope = np.einsum("ij,ij->i", self._unit_gradient(v, radius, gradient), step)
            usable = slope < -1e-9
            limit = 0.02 / np.sqrt(a)
            change = np.where(usable, -gap / np.where(usable, slope, 1.0), 0.0)
            t = t + np.clip(change, -limit, limit)
        v = start + t[:, None] * step
        height, radius, _ = self._height(v)
        return t, np.abs(radius - 1.0 - height) < 1e-7

    def cone(self, origin: FloatArray) -> FloatArray:
        """Matrix K (3, 3) with ``dᵀ K d = 0`` for rays d from `origin` that touch the ellipsoid."""
        start = self._to_unit @ (origin - self.centre)
        inner = np.outer(start, start) - (float(start @ start) - 1.0) * np.eye(3)
        return np.asarray(self._to_unit.T @ inner @ self._to_unit)

    def gaps(self, positions: FloatArray) -> FloatArray:
        """How far positions (N, 3) lie outside the surface, in units of its radius."""
        v = (positions - self.centre) @ self._to_unit.T
        height, radius, _ = self._height(v)
        return np.asarray(radius - 1.0 - height)

    def gap_gradients(self, positions: FloatArray) -> FloatArray:
        """Gradients (N, 3) of `gaps`."""
        v = (positions - self.centre) @ self._to_unit.T
        _, radius, gradient = self._height(v)
        return np.asarray(self._unit_gradient(v, radius, gradient) @ self._to_unit)

    def normals(self, positions: FloatArray) -> FloatArray:
        """Outward unit normals (N, 3) at positions (N, 3) on the surface."""
        outward = self.gap_gradients(positions)
        return np.asarray(outward / np.linalg.norm(outward, axis=1, keepdims=True))

    def _height(self, v: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Correction (N,), |v| (N,) and the correction's gradient (N, 2) in (u_x, u_y)."""
        radius = np.sqrt(np.einsum("ij,ij->i", v, v))
        if not self._corrected:
            return np.zeros(len(v)), radius, np.zeros((len(v), 2))
        x, y = v[:, 0] / radius, v[:, 1] / radius
        p = self._polynomial
        height = np.zeros_like(x)
        dx, dy = np.zeros_like(x), np.zeros_like(x)
        for i in range(_DEGREE, -1, -1):
            row, slope = np.zeros_like(y), np.zeros_like(y)
            for j in range(_DEGREE - i, -1, -1):
                slope = slope * y + row
                row = row * y + p[i, j]
            dx = dx * x + height
            height = height * x + row
            dy = dy * x + slope
        return height, radius, np.stack([dx, dy], axis=1)

    @staticmethod
    def _unit_gradient(v: FloatArray, radius: FloatArray, gradient: FloatArray) -> FloatArray:
        """Gradient (N, 3) of ``|v| - h(v / |v|)``."""
        u = v / radius[:, None]
        along = np.einsum("ij,ij->i", u[:, :2], gradient)
        tangential = -along[:, None] * u
        tangential[:, :2] += gradient
        return np.asarray(u - tangential / radius[:, None])


def _frame_towards(axis: FloatArray) -> FloatArray:
    """Orthonormal frame (3, 3), columns right, down and `axis`, without roll about `axis`."""
    x, y, z = (float(value) for value in axis)
    length = float(np.hypot(x, z))
    right = (z / length, 0.0, -x / length)
    down = (y * right[2], z * right[0] - x * right[2], -y * right[0])
    return np.array([right, down, (x, y, z)]).T
