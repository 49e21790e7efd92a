"""Where the points of one photograph of a head lie in another: pose of a head-shaped surface."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from scalptrack.records import FloatArray
from scalptrack.registration.camera import Camera
from scalptrack.registration.surface import HeadShape, HeadSurface

MIN_VISIBLE_COSINE = 0.02
"""Surface seen at more than 88.9° counts as turned away: its pixel would be infinitely long."""


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Pose of the head in the moving camera, relative to the reference camera.

    Attributes
    ----------
    rotation : tuple of 3 floats
        Rotation vector in radians, about the head's centre.
    centre_px : tuple of 2 floats
        Picture of the head's centre in the moving photograph.
    distance : float
        Distance of the head's centre from the moving camera; it is 1 for the reference.
    """

    rotation: tuple[float, float, float]
    centre_px: tuple[float, float]
    distance: float

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Rotation matrix (3, 3)."""
        return np.asarray(Rotation.from_rotvec(self.rotation).as_matrix())

    def centre(self, camera: Camera) -> FloatArray:
        """Head's centre (3,) in the frame of the moving `camera`."""
        ray = camera.rays(np.array([self.centre_px]))[0]
        return np.asarray(ray / np.linalg.norm(ray) * self.distance)


@dataclass(frozen=True, slots=True)
class HeadTransform:
    """moving_from_reference through the pose of a head-shaped surface.

    Points are exact: reference pixel, its ray, the surface, the pose, moving pixel. A point is NaN
    where its ray misses the head, or where the surface is turned away from the other camera.

    Attributes
    ----------
    reference_camera, moving_camera : Camera
        The two cameras.
    shape : HeadShape
        The surface, as the reference camera sees it.
    pose : HeadPose
        Where the surface lies before the moving camera.
    surface : HeadSurface
        The surface itself, built from the other fields.
    """

    reference_camera: Camera
    moving_camera: Camera
    shape: HeadShape
    pose: HeadPose
    surface: HeadSurface = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        surface = HeadSurface(self.shape, self.reference_camera)
        object.__setattr__(self, "surface", surface)

    @classmethod
    def identity(cls, camera: Camera, shape: HeadShape) -> Self:
        """The transform of a photograph with itself."""
        return cls(camera, camera, shape, HeadPose((0.0, 0.0, 0.0), shape.centre_px, 1.0))

    def map_points(self, reference_points: FloatArray) -> FloatArray:
        """Moving points (N, 2) of reference points (N, 2); NaN where not visible in both."""
        local, cosine = self._seen_by_moving(reference_points)
        points = self.moving_camera.project(local)
        points[~(cosine > MIN_VISIBLE_COSINE)] = np.nan
        return points

    def incidence_cosine(self, reference_points: FloatArray) -> FloatArray:
        """Cosine (N,) of the incidence angle in the moving photograph; NaN if not visible."""
        _, cosine = self._seen_by_moving(reference_points)
        return np.where(cosine > MIN_VISIBLE_COSINE, cosine, np.nan)

    def inverse_points(self, moving_points: FloatArray) -> FloatArray:
        """Reference points (N, 2) of moving points (N, 2); NaN where not visible in both."""
        matrix = self.pose.matrix
        shift = self.surface.centre
        origin = shift - matrix.T @ self.pose.centre(self.moving_camera)
        rays = self.moving_camera.rays(moving_points) @ matrix
        positions, normals, hit = self.surface.intersect(origin, rays)
        points = self.reference_camera.project(positions)
        points[~(hit & (_cosines(positions, normals) > MIN_VISIBLE_COSINE))] = np.nan
        return points

    def moving_outline(self) -> tuple[FloatArray, FloatArray]:
        """Outline of the ellipsoid in the moving photograph: centre (2,), (m11, m12, m22).

        As in `HeadShape.outline`; NaN when the outline is no ellipse.
        """
        matrix = self.pose.matrix
        camera = self.moving_camera
        origin = self.surface.centre - matrix.T @ self.pose.centre(camera)
        f = camera.focal_px
        rays = np.array([[1 / f, 0.0, -camera.cx / f], [0.0, 1 / f, -camera.cy / f], [0, 0, 1.0]])
        pixel_rays = matrix.T @ rays
        conic = -pixel_rays.T @ self.surface.cone(origin) @ pixel_rays
        quadratic, linear = conic[:2, :2], conic[:2, 2]
        centre = -np.linalg.solve(quadratic, linear)
        level = float(centre @ quadratic @ centre - conic[2, 2])
        ellipse = quadratic / level
        determinant = ellipse[0, 0] * ellipse[1, 1] - ellipse[0, 1] ** 2
        if determinant <= 0.0 or ellipse[0, 0] <= 0.0:
            return np.full(2, np.nan), np.full(3, np.nan)
        m11 = np.sqrt(ellipse[0, 0])
        return centre, np.array([m11, ellipse[0, 1] / m11, np.sqrt(determinant) / m11])

    def as_dict(self) -> dict[str, Any]:
        """Every parameter as plain JSON values, with a ``type`` name."""
        return {
            "type": "head",
            "reference_camera": _camera_dict(self.reference_camera),
            "moving_camera": _camera_dict(self.moving_camera),
            "shape": self.shape.as_dict(),
            "pose": {
                "rotation": list(self.pose.rotation),
                "centre_px": list(self.pose.centre_px),
                "distance": self.pose.distance,
            },
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Inverse of `as_dict`.

        Raises
        ------
        ValueError
            When the dictionary describes another type of transform.
        """
        if values.get("type") != "head":
            message = f"transform type is {values.get('type')!r}; expected 'head'"
            raise ValueError(message)
        pose = values["pose"]
        rx, ry, rz = pose["rotation"]
        px, py = pose["centre_px"]
        return cls(
            Camera(**values["reference_camera"]),
            Camera(**values["moving_camera"]),
            HeadShape.from_dict(values["shape"]),
            HeadPose((rx, ry, rz), (px, py), pose["distance"]),
        )

    def _seen_by_moving(self, reference_points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions (N, 3) in the moving camera's frame, and cosines (N,), -1 where unseen."""
        points = np.asarray(reference_points, dtype=np.float64).reshape(-1, 2)
        rays = self.reference_camera.rays(points)
        positions, normals, hit = self.surface.intersect(np.zeros(3), rays)
        hit &= _cosines(positions, normals) > MIN_VISIBLE_COSINE
        matrix = self.pose.matrix
        local = (positions - self.surface.centre) @ matrix.T
        local = local + self.pose.centre(self.moving_camera)
        cosine = _cosines(local, normals @ matrix.T)
        return local, np.where(hit, cosine, -1.0)


def _cosines(positions: FloatArray, normals: FloatArray) -> FloatArray:
    """Cosine (N,) of the angle between normals and the directions to a camera at the origin."""
    lengths = np.linalg.norm(positions, axis=1)
    return np.asarray(-np.einsum("ij,ij->i", positions, normals) / lengths)


def _camera_dict(camera: Camera) -> dict[str, float]:
    return {"focal_px": camera.focal_px, "cx": camera.cx, "cy": camera.cy}
