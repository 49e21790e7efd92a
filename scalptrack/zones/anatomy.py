"""An average head: where its scalp ends and how the scalp is parted into zones.

Directions are unit vectors from the head's centre: +x the subject's right, +y the front, +z up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from scalptrack.records import FloatArray

ZONES = ("frontal", "mid-scalp", "vertex", "left-temporal", "right-temporal", "occipital")
"""Names of the zones; a zone map holds 1 + the index, and 0 where there is none."""

HALF_AXES_CM = (7.7, 9.5, 9.5)
"""Half axes of an adult cranium (across, front to back, upwards): the middle of the ranges that
lab/phantom/head.py draws from, a little larger because heads are fuller than ellipsoids."""

# Border of the hair-bearing scalp before any loss, as the segmentation was taught it: elevation
# (degrees) by azimuth from the front (degrees). In front the mature hairline, 6-8 cm above the
# brows.
_BORDER_AZIMUTH = (0.0, 22.0, 40.0, 52.0, 64.0, 74.0, 86.0, 104.0, 120.0, 145.0, 180.0)
_BORDER_ELEVATION = (46.0, 46.0, 44.0, 34.0, 14.0, 2.0, 12.0, 11.0, -14.0, -27.0, -31.0)
_BORDER = PchipInterpolator(_BORDER_AZIMUTH, _BORDER_ELEVATION)

OFFERED: dict[str, tuple[str, ...]] = {
    "vertex": ("vertex",),
    "occipital": ("vertex", "occipital"),
}
"""Zones that may be given per view: those whose region agreed with the true zone by an intersection
over union of at least 0.75 in the median and 0.6 at worst, in five or more of the renders on which
the constants were chosen (lab/benchmarks/zones.py; 18 from above, 5 from behind). In the two later
renders from above whose frame is accepted the vertex has 0.81 and 0.68."""


def azimuth_elevation(directions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Degrees from the front (0 to 180, on either side) and degrees above the head's equator."""
    azimuth = np.degrees(np.arctan2(np.abs(directions[:, 0]), directions[:, 1]))
    elevation = np.degrees(np.arcsin(np.clip(directions[:, 2], -1.0, 1.0)))
    return azimuth, elevation


def above_border_deg(directions: FloatArray) -> FloatArray:
    """Degrees (N,) by which directions (N, 3) lie inside the border of the scalp."""
    azimuth, elevation = azimuth_elevation(directions)
    return np.asarray(elevation - _BORDER(azimuth))


def zone_of(directions: FloatArray) -> NDArray[np.uint8]:
    """Zone (N,) of directions (N, 3) that lie on the scalp: 1 + the index into `ZONES`."""
    azimuth, elevation = azimuth_elevation(directions)
    zone = np.full(len(directions), 1 + ZONES.index("mid-scalp"), dtype=np.uint8)
    zone[directions[:, 1] > 0.34] = 1 + ZONES.index("frontal")
    zone[directions[:, 1] < -0.12] = 1 + ZONES.index("vertex")
    side = (elevation < 40.0) & (azimuth > 35.0) & (azimuth < 128.0)
    zone[side & (directions[:, 0] > 0)] = 1 + ZONES.index("right-temporal")
    zone[side & (directions[:, 0] <= 0)] = 1 + ZONES.index("left-temporal")
    zone[(azimuth >= 128.0) & (elevation < 30.0)] = 1 + ZONES.index("occipital")
    return zone


def zone_areas_cm2(half_axes_cm: FloatArray, *, samples: int = 20_000) -> dict[str, float]:
    """Surface of every zone of a head with these half axes, scalp only, in square centimetres."""
    index = np.arange(samples) + 0.5
    height = 1.0 - 2.0 * index / samples
    turn = np.pi * (1.0 + 5.0**0.5) * index
    flat = np.sqrt(1.0 - height**2)
    on_sphere = np.column_stack([flat * np.cos(turn), flat * np.sin(turn), height])
    points = on_sphere * half_axes_cm
    stretch = np.prod(half_axes_cm) * np.linalg.norm(on_sphere / half_axes_cm, axis=1)
    areas = 4.0 * np.pi / samples * stretch
    directions = points / np.linalg.norm(points, axis=1, keepdims=True)
    zones = np.where(above_border_deg(directions) > 0.0, zone_of(directions), 0)
    sums = np.bincount(zones, weights=areas, minlength=len(ZONES) + 1)
    return {zone: float(area) for zone, area in zip(ZONES, sums[1:], strict=True)}
