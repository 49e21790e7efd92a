"""Where the camera stands, and what each pixel sees of the bare head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from lab.strands.head import EAR, FACE, NOTHING, SCALP, Floats, Head

VIEWS = ("vertex", "mid-pattern", "frontal", "temporal", "occipital", "any", "portrait")
_VIEW_CHANCE = (0.25, 0.17, 0.13, 0.09, 0.10, 0.06, 0.20)
_STEPS = 26


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera in the head's frame.

    Attributes
    ----------
    position_mm : ndarray, shape (3,)
        Centre of projection.
    axes : ndarray, shape (3, 3)
        Rows: right, down and forward of the picture.
    focal_px : float
        Focal length in pixels.
    centre_px : ndarray, shape (2,)
        Principal point as (x, y).
    size : int
        Width and height of the picture in pixels.
    view : str
        Name of the view that was drawn.
    """

    position_mm: Floats
    axes: Floats
    focal_px: float
    centre_px: Floats
    size: int
    view: str

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Pixels (..., 2) as (x, y), and depth (...) in mm, of points (..., 3)."""
        local = (points - self.position_mm) @ self.axes.T
        depth = np.maximum(local[..., 2], 1.0)
        return local[..., :2] * (self.focal_px / depth)[..., None] + self.centre_px, depth

    @property
    def mm_per_px(self) -> float:
        """Size of a pixel at the head's origin."""
        return float(np.linalg.norm(self.position_mm)) / self.focal_px


@dataclass(frozen=True, slots=True)
class Surface:
    """What the pixels see of the person without hair.

    Attributes
    ----------
    label : ndarray of uint8, shape (H, W)
        Surface label (`lab.strands.head`).
    depth_mm : ndarray, shape (H, W)
        Along the optical axis; infinite where there is nothing.
    point_mm, normal : ndarray, shape (H, W, 3)
        Head frame.
    cosine : ndarray, shape (H, W)
        Cosine of the angle between the normal and the line of sight.
    """

    label: NDArray[np.uint8]
    depth_mm: Floats
    point_mm: Floats
    normal: Floats
    cosine: Floats


TURN_SD_DEG, DISTANCE_SD, SHIFT_SD = 4.0, 0.05, 0.03
"""Of photographs that are meant to be alike: the head's turn about each axis, the distance, and the
place in the picture as a share of its size."""


def held_anew(rng: np.random.Generator, camera: Camera) -> Camera:
    """The same view with head and camera held by hand once more."""
    turn = Rotation.from_rotvec(np.radians(rng.normal(0, TURN_SD_DEG, 3))).as_matrix()
    farther = float(np.exp(rng.normal(0, DISTANCE_SD)))
    return replace(
        camera,
        position_mm=farther * turn @ camera.position_mm,
        axes=camera.axes @ turn.T,
        centre_px=camera.centre_px + camera.size * rng.normal(0, SHIFT_SD, 2),
    )


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return unit


def _direction(rng: np.random.Generator, view: str) -> tuple[float, float]:
    """Azimuth and elevation of the camera in degrees."""
    side = float(rng.choice([-1, 1]))
    match view:
        case "vertex":
            return float(rng.choice([0, 180]) + rng.normal(0, 35)), 90 - abs(rng.normal(0, 16))
        case "mid-pattern":
            return float(rng.normal(0, 25)), float(rng.uniform(35, 72))
        case "frontal":
            return float(rng.normal(0, 20)), float(rng.uniform(-5, 42))
        case "temporal":
            return side * float(rng.normal(80, 18)), float(rng.uniform(-5, 40))
        case "occipital":
            return float(180 + rng.normal(0, 25)), float(rng.uniform(-5, 62))
        case "portrait":
            return float(rng.normal(0, 38)), float(rng.normal(3, 11))
    return float(rng.uniform(-180, 180)), float(np.degrees(np.arcsin(rng.uniform(-0.3, 1))))


def _span(rng: np.random.Generator, view: str, *, plain: bool) -> float:
    """Width of the head as a share of the picture."""
    if view == "portrait":  # From a face that fills the frame to somebody across a room.
        return float(
            rng.uniform(0.32, 0.72) if rng.random() < 0.6 else np.exp(rng.uniform(-2.6, -1))
        )
    if plain:
        return float(rng.uniform(0.55, 0.8))
    kind = rng.random()
    if kind < 0.20:
        return float(np.exp(rng.uniform(np.log(0.13), np.log(0.5))))
    if kind < 0.86:
        return float(rng.uniform(0.5, 0.95))
    return float(rng.uniform(0.95, 1.8))


def _plain_direction(rng: np.random.Generator, view: str) -> tuple[float, float]:
    """Azimuth and elevation in degrees of the views of the protocol, held by hand."""
    side = float(rng.choice([-1, 1]))
    nominal = {
        "vertex": (180.0, 65.0), "mid-pattern": (0.0, 84.0), "frontal": (0.0, 45.0),
        "temporal": (side * 84.0, 16.0), "occipital": (180.0, 18.0),
        "any": (float(rng.uniform(-180, 180)), float(rng.uniform(10, 90))),
        "portrait": _direction(rng, "portrait"),
    }  # fmt: skip
    azimuth, elevation = nominal[view]
    spread = 8 / np.cos(np.radians(min(elevation, 75)))
    tilt = 14.0 if view in ("vertex", "frontal") else 9.0
    return azimuth + spread * rng.normal(), min(89.0, elevation + tilt * rng.normal())


def sample_camera(rng: np.random.Generator, size: int, *, plain: bool = False) -> Camera:
    """A random camera that sees the head.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int
        Width and height of the picture in pixels.
    plain : bool
        As the protocol asks for: the head fills the picture and stands nearly upright in it.

    Returns
    -------
    Camera
    """
    view = str(rng.choice(VIEWS, p=_VIEW_CHANCE))
    direction = _plain_direction(rng, view) if plain else _direction(rng, view)
    azimuth, elevation = np.radians(direction)
    away = np.array(
        [
            np.cos(elevation) * np.sin(azimuth),
            np.cos(elevation) * np.cos(azimuth),
            np.sin(elevation),
        ]
    )
    near, far = (330, 1100) if plain else (320, 2200)
    if view == "portrait":
        near, far = 600, 3500
    distance = float(np.exp(rng.uniform(np.log(near), np.log(far))))
    span = _span(rng, view, plain=plain)
    focal = span * size * distance / 172
    loose = max(0.04, (1 - span) * 0.5)
    aim = np.array([rng.normal(0, 8), rng.normal(0, 12), rng.normal(5 if span > 0.5 else -25, 15)])
    if span > 0.95:
        aim = aim + np.array([rng.normal(0, 15), rng.normal(0, 20), rng.uniform(20, 60)])
    position = aim + away * distance
    up = np.array([0.0, 0.0, 1.0])
    if abs(away[2]) > 0.85:
        up = np.array([rng.normal(0, 0.3), rng.choice([-1.0, 1.0]), 0.05])
    forward = -away
    right = _unit(np.cross(forward, up))
    down = np.cross(forward, right)
    turned = rng.random() < (0.05 if plain else 0.2)
    roll = rng.uniform(-np.pi, np.pi) if turned else rng.normal(0, 0.2)
    c, s = np.cos(roll), np.sin(roll)
    axes = np.stack([c * right + s * down, -s * right + c * down, forward])
    shift = rng.uniform(-loose, loose, 2) * size * 0.85
    return Camera(
        position.astype(np.float32),
        axes.astype(np.float32),
        focal,
        ((size - 1) / 2 + shift).astype(np.float32),
        size,
        view,
    )


def _rays(camera: Camera) -> Floats:
    """Directions (N, 3) with a forward component of one, row by row."""
    y, x = np.mgrid[: camera.size, : camera.size].astype(np.float32)
    local = np.stack(
        [
            (x - camera.centre_px[0]) / camera.focal_px,
            (y - camera.centre_px[1]) / camera.focal_px,
            np.ones_like(x),
        ],
        -1,
    )
    return (local.reshape(-1, 3) @ camera.axes).astype(np.float32)


def _skull_depth(head: Head, origin: Floats, rays: Floats) -> Floats:
    """Depth of the star-shaped surface along rays (N, 3); infinite where missed."""
    reach = float(head.radius_mm.max()) + 1
    squared = np.einsum("ij,ij->i", rays, rays)
    along = rays @ origin
    root = along**2 - squared * (origin @ origin - reach**2)
    depth = np.full(len(rays), np.inf, np.float32)
    inside = np.flatnonzero(root > 0)
    ray, length = rays[inside], np.sqrt(squared[inside])
    t = (-along[inside] - np.sqrt(root[inside])) / squared[inside]
    gap = np.full(len(inside), np.inf, np.float32)
    active = np.arange(len(inside))
    for _ in range(_STEPS):
        points = origin + ray[active] * t[active, None]
        row, column, far = head.cells(points)
        gap[active] = far - head.radius_mm[row, column]
        t[active] += 0.7 * gap[active] / length[active]
        active = active[np.abs(gap[active]) > 0.15]
        if not len(active):
            break
    hit = np.abs(gap) < 2.5
    depth[inside[hit]] = t[hit]
    return depth


def look(head: Head, camera: Camera) -> Surface:
    """What every pixel sees of the bare person.

    Parameters
    ----------
    head : Head
        The person.
    camera : Camera
        The camera.

    Returns
    -------
    Surface
    """
    rays = _rays(camera)
    origin = camera.position_mm
    depth = _skull_depth(head, origin, rays)
    label = np.where(np.isfinite(depth), FACE, NOTHING).astype(np.uint8)
    points = origin + rays * np.where(np.isfinite(depth), depth, 0)[:, None]
    row, column, _ = head.cells(points)
    normal = head.normal[row, column]
    label[(label == FACE) & head.scalp_cells()[row, column]] = SCALP
    for part in head.parts:
        a = rays @ part.axes.T
        b = part.axes @ (origin - part.centre)
        aa, ab = np.einsum("ij,ij->i", a, a), a @ b
        root = ab**2 - aa * (b @ b - 1)
        t = (-ab - np.sqrt(np.maximum(root, 0))) / aa
        near = (root > 0) & (t > 0) & (t < depth)
        if part.label == EAR:
            near &= label != SCALP
        depth[near], label[near] = t[near], part.label
        points[near] = origin + rays[near] * t[near, None]
        inner = (points[near] - part.centre) @ part.axes.T @ part.axes
        normal[near] = inner / np.linalg.norm(inner, axis=1, keepdims=True)
    shape = (camera.size, camera.size)
    unit = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    cosine = np.clip(-np.einsum("ij,ij->i", unit, normal), 0, 1)
    cosine[label == NOTHING] = 0
    return Surface(
        label.reshape(shape),
        depth.reshape(shape),
        points.reshape(*shape, 3),
        normal.reshape(*shape, 3),
        cosine.reshape(shape).astype(np.float32),
    )
