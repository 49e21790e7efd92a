"""The average head of `scalptrack.zones`, seen from any direction, as an exact segmentation."""

from __future__ import annotations

import numpy as np

from scalptrack.records import Grid, RegionClass, Segmentation
from scalptrack.zones.anatomy import HALF_AXES_CM, above_border_deg
from scalptrack.zones.frame import camera_rays, nominal_rotation, sight

SIDE = 72
FOCAL_PX = 198.0
DISTANCE_CM = 70.0
PARTS = (
    ((7.9, -1.5, -1.6), (1.3, 1.7, 3.0)),
    ((-7.9, -1.5, -1.6), (1.3, 1.7, 3.0)),
    ((0.0, -3.2, -9.0), (5.7, 5.5, 8.0)),
    ((0.0, 3.5, -7.0), (6.0, 6.0, 6.0)),
)
"""Ears, neck and jaw: where they are, and their half axes in centimetres."""


def rotation_towards(view: str) -> np.ndarray:
    """``camera_from_head`` of a view."""
    return nominal_rotation(view)


def rotation_from(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """``camera_from_head`` of an upright camera; azimuth from the front to the subject's left."""
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    flat = np.cos(elevation)
    away = np.array([-flat * np.sin(azimuth), flat * np.cos(azimuth), np.sin(elevation)])
    right = np.cross(-away, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(-away, right), -away])


def segmented_head(camera_from_head: np.ndarray) -> Segmentation:
    """What a camera sees of the bald average head."""
    u, v = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    points = np.stack([u.ravel(), v.ravel()], axis=1).astype(float)
    rays = camera_rays(points, (SIDE, SIDE), FOCAL_PX)
    centre = np.array([0.0, 0.0, DISTANCE_CM])
    head = sight(rays, camera_from_head, centre, np.asarray(HALF_AXES_CM))
    scalp = (head.nearness < 1) & (above_border_deg(head.directions) > 0)
    skin = (head.nearness < 1) & ~scalp
    depth = np.where(head.nearness < 1, head.distance_cm, np.inf)
    for at_cm, half_cm in PARTS:
        moved = centre + camera_from_head @ np.asarray(at_cm)
        part = sight(rays, camera_from_head, moved, np.asarray(half_cm))
        nearer = (part.nearness < 1) & (part.distance_cm < depth)
        skin |= nearer
        scalp &= ~nearer
    classes = np.zeros(SIDE * SIDE, np.uint8)
    classes[skin] = RegionClass.OTHER_SKIN
    classes[scalp] = RegionClass.SCALP_SKIN
    cosine = np.where(scalp, np.clip(head.cosine, 0, 1), 0)
    shape = (SIDE, SIDE)
    return Segmentation(
        grid=Grid(0.0, 0.0, 1.0, SIDE, SIDE),
        photograph_shape=shape,
        hair_fraction=np.zeros(shape, np.float32),
        classes=classes.reshape(shape),
        scalp=scalp.reshape(shape),
        incidence_cosine=cosine.astype(np.float32).reshape(shape),
        glare=np.zeros(shape, dtype=np.bool_),
        method="truth",
    )
