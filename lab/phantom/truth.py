"""What each pixel sees of the bald head, and the coverage that follows from it.

The surface is computed here in NumPy from the same triangles that Cycles renders, so
that truth needs no Blender; a test compares the outline with a render.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.phantom.head import (
    CLOTHES,
    EAR,
    FACE,
    NECK,
    OFF,
    SCALP,
    ZONE_NAMES,
    FloatArray,
    HeadShape,
    Part,
    azimuth_elevation,
    is_scalp,
    scalp_zone,
    surface_normals,
    unit,
)
from lab.phantom.visit import Camera

MAX_INCIDENCE_DEG = 60.0
"""The design's limit: scalp seen more obliquely than this is not part of the region."""

CLASS_BACKGROUND, CLASS_SCALP, CLASS_HAIR, CLASS_OTHER_SKIN, CLASS_OBJECT = range(5)


@dataclass(frozen=True, slots=True)
class Surface:
    """The bald head behind each pixel of an upright picture of H x W pixels.

    Attributes
    ----------
    position
        (H, W, 3) float32, cm in the head's frame, NaN where there is no head.
    label
        (H, W) uint8, index into `lab.phantom.head.LABEL_NAMES`.
    zone
        (H, W) uint8, index into `lab.phantom.head.ZONE_NAMES`; 0 outside the scalp.
    incidence_cosine
        (H, W) float32, cosine between the line of sight and the normal; 0 off the head.
    """

    position: NDArray[np.float32]
    label: NDArray[np.uint8]
    zone: NDArray[np.uint8]
    incidence_cosine: NDArray[np.float32]


def trace_surface(shape: HeadShape, parts: tuple[Part, ...], camera: Camera) -> Surface:
    """Find the nearest triangle behind every pixel centre and intersect the line of sight."""
    size = (camera.height, camera.width)
    winner, part_of, corners = _nearest_triangles(parts, camera)
    position = np.full((*size, 3), np.nan, dtype=np.float32)
    label = np.zeros(size, dtype=np.uint8)
    zone = np.zeros(size, dtype=np.uint8)
    cosine = np.zeros(size, dtype=np.float32)
    rows, columns = np.nonzero(winner >= 0)
    hit = winner[rows, columns]
    origin = camera.position
    ray = np.stack(
        [
            (columns - camera.cx) / camera.focal_px,
            (rows - camera.cy) / camera.focal_px,
            np.ones(len(rows)),
        ],
        axis=1,
    )
    ray = unit(ray @ camera.rotation)
    triangle = corners[hit]
    normal = unit(np.cross(triangle[:, 1] - triangle[:, 0], triangle[:, 2] - triangle[:, 0]))
    along = np.sum((triangle[:, 0] - origin) * normal, axis=1)
    distance = along / np.sum(ray * normal, axis=1)
    points = origin + ray * distance[:, None]
    labels = np.array([part.label for part in parts], dtype=np.uint8)[part_of[hit]]
    on_head = part_of[hit] == 0
    direction = unit(points[on_head])
    labels[on_head] = _head_labels(shape, direction)
    normal[on_head] = surface_normals(shape, direction)
    zones = np.zeros(len(rows), dtype=np.uint8)
    zones[on_head] = np.where(labels[on_head] == SCALP, scalp_zone(direction), 0)
    position[rows, columns] = points
    label[rows, columns] = labels
    zone[rows, columns] = zones
    cosine[rows, columns] = np.abs(np.sum(normal * ray, axis=1))
    return Surface(position, label, zone, cosine)


def _head_labels(shape: HeadShape, direction: FloatArray) -> NDArray[np.uint8]:
    azimuth, _ = azimuth_elevation(direction)
    skin = np.where(azimuth > 104.0, NECK, FACE)
    return np.where(is_scalp(shape, direction), SCALP, skin).astype(np.uint8)


def _nearest_triangles(
    parts: tuple[Part, ...], camera: Camera
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Index (H, W) of the nearest triangle (-1: none), part (T,) and corners (T, 3, 3)."""
    corners = np.concatenate([part.vertices[part.triangles] for part in parts])
    part_of = np.repeat(np.arange(len(parts)), [len(part.triangles) for part in parts])
    xy, depth = camera.project(corners.reshape(-1, 3))
    xy, depth = xy.reshape(-1, 3, 2), depth.reshape(-1, 3)
    low = np.ceil(xy.min(axis=1) - 1e-9).astype(np.int64)
    high = np.floor(xy.max(axis=1) + 1e-9).astype(np.int64)
    low = np.maximum(low, 0)
    high = np.minimum(high, [camera.width - 1, camera.height - 1])
    span = (high - low + 1).max(axis=1)
    usable = np.all(high >= low, axis=1) & (depth.min(axis=1) > 1.0)
    pixels, depths, owners = [], [], []
    limit = 1
    while np.any(usable):
        group = np.flatnonzero(usable & (span <= limit))
        usable[group] = False
        for start in range(0, len(group), max(1, 2_000_000 // limit**2)):
            chunk = group[start : start + max(1, 2_000_000 // limit**2)]
            found = _covered_pixels(xy[chunk], depth[chunk], low[chunk], high[chunk], limit)
            pixels.append(found[1] * camera.width + found[0])
            depths.append(found[2])
            owners.append(chunk[found[3]])
        limit *= 2
    pixel = np.concatenate(pixels)
    owner, order = np.concatenate(owners), np.argsort(-np.concatenate(depths), kind="stable")
    winner = np.full(camera.width * camera.height, -1, dtype=np.int64)
    winner[pixel[order]] = owner[order]
    return winner.reshape(camera.height, camera.width), part_of, corners


def _covered_pixels(
    xy: FloatArray,
    depth: FloatArray,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    size: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray, NDArray[np.int64]]:
    """Columns, rows, depths and triangle numbers of the pixel centres inside triangles."""
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).reshape(-1, 2)
    pixel = low[:, None] + grid[None]
    a, b, c = xy[:, None, 0], xy[:, None, 1], xy[:, None, 2]

    def cross(p: FloatArray, q: FloatArray, r: FloatArray) -> FloatArray:
        return np.asarray(
            (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1])
            - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
        )

    area = cross(a, b, c)
    area = np.where(np.abs(area) < 1e-12, np.nan, area)
    w0, w1 = cross(b, c, pixel) / area, cross(c, a, pixel) / area
    w2 = 1.0 - w0 - w1
    inside = (w0 >= -1e-9) & (w1 >= -1e-9) & (w2 >= -1e-9)
    inside &= np.all(pixel <= high[:, None], axis=-1)
    inverse = w0 / depth[:, None, 0] + w1 / depth[:, None, 1] + w2 / depth[:, None, 2]
    triangle, which = np.nonzero(inside)
    found = pixel[triangle, which]
    return found[:, 0], found[:, 1], 1.0 / inverse[triangle, which], triangle


def region_classes(surface: Surface, hair_fraction: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The design's classes (H, W): hair wherever it covers half of the pixel or more."""
    classes = np.zeros(surface.label.shape, dtype=np.uint8)
    classes[surface.label == SCALP] = CLASS_SCALP
    classes[np.isin(surface.label, (FACE, EAR, NECK))] = CLASS_OTHER_SKIN
    classes[surface.label == CLOTHES] = CLASS_OBJECT
    classes[surface.label == OFF] = CLASS_BACKGROUND
    classes[hair_fraction >= 0.5] = CLASS_HAIR
    return classes


def true_coverage(
    surface: Surface, hair_fraction: NDArray[np.float32]
) -> dict[str, dict[str, float | int | None]]:
    """Coverage of the visible scalp seen at less than 60 degrees, whole and per zone.

    Returns
    -------
    For "scalp" and each zone: `region_px`, `hair_px` (sum of fractions) and
    `coverage_fraction` (None for an empty region).
    """
    region = (surface.label == SCALP) & (
        surface.incidence_cosine > np.cos(np.radians(MAX_INCIDENCE_DEG))
    )
    masks = {"scalp": region}
    for index, name in enumerate(ZONE_NAMES):
        if index:
            masks[name] = region & (surface.zone == index)
    result: dict[str, dict[str, float | int | None]] = {}
    for name, mask in masks.items():
        pixels = int(mask.sum())
        hair = float(hair_fraction[mask].sum(dtype=np.float64))
        result[name] = {
            "region_px": pixels,
            "hair_px": round(hair, 3),
            "coverage_fraction": round(hair / pixels, 6) if pixels else None,
        }
    return result
