"""What is seen in a photograph, and how it lies to its reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scalptrack.records.codes import BoolArray, FloatArray, Reason, Tier
from scalptrack.records.photographs import Finding


@dataclass(frozen=True, slots=True)
class Grid:
    """An axis-aligned sampling grid laid over a photograph.

    Grid pixel (u, v) has its centre at photograph point ``(x0_px + u * step_px, y0_px + v *
    step_px)``.

    Attributes
    ----------
    x0_px, y0_px : float
        Photograph point of the centre of grid pixel (0, 0).
    step_px : float
        Photograph pixels per grid pixel.
    width, height : int
        Size of the grid.
    """

    x0_px: float
    y0_px: float
    step_px: float
    width: int
    height: int

    def photograph_points(self) -> FloatArray:
        """Photograph points (height * width, 2) of all grid pixels, row by row."""
        u, v = np.meshgrid(np.arange(self.width), np.arange(self.height))
        grid_points = np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float64)
        return self.to_photograph(grid_points)

    def to_photograph(self, grid_points: FloatArray) -> FloatArray:
        """Photograph points (N, 2) of grid points (N, 2)."""
        return np.asarray(grid_points, dtype=np.float64) * self.step_px + (self.x0_px, self.y0_px)

    def from_photograph(self, points: FloatArray) -> FloatArray:
        """Grid points (N, 2) of photograph points (N, 2)."""
        return (np.asarray(points, dtype=np.float64) - (self.x0_px, self.y0_px)) / self.step_px


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What lies around the head's grid, seen from farther away: long hair, neck, clothes.

    It is for people to look at; nothing is measured in it.

    Attributes
    ----------
    grid : Grid
        Where the arrays lie in the photograph.
    hair_fraction : float32 (H, W)
        Fraction of the pixel that is covered by hair.
    classes : uint8 (H, W)
        Codes of `RegionClass`.
    """

    grid: Grid
    hair_fraction: NDArray[np.float32]
    classes: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """Per-pixel hair fraction and region class of one photograph, on a grid around the head.

    All arrays have the grid's shape. Outside of it a photograph is what `surroundings` say, and
    background beyond.

    Attributes
    ----------
    grid : Grid
        Where the arrays lie in the photograph.
    photograph_shape : tuple of int
        (H, W) of the upright photograph.
    hair_fraction : float32 (H, W)
        Fraction of the pixel that is covered by hair.
    classes : uint8 (H, W)
        Codes of `RegionClass`.
    scalp : bool (H, W)
        Anatomical hair-bearing scalp, whatever hair is left on it, not hidden by an object.
    incidence_cosine : float32 (H, W)
        Cosine of the angle between the scalp's normal and the line of sight.
    glare : bool (H, W)
        Burnt-out pixels.
    method : str
        Name and version of what produced it.
    coverage_sd_fraction : float
        SD of the coverage under perturbed exposure, white balance, blur and scale.
    doubt : float32 (H, W), or None
        How far the coverage around a pixel is expected to be from the truth, in [0, 1]: large
        where hair can't be told from skin. None where what made the segmentation can't tell.
    warnings : tuple of Finding
        What casts doubt on this segmentation.
    surroundings : Surroundings or None
        A wider look, where the photograph shows more than the grid.
    """

    grid: Grid
    photograph_shape: tuple[int, int]
    hair_fraction: NDArray[np.float32]
    classes: NDArray[np.uint8]
    scalp: BoolArray
    incidence_cosine: NDArray[np.float32]
    glare: BoolArray
    method: str
    coverage_sd_fraction: float = 0.0
    doubt: NDArray[np.float32] | None = None
    warnings: tuple[Finding, ...] = ()
    surroundings: Surroundings | None = None

    def mean_doubt(self, region: BoolArray) -> float:
        """How far the coverage of a region is expected to be from the truth.

        Parameters
        ----------
        region : bool (H, W)
            On this grid.

        Returns
        -------
        float
            Mean of the doubt over the region, a fraction; 0 for an empty region, and where there
            is no doubt.
        """
        if self.doubt is None or not region.any():
            return 0.0
        return float(self.doubt[region].mean(dtype=np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class StripMarkers:
    """Markers of a printed headband that were found in one photograph.

    Attributes
    ----------
    ids : tuple of int
        Each once, in ascending order.
    corners : float (N, 4, 2)
        Their corners in the upright photograph, as (x, y): first the two of the edge that is the
        upper one where the band is worn right, then on in the same sense.
    unread : float (M, 4, 2)
        Corners, in any order, of what continues the row of markers and can't be read.
    mirrored : int
        How many are found in the photograph flipped left to right, where none is found as it is.
    """

    ids: tuple[int, ...] = ()
    corners: FloatArray = field(default_factory=lambda: np.zeros((0, 4, 2)))
    unread: FloatArray = field(default_factory=lambda: np.zeros((0, 4, 2)))
    mirrored: int = 0


NO_MARKERS = StripMarkers()
"""Of a photograph without a headband, or in which none is looked for."""


class SurfaceTransform(Protocol):
    """Where the points of one photograph of a head lie in another one of the same head."""

    def map_points(self, reference_points: FloatArray) -> FloatArray:
        """Moving points (N, 2) of reference points (N, 2); NaN where the surface isn't visible."""
        ...

    def inverse_points(self, moving_points: FloatArray) -> FloatArray:
        """Reference points (N, 2) of moving points (N, 2); NaN where the surface isn't visible."""
        ...

    def incidence_cosine(self, reference_points: FloatArray) -> FloatArray:
        """Cosine (N,) of the incidence angle in the *moving* photograph; NaN if not visible."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """Every parameter as plain JSON values, with a ``type`` name."""
        ...


@dataclass(frozen=True, slots=True)
class Gate:
    """One test that a registration has to pass: ``value`` against ``limit``."""

    name: str
    value: float
    limit: float
    passed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """The outcome of aligning a moving photograph with its reference.

    Attributes
    ----------
    tier : Tier
        A (features, all gates passed), B (points set by hand, a printed headband, or the
        outline), C (refused).
    transform : SurfaceTransform or None
        moving_from_reference; None when refused.
    resampled : tuple of SurfaceTransform
        Refits to resampled inliers: what the transform might as well have been.
    residual_px : float
        RMS distance of the inliers in the moving photograph, NaN when there is no fit.
    inliers : int
        Feature matches that agree with the transform.
    overlap : float
        Share of the reference's scalp that the moving photograph shows, 0 to 1.
    gates : tuple of Gate
        Every gate's value, also of those that passed.
    reason : Reason or None
        Why it was refused.
    method : str
        What it was aligned by: ``"features"``, ``"points"``, ``"strip"`` (the printed headband),
        ``"outline"`` or ``"close-up"``.
    """

    tier: Tier
    transform: SurfaceTransform | None
    resampled: tuple[SurfaceTransform, ...]
    residual_px: float
    inliers: int
    overlap: float
    gates: tuple[Gate, ...]
    reason: Reason | None = None
    method: str = "features"

    @property
    def registered(self) -> bool:
        """True when there is a transform that may be used."""
        return self.tier is not Tier.C and self.transform is not None
