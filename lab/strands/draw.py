"""Draw strands with exact area coverage: supersampled, occluded, shaded."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.strands.camera import Camera, Surface
from lab.strands.hair import Strands
from lab.strands.head import Floats
from lab.strands.light import Lighting

_PIECE = 3


@dataclass(frozen=True, slots=True)
class HairLayer:
    """Drawn hair.

    Attributes
    ----------
    light : ndarray of float32, shape (H, W, 3)
        Linear light of the hair times its coverage.
    fraction : ndarray of float32, shape (H, W)
        Share of each pixel's area that hair covers, in [0, 1].
    """

    light: Floats
    fraction: Floats


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Short polylines ready to be drawn, far to near within each group."""

    xy: NDArray[np.int32]
    depth_mm: Floats
    rgb: Floats
    opacity: Floats
    thickness: NDArray[np.int64]
    group: NDArray[np.int64]


def _pieces(
    rng: np.random.Generator,
    camera: Camera,
    lighting: Lighting,
    strands: Strands,
    super_px: int,
    groups: int,
    root_shade: float,
) -> _Pieces:
    """Cut strands into pieces, project and shade them."""
    points = strands.points_mm
    n, knots, _ = points.shape
    xy, depth = camera.project(points)
    starts = np.arange(0, max(knots - 1, 1), _PIECE)
    index = np.minimum(starts[:, None] + np.arange(_PIECE + 1), knots - 1)
    if knots <= _PIECE:
        index = index[:, :knots]
    first, last = points[:, index[:, 0]], points[:, index[:, -1]]
    tangent = last - first
    tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True) + 1e-6
    rgb = lighting.shade_hair(
        tangent, first, strands.normal[:, None], strands.rgb[:, None], camera.position_mm
    )
    height = (starts + 0.5 * _PIECE) / max(knots - 1, _PIECE)
    rgb *= (root_shade + (1 - root_shade) * np.clip(height, 0, 1) ** 0.7)[None, :, None]
    width = strands.width_mm * camera.focal_px / depth.mean(1) * super_px
    thick = np.maximum(1, np.floor(width + rng.random(n))).astype(np.int64)
    thick = np.where(width < 1, 1, thick)
    solid = np.where(width < 1, width, 1.0)
    if groups < 2:
        solid = np.ones_like(solid)
    flat = np.round((xy[:, index] * super_px + (super_px - 1) / 2) * 8)
    flat = np.clip(flat, -60_000, 120_000).astype(np.int32).reshape(-1, index.shape[1], 1, 2)
    pieces = len(starts)
    group = np.repeat(rng.integers(0, groups, n), pieces)
    piece_depth = depth[:, index].mean(-1).reshape(-1).astype(np.float32)
    edge = (camera.size * super_px + 60) * 8
    ends = flat[:, [0, -1], 0]
    seen = ((ends > -480) & (ends < edge)).all(-1).any(-1)
    order = np.flatnonzero(seen)
    order = order[np.lexsort((-piece_depth[order], group[order]))]
    return _Pieces(
        flat[order],
        piece_depth[order],
        rgb.reshape(-1, 3)[order].astype(np.float32),
        np.repeat(solid, pieces)[order].astype(np.float32),
        np.repeat(thick, pieces)[order],
        group[order],
    )


def draw_strands(
    rng: np.random.Generator,
    camera: Camera,
    surface: Surface,
    lighting: Lighting,
    strands: Strands,
    *,
    super_px: int = 3,
    groups: int = 3,
    root_shade: float = 0.6,
) -> HairLayer:
    """Draw strands in front of the bare person.

    The hair fraction is the area mean of the very samples that make the picture, so the
    truth is exact for this picture whatever the strands look like. Strands narrower than a
    sample get an opacity equal to their width.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    camera, surface, lighting
        The scene.
    strands : Strands
        What is drawn.
    super_px : int
        Samples per pixel along each axis.
    groups : int
        Strands are drawn in so many layers, blended over one another.
    root_shade : float
        Darkness of the roots in [0, 1]; 1 is none.

    Returns
    -------
    HairLayer
    """
    size = camera.size * super_px
    light = np.zeros((camera.size, camera.size, 3), np.float32)
    through = np.ones((camera.size, camera.size), np.float32)
    if not len(strands.points_mm):
        return HairLayer(light, 1 - through)
    pieces = _pieces(rng, camera, lighting, strands, super_px, groups, root_shade)
    depth = cv2.resize(
        np.where(np.isfinite(surface.depth_mm), surface.depth_mm, 1e6),
        (size, size),
        interpolation=cv2.INTER_NEAREST,
    )
    full_light = np.zeros((size, size, 3), np.float32)
    full_through = np.ones((size, size), np.float32)
    canvas = np.zeros((size, size), np.int32)
    for group in range(groups):
        chosen = np.flatnonzero(pieces.group == group)
        if not len(chosen):
            continue
        canvas[:] = 0
        lines, thick = pieces.xy, pieces.thickness.tolist()
        for which in chosen.tolist():
            cv2.polylines(canvas, [lines[which]], False, which + 1, thick[which], cv2.LINE_8, 3)
        at = np.flatnonzero(canvas.ravel())
        which = canvas.ravel()[at] - 1
        seen = pieces.depth_mm[which] < depth.ravel()[at] + 4.0
        at, which = at[seen], which[seen]
        solid = pieces.opacity[which]
        flat_light, flat_through = full_light.reshape(-1, 3), full_through.reshape(-1)
        flat_light[at] = (1 - solid[:, None]) * flat_light[at] + solid[:, None] * pieces.rgb[which]
        flat_through[at] *= 1 - solid
    shape = (camera.size, camera.size)
    light = cv2.resize(full_light, shape, interpolation=cv2.INTER_AREA)
    through = cv2.resize(full_through, shape, interpolation=cv2.INTER_AREA)
    return HairLayer(light, np.clip(1 - through, 0, 1))
