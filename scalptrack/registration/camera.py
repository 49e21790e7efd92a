"""The pinhole camera that a photograph is taken to come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalptrack.records import FloatArray

FILM_DIAGONAL_MM = 43.27
"""Diagonal of 35 mm film, to which equivalent focal lengths refer."""

ASSUMED_FOCAL_35MM = 26.0
"""Equivalent focal length of most phones' main camera; used where the file says nothing."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera whose principal point is the centre of the picture.

    Attributes
    ----------
    focal_px : float
        Focal length in pixels.
    cx, cy : float
        Principal point, pixel centres at integers.
    """

    focal_px: float
    cx: float
    cy: float

    @classmethod
    def of_photograph(
        cls, photograph_shape: tuple[int, int], focal_length_35mm: float | None
    ) -> Camera:
        """Camera of a photograph of (H, W) pixels; `ASSUMED_FOCAL_35MM` when unknown."""
        height, width = photograph_shape
        focal = focal_length_35mm if focal_length_35mm else ASSUMED_FOCAL_35MM
        focal_px = focal * float(np.hypot(width, height)) / FILM_DIAGONAL_MM
        return cls(focal_px, (width - 1) / 2.0, (height - 1) / 2.0)

    def rays(self, points: FloatArray) -> FloatArray:
        """Directions (N, 3) with z = 1 of pixels (N, 2)."""
        points = np.asarray(points, dtype=np.float64)
        x = (points[:, 0] - self.cx) / self.focal_px
        y = (points[:, 1] - self.cy) / self.focal_px
        return np.stack([x, y, np.ones_like(x)], axis=1)

    def project(self, positions: FloatArray) -> FloatArray:
        """Pixels (..., 2) of positions (..., 3) in the camera's frame; NaN behind the camera."""
        depth = np.where(positions[..., 2:] > 1e-9, positions[..., 2:], np.nan)
        centre = np.array([self.cx, self.cy])
        return np.asarray(positions[..., :2] / depth * self.focal_px + centre)

    def scaled(self, focal_factor: float) -> Camera:
        """The same camera with its focal length multiplied by `focal_factor`."""
        return Camera(self.focal_px * focal_factor, self.cx, self.cy)
