"""Small records with known content, for tests of the stages that consume them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scalptrack.records import FloatArray, Grid, RegionClass, Segmentation


@dataclass(frozen=True)
class Shift:
    """A transform that is known exactly: moving = reference + (dx, dy)."""

    dx: float = 0.0
    dy: float = 0.0
    cosine: float = 1.0

    def map_points(self, reference_points: FloatArray) -> FloatArray:
        return np.asarray(reference_points, dtype=float) + np.array([self.dx, self.dy])

    def inverse_points(self, moving_points: FloatArray) -> FloatArray:
        return np.asarray(moving_points, dtype=float) - np.array([self.dx, self.dy])

    def incidence_cosine(self, reference_points: FloatArray) -> FloatArray:
        return np.full(len(reference_points), self.cosine)

    def as_dict(self) -> dict[str, Any]:
        return {"type": "shift", "dx": self.dx, "dy": self.dy}


def disc(size: int, radius: float, centre: tuple[float, float] | None = None) -> np.ndarray:
    """Bool disc (size, size)."""
    x0, y0 = centre or ((size - 1) / 2, (size - 1) / 2)
    y, x = np.mgrid[:size, :size]
    return (x - x0) ** 2 + (y - y0) ** 2 <= radius**2


def segmentation_of(
    fraction: np.ndarray,
    scalp: np.ndarray,
    *,
    grid: Grid | None = None,
    glare: np.ndarray | None = None,
    cosine: np.ndarray | None = None,
    coverage_sd: float = 0.0,
) -> Segmentation:
    """A segmentation with the given hair fraction and scalp; the grid is the photograph itself."""
    height, width = fraction.shape
    grid = grid or Grid(0.0, 0.0, 1.0, width, height)
    classes = np.where(scalp, RegionClass.SCALP_SKIN, RegionClass.BACKGROUND).astype(np.uint8)
    classes[scalp & (fraction >= 0.5)] = RegionClass.HAIR
    return Segmentation(
        grid=grid,
        photograph_shape=(round(height * grid.step_px), round(width * grid.step_px)),
        hair_fraction=fraction.astype(np.float32),
        classes=classes,
        scalp=scalp,
        incidence_cosine=np.ones(fraction.shape, np.float32) if cosine is None else cosine,
        glare=np.zeros(fraction.shape, bool) if glare is None else glare,
        method="test",
        coverage_sd_fraction=coverage_sd,
    )
