"""The transform between two close-ups: a patch of scalp is a gently curved surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from scalptrack.records import BoolArray, FloatArray

N_TERMS = 6
_NEWTON_STEPS = 12


@dataclass(frozen=True, slots=True)
class QuadraticTransform:
    """moving_from_reference as a polynomial of second degree in the picture's coordinates.

    Six terms for each coordinate: an affine part, and what perspective and the curvature of the
    head add over a patch of a few centimetres. A point is NaN outside either frame.

    Attributes
    ----------
    reference_shape, moving_shape : tuple of int
        (H, W) of the photographs.
    x_terms, y_terms : tuple of `N_TERMS` floats
        Factors of 1, x, y, x², xy, y², where coordinates are relative to the middle of the frame
        and in units of half its mean side (of each photograph its own).
    """

    reference_shape: tuple[int, int]
    moving_shape: tuple[int, int]
    x_terms: tuple[float, ...]
    y_terms: tuple[float, ...]

    def map_points(self, reference_points: FloatArray) -> FloatArray:
        """Moving points (N, 2) of reference points (N, 2); NaN outside either frame."""
        points = np.asarray(reference_points, dtype=np.float64).reshape(-1, 2)
        found = from_unit(self._forward(to_unit(points, self.reference_shape)), self.moving_shape)
        found[~(_inside(points, self.reference_shape) & _inside(found, self.moving_shape))] = np.nan
        return found

    def inverse_points(self, moving_points: FloatArray) -> FloatArray:
        """Reference points (N, 2) of moving points (N, 2); NaN outside either frame."""
        points = np.asarray(moving_points, dtype=np.float64).reshape(-1, 2)
        target = to_unit(points, self.moving_shape)
        terms = self._matrix
        affine = np.linalg.inv(terms[:, 1:3])
        at = (target - terms[:, 0]) @ affine.T
        for _ in range(_NEWTON_STEPS):
            gap = target - self._forward(at)
            at = at + np.einsum("nij,nj->ni", np.linalg.inv(self._slopes(at)), gap)
        solved = np.linalg.norm(target - self._forward(at), axis=1) < 1e-6
        found = from_unit(at, self.reference_shape)
        inside = _inside(points, self.moving_shape) & _inside(found, self.reference_shape)
        found[~(solved & inside)] = np.nan
        return found

    def incidence_cosine(self, reference_points: FloatArray) -> FloatArray:
        """1 (N,) where visible: a close-up is taken from above its patch; NaN elsewhere."""
        seen = np.isfinite(self.map_points(reference_points)[:, 0])
        return np.where(seen, 1.0, np.nan)

    def as_dict(self) -> dict[str, Any]:
        """Every parameter as plain JSON values, with a ``type`` name."""
        return {
            "type": "quadratic",
            "reference_shape": list(self.reference_shape),
            "moving_shape": list(self.moving_shape),
            "x_terms": list(self.x_terms),
            "y_terms": list(self.y_terms),
        }

    @classmethod
    def from_terms(
        cls, terms: FloatArray, reference_shape: tuple[int, int], moving_shape: tuple[int, int]
    ) -> Self:
        """The transform of terms (2, `N_TERMS`)."""
        x, y = (tuple(float(value) for value in row) for row in terms)
        return cls(reference_shape, moving_shape, x, y)

    @property
    def _matrix(self) -> FloatArray:
        return np.array([self.x_terms, self.y_terms])

    @property
    def rotation_deg(self) -> float:
        """How far the picture is turned at the middle, in degrees."""
        a = self._matrix[:, 1:3]
        return float(np.degrees(np.arctan2(a[1, 0] - a[0, 1], a[0, 0] + a[1, 1])))

    @property
    def log_scale(self) -> float:
        """Logarithm of the size at the middle, relative to the frames; -inf when it is mirrored."""
        determinant = float(np.linalg.det(self._matrix[:, 1:3]))
        return 0.5 * float(np.log(determinant)) if determinant > 0.0 else float("-inf")

    @property
    def log_stretch(self) -> float:
        """Logarithm of the long over the short side of a square at the middle."""
        values = np.linalg.svd(self._matrix[:, 1:3], compute_uv=False)
        return float(np.log(values[0] / max(float(values[1]), 1e-9)))

    @property
    def curvature(self) -> float:
        """Largest factor of a quadratic term: how far an edge bends, in half sides."""
        return float(np.abs(self._matrix[:, 3:]).max())

    def _forward(self, unit: FloatArray) -> FloatArray:
        return np.asarray(terms_of(unit) @ self._matrix.T)

    def _slopes(self, unit: FloatArray) -> FloatArray:
        """Jacobians (N, 2, 2); the affine part where they can't be inverted."""
        x, y = unit[:, 0], unit[:, 1]
        zero, one = np.zeros_like(x), np.ones_like(x)
        by_x = np.stack([zero, one, zero, 2.0 * x, y, zero], axis=1) @ self._matrix.T
        by_y = np.stack([zero, zero, one, zero, x, 2.0 * y], axis=1) @ self._matrix.T
        slopes = np.stack([by_x, by_y], axis=2)
        bad = np.abs(np.linalg.det(slopes)) < 1e-6
        slopes[bad] = self._matrix[:, 1:3]
        return np.asarray(slopes)


def terms_of(unit: FloatArray) -> FloatArray:
    """The terms (N, `N_TERMS`) of unit coordinates (N, 2)."""
    x, y = unit[:, 0], unit[:, 1]
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def half_side_px(shape: tuple[int, int]) -> float:
    """Half the mean side of a frame (H, W)."""
    return (shape[0] + shape[1]) / 4.0


def to_unit(points: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Pixels (N, 2) relative to the middle of the frame, in half sides."""
    middle = np.array([(shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0])
    return np.asarray((points - middle) / half_side_px(shape))


def from_unit(unit: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Inverse of `to_unit`."""
    middle = np.array([(shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0])
    return np.asarray(unit * half_side_px(shape) + middle)


def _inside(points: FloatArray, shape: tuple[int, int]) -> BoolArray:
    with np.errstate(invalid="ignore"):
        inside = (points >= -0.5) & (points <= [shape[1] - 0.5, shape[0] - 0.5])
    return np.asarray(inside.all(axis=1))
