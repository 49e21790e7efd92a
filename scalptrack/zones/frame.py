"""Where the front of a head is in one photograph: the average head laid over its segmentation.

The average head of `scalptrack.zones.anatomy`, with ears and a neck, is turned, moved and scaled
until its scalp and its other skin lie where the segmentation has them. The fit starts from the
camera position that the view's name stands for and is held near it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from scalptrack.records import FloatArray, RegionClass, Segmentation
from scalptrack.zones.anatomy import HALF_AXES_CM, above_border_deg

VIEW_DIRECTIONS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "vertex": ((0.0, -0.42, 0.91), (0.0, 1.0, 0.35)),
    "mid-pattern": ((0.0, 0.05, 1.0), (0.0, 1.0, 0.0)),
    "frontal": ((0.0, 0.70, 0.72), (0.0, 0.0, 1.0)),
    "left-temporal": ((-0.96, 0.10, 0.26), (0.0, 0.0, 1.0)),
    "right-temporal": ((0.96, 0.10, 0.26), (0.0, 0.0, 1.0)),
    "occipital": ((0.0, -0.96, 0.28), (0.0, 0.0, 1.0)),
}
"""From the head to the camera, and what is up in the picture, in the head's frame."""

FROM_ABOVE = frozenset({"vertex", "mid-pattern"})
"""Views that people take with the forehead at the top or at the bottom of the picture."""

GRID_SIDE = 44
SOFT_PX = (3.0, 1.2)
"""Softness of the borders in pixels of the small grid, one fit after the other."""

POSE_SD_DEG, SHIFT_SD, SCALE_SD, SHAPE_SD = 2.5, 0.6, 0.35, 0.05
PRIOR_WEIGHT = 0.5
"""How firmly the view's usual position, place, size and the average proportions are held, against
one unit per wrong pixel of the small grid. Chosen on the 40 renders that lab/benchmarks/zones.py
names as such; errors of a segmentation cover many pixels at once, so the prior has to be firm."""

SKIN_WEIGHT, BACKGROUND_WEIGHT, INCIDENCE_WEIGHT = 0.3, 0.5, 0.5

_SIZE_CM = 8.3
_EAR_CENTRE_CM, _EAR_CM = (7.9, -1.5, -1.6), (1.3, 1.7, 3.0)
_NECK_CENTRE_CM, _NECK_CM = (0.0, -3.2, -9.0), (5.7, 5.5, 8.0)


@dataclass(frozen=True, slots=True, eq=False)
class HeadFrame:
    """The average head in the camera's frame (x right, y down, z into the scene; cm).

    Attributes
    ----------
    camera_from_head : float (3, 3)
        Rotation.
    centre_cm : float (3,)
        Head's centre.
    half_axes_cm : float (3,)
        Across, front to back, upwards.
    misfit : float
        Cost of the fit, see `PRIOR_WEIGHT`; two frames of one photograph are compared by it.
    agreement : float
        Intersection over union of the fitted and the segmented scalp.
    """

    camera_from_head: FloatArray
    centre_cm: FloatArray
    half_axes_cm: FloatArray
    misfit: float
    agreement: float


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What lines of sight see of the head.

    Attributes
    ----------
    directions : float (N, 3)
        Unit vectors from the head's centre to the surface.
    nearness : float (N,)
        Distance of the line from the centre, 1 on the outline and less inside it.
    cosine : float (N,)
        Cosine of the incidence angle; negative off the head.
    distance_cm : float (N,)
        From the camera to the surface.
    """

    directions: FloatArray
    nearness: FloatArray
    cosine: FloatArray
    distance_cm: FloatArray


def nominal_rotation(view: str, *, upside_down: bool = False) -> FloatArray:
    """``camera_from_head`` (3, 3) of the position that the view's name stands for."""
    towards, up = (np.asarray(v) for v in VIEW_DIRECTIONS[view])
    z = -towards / np.linalg.norm(towards)
    y = -(up - (up @ z) * z)
    y = y / np.linalg.norm(y) * (-1.0 if upside_down else 1.0)
    return np.stack([np.cross(y, z), y, z])


def sight(
    rays: FloatArray, camera_from_head: FloatArray, centre_cm: FloatArray, half_axes_cm: FloatArray
) -> Sight:
    """Intersect rays (N, 3) from the camera with the ellipsoid of the head."""
    turned = rays @ camera_from_head
    origin = (-camera_from_head.T @ centre_cm) / half_axes_cm
    step = turned / half_axes_cm
    a = np.einsum("ij,ij->i", step, step)
    b = step @ origin
    c = float(origin @ origin)
    t = (-b - np.sqrt(np.maximum(b * b - a * (c - 1.0), 0.0))) / a
    points = (origin + t[:, None] * step) * half_axes_cm
    normals = points / half_axes_cm**2
    lengths = np.linalg.norm(turned, axis=1)
    facing = -np.einsum("ij,ij->i", normals, turned) / lengths
    return Sight(
        directions=points / np.linalg.norm(points, axis=1, keepdims=True),
        nearness=np.sqrt(np.maximum(c - b * b / a, 1e-12)),
        cosine=facing / np.linalg.norm(normals, axis=1),
        distance_cm=t * lengths,
    )


def camera_rays(
    points: FloatArray, photograph_shape: tuple[int, int], focal_px: float
) -> FloatArray:
    """Rays (N, 3) of photograph points (N, 2); the principal point is the picture's centre."""
    height, width = photograph_shape
    centre = np.array([(width - 1) / 2.0, (height - 1) / 2.0])
    return np.column_stack([(points - centre) / focal_px, np.ones(len(points))])


def fit_frame(segmentation: Segmentation, view: str, focal_px: float) -> HeadFrame:
    """Fit the average head to one photograph of a known view, the right way up."""
    return _Fit(segmentation, nominal_rotation(view), focal_px).frame()


def fit_upside_down(segmentation: Segmentation, view: str, focal_px: float) -> HeadFrame:
    """As `fit_frame`, for a picture with the forehead at the bottom."""
    return _Fit(segmentation, nominal_rotation(view, upside_down=True), focal_px).frame()


class _Fit:
    """Least squares over turn (3), shift (2), log size, log depth and log height of the head."""

    def __init__(self, segmentation: Segmentation, start: FloatArray, focal_px: float) -> None:
        self._start, self._focal = start, focal_px
        grid, shape = segmentation.grid, segmentation.photograph_shape
        coarse = grid.width / GRID_SIDE
        u, v = np.meshgrid(np.arange(GRID_SIDE), np.arange(GRID_SIDE))
        points = (np.stack([u.ravel(), v.ravel()], axis=1) + 0.5) * coarse - 0.5
        points = grid.to_photograph(points)
        self._rays = camera_rays(points, shape, focal_px)
        self._step_px = grid.step_px * coarse
        inside = np.all((points >= 0) & (points <= np.array(shape[::-1]) - 1), axis=1)
        classes, scalp = segmentation.classes, segmentation.scalp
        self._scalp = _small(scalp)
        self._skin = _small((classes == RegionClass.OTHER_SKIN) & ~scalp)
        self._background = _small(classes == RegionClass.BACKGROUND)
        self._weight = inside * (1.0 - _small((classes == RegionClass.OBJECT) & ~scalp))
        cosine = _small(segmentation.incidence_cosine * scalp)
        self._cosine = cosine / np.maximum(self._scalp, 0.05)
        rows, columns = np.nonzero(scalp)
        middle = grid.to_photograph(np.array([[columns.mean(), rows.mean()]]))
        self._middle = camera_rays(middle, shape, focal_px)[0]
        self._radius_px = float(np.sqrt(scalp.sum() / np.pi)) * grid.step_px

    def frame(self) -> HeadFrame:
        """The best frame."""
        parameters = np.zeros(8)
        for softness in SOFT_PX:
            found = least_squares(
                self._residuals,
                parameters,
                args=(softness,),
                max_nfev=20,
                x_scale=[0.1] * 6 + [0.05] * 2,
            )
            parameters = found.x
        rotation, centre, axes, _ = self._pose(parameters)
        seen = sight(self._rays, rotation, centre, axes)
        ours = (seen.nearness < 1.0) & (above_border_deg(seen.directions) > 0.0)
        theirs, counted = self._scalp > 0.5, self._weight > 0.5
        both, any_of_them = ours & theirs & counted, (ours | theirs) & counted
        return HeadFrame(
            camera_from_head=rotation,
            centre_cm=centre,
            half_axes_cm=axes,
            misfit=float(found.cost),
            agreement=float(both.sum() / max(int(any_of_them.sum()), 1)),
        )

    def _pose(self, p: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        """Rotation, centre, half axes, and the head's radius in pixels of the small grid."""
        rotation = Rotation.from_rotvec(p[:3]).as_matrix() @ self._start
        radius_px = self._radius_px * float(np.exp(p[5]))
        ray = self._middle.copy()
        ray[:2] += p[3:5] * self._radius_px / self._focal
        centre = ray * self._focal * _SIZE_CM / radius_px
        axes = np.asarray(HALF_AXES_CM) * np.exp([0.0, p[6], p[7]])
        return rotation, centre, axes, radius_px / self._step_px

    def _residuals(self, p: FloatArray, softness: float) -> FloatArray:
        rotation, centre, axes, radius = self._pose(p)
        seen = sight(self._rays, rotation, centre, axes)
        head = _soft((1.0 - seen.nearness) * radius / softness)
        scalp = head * _soft(np.radians(above_border_deg(seen.directions)) * radius / softness)
        camera = -rotation.T @ centre
        side = camera[0] / np.linalg.norm(camera)
        front, behind = np.zeros_like(head), np.zeros_like(head)
        for sign in (1.0, -1.0):
            ear_centre = np.array(_EAR_CENTRE_CM) * [sign, 1.0, 1.0]
            ear = self._blob(rotation, centre, ear_centre, _EAR_CM, radius / softness)
            nearer = 1.0 / (1.0 + np.exp(-20.0 * sign * side))
            front = np.maximum(front, ear * nearer)
            behind = np.maximum(behind, ear * (1.0 - nearer))
        neck = self._blob(rotation, centre, np.array(_NECK_CENTRE_CM), _NECK_CM, radius / softness)
        skin = (head - scalp) + (1.0 - head) * np.maximum(behind, neck)
        skin = front + (1.0 - front) * skin
        scalp_seen = scalp * (1.0 - front)
        cosine = np.where(seen.nearness < 1.0, seen.cosine, 0.0) - self._cosine
        known = scalp_seen * (self._scalp > 0.5)
        prior = np.concatenate(
            [
                p[:3] / np.radians(POSE_SD_DEG),
                p[3:5] / SHIFT_SD,
                p[5:6] / SCALE_SD,
                p[6:] / SHAPE_SD,
            ]
        )
        return np.concatenate(
            [
                (scalp_seen - self._scalp) * self._weight,
                SKIN_WEIGHT * (skin - self._skin) * self._weight,
                BACKGROUND_WEIGHT * (head - scalp_seen) * self._background * self._weight,
                INCIDENCE_WEIGHT * cosine * known * self._weight,
                PRIOR_WEIGHT * prior,
            ]
        )

    def _blob(
        self,
        rotation: FloatArray,
        centre: FloatArray,
        at_cm: FloatArray,
        half_cm: tuple[float, float, float],
        pixels_per_radius: float,
    ) -> FloatArray:
        """Soft silhouette (N,) of an ellipsoid at a place of the head's frame."""
        moved = centre + rotation @ at_cm
        nearness = sight(self._rays, rotation, moved, np.asarray(half_cm)).nearness
        size = float(np.sqrt(half_cm[0] * half_cm[2])) / _SIZE_CM
        return _soft((1.0 - nearness) * size * pixels_per_radius)


def _small(values: NDArray[np.generic]) -> FloatArray:
    """Mean of a map over the pixels of the small grid, flattened."""
    size = (GRID_SIDE, GRID_SIDE)
    shrunk = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, dtype=np.float64).ravel()


def _soft(pixels: FloatArray) -> FloatArray:
    """0 far outside, 1 far inside, 1/2 on the border."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(2.0 * pixels, -30.0, 30.0))))
