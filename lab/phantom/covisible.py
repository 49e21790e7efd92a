"""The region that all photographs of a series see, exactly, from the dense truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lab.phantom.head import SCALP, FloatArray
from lab.phantom.truth import MAX_INCIDENCE_DEG

SAME_SURFACE_CM = 0.15
"""Two lines of sight meet the same point of the head if they end this close together;
neighbouring pixels lie about 0.03 cm apart, the near and the far side of a head 10 cm."""


@dataclass(frozen=True, slots=True)
class DenseTruth:
    """What one finished photograph knows about its pixels (H, W).

    Attributes
    ----------
    record
        The photograph's JSON.
    position
        (H, W, 3) cm in the head's frame, NaN off the head.
    region
        (H, W) bool: scalp seen at less than 60 degrees.
    hair_fraction
        (H, W) float32 in [0, 1].
    """

    record: dict[str, Any]
    position: NDArray[np.float32]
    region: NDArray[np.bool_]
    hair_fraction: NDArray[np.float32]


def read_dense_truth(base: Path) -> DenseTruth:
    """Read the files NAME.json, NAME.surface.npz and NAME.hair.png of `base` (NAME's path)."""
    folder, name = base.parent, base.name
    record = json.loads((folder / f"{name}.json").read_text())
    with np.load(folder / f"{name}.surface.npz") as arrays:
        position = arrays["position"]
        seen = arrays["incidence_cosine"] > np.cos(np.radians(MAX_INCIDENCE_DEG))
        region = (arrays["label"] == SCALP) & seen
    levels = np.asarray(Image.open(folder / f"{name}.hair.png"))
    return DenseTruth(record, position, region, (levels / np.float32(255.0)).astype(np.float32))


def project(record: dict[str, Any], points: FloatArray) -> FloatArray:
    """Pixels (N, 2) as (x, y) at which the camera of `record` sees head-frame `points`."""
    camera = record["camera"]
    rotation = np.asarray(camera["camera_from_head_rotation"])
    local = points @ rotation.T + np.asarray(camera["camera_from_head_translation_cm"])
    xy = local[:, :2] / local[:, 2:] * camera["focal_px"]
    return np.asarray(xy + np.array([camera["cx"], camera["cy"]]))


def seen_in(other: DenseTruth, points: FloatArray) -> NDArray[np.bool_]:
    """Whether `other` sees the scalp at `points` (N, 3) at less than 60 degrees, (N,)."""
    height, width = other.region.shape
    xy = np.round(project(other.record, points)).astype(int)
    inside = np.all((xy >= 0) & (xy < [width, height]), axis=1)
    columns, rows = np.where(inside[:, None], xy, 0).T
    distance = np.linalg.norm(other.position[rows, columns] - points, axis=1)
    return np.asarray(inside & other.region[rows, columns] & (distance < SAME_SURFACE_CM))


def covisible_coverage(series: list[DenseTruth]) -> list[dict[str, float | int]]:
    """True coverage of every photograph over the scalp that all of them see.

    Returns
    -------
    One record per photograph: `region_px`, `coverage_fraction`.
    """
    results: list[dict[str, float | int]] = []
    for number, one in enumerate(series):
        points = one.position[one.region].astype(np.float64)
        common = np.ones(len(points), dtype=bool)
        for other_number, other in enumerate(series):
            if other_number != number:
                common &= seen_in(other, points)
        fractions = one.hair_fraction[one.region][common]
        results.append(
            {
                "region_px": int(common.sum()),
                "coverage_fraction": round(float(fractions.mean(dtype=np.float64)), 6),
            }
        )
    return results
