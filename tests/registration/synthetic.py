"""Ray-cast heads with painted skin and drawn strands: exact correspondences, in a second.

The head is star-shaped and not an ellipsoid: radius per direction with waves. Units: mean radius
of the head is 1. Frame: x right, y towards the back, z out of the vertex.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from scalptrack.records import Grid, RegionClass, Segmentation

HALF_AXES = np.array([0.88, 1.1, 1.08])


@dataclass(frozen=True)
class Subject:
    """What doesn't change: shape, skin, follicles."""

    seed: int
    contrast: float = 1.0

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.seed, 1])
        values = {
            "waves": rng.normal(0.0, 1.0, (6, 3)) * 2.2,
            "heights": rng.normal(0.0, 0.006, 6),
            "phases": rng.uniform(0.0, 6.28, 6),
            "noise": rng.normal(0.0, 1.0, (48, 48, 48)).astype(np.float32),
            "moles": _unit(rng.normal(0.0, 1.0, (60, 3))),
            "mole_radius": rng.uniform(0.008, 0.03, 60),
            "tone": np.array([205.0, 160.0, 135.0]) * rng.uniform(0.8, 1.1),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def radius(self, u: np.ndarray) -> np.ndarray:
        p = 2.25
        base = (np.abs(u / HALF_AXES) ** p).sum(axis=-1) ** (-1.0 / p)
        return base + np.cos(u @ self.waves.T + self.phases) @ self.heights

    def albedo(self, u: np.ndarray) -> np.ndarray:
        """Relative darkness (N,) of the skin along unit directions (N, 3)."""
        value = np.zeros(len(u), dtype=np.float32)
        for scale, weight in ((5.0, 0.05), (12.0, 0.04), (30.0, 0.03), (60.0, 0.02)):
            value += weight * map_coordinates(
                self.noise, (u * scale + 100.0).T % 48, order=1, mode="grid-wrap"
            )
        near = u @ self.moles.T.astype(np.float32)
        angle2 = 2.0 * (1.0 - near)
        return self.contrast * (
            value - 0.35 * np.exp(-0.5 * angle2 / (self.mole_radius / 2) ** 2).sum(axis=1)
        )


@dataclass(frozen=True)
class Shot:
    """What changes: pose, camera, light, hair, background."""

    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    distance: float = 4.7
    shift: tuple[float, float] = (0.0, 0.0)
    focal_35mm: float = 50.0
    light: tuple[float, float, float] = (0.3, -0.3, 1.0)
    hairs: int = 0
    hair_seed: int = 0
    comb_deg: float = 0.0
    hair_length: float = 0.25
    background_seed: int = 0
    background_contrast: float = 20.0
    noise_seed: int = 0
    size: tuple[int, int] = (500, 620)


@dataclass(frozen=True, eq=False)
class Rendered:
    image: np.ndarray
    segmentation: Segmentation
    positions: np.ndarray = field(repr=False)
    shot: Shot = field(repr=False)
    subject: Subject = field(repr=False)

    def project(self, positions: np.ndarray) -> np.ndarray:
        """Pixels (N, 2) of head-frame positions; NaN where the head hides them."""
        rotation, translation, focal, centre = _camera(self.shot)
        local = positions @ rotation.T + translation
        points = local[:, :2] / local[:, 2:] * focal + centre
        normals = _normals(self.subject, _unit(positions))
        view = -local / np.linalg.norm(local, axis=1, keepdims=True)
        facing = np.einsum("ij,ij->i", normals @ rotation.T, view)
        points[facing < 0.05] = np.nan
        return points


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def _camera(shot: Shot):
    height, width = shot.size
    # Camera looks down -z of the head: picture x = head x, picture y = head y.
    nominal = np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, -1.0]])
    rotation = Rotation.from_euler("xyz", shot.rotation_deg, degrees=True).as_matrix() @ nominal
    translation = np.array([*shot.shift, shot.distance])
    focal = shot.focal_35mm * np.hypot(height, width) / 43.27
    return rotation, translation, focal, np.array([(width - 1) / 2, (height - 1) / 2])


def _normals(subject: Subject, u: np.ndarray) -> np.ndarray:
    helper = np.where(np.abs(u[:, :1]) > 0.9, [[0.0, 1, 0]], [[1.0, 0, 0]])
    e1 = _unit(np.cross(u, helper))
    e2 = np.cross(u, e1)
    tangents = []
    for e in (e1, e2):
        a, b = _unit(u + 2e-3 * e), _unit(u - 2e-3 * e)
        tangents.append(a * subject.radius(a)[:, None] - b * subject.radius(b)[:, None])
    normal = _unit(np.cross(tangents[0], tangents[1]))
    return normal * np.sign(np.einsum("ij,ij->i", normal, u))[:, None]


def _cast(subject: Subject, origin: np.ndarray, rays: np.ndarray):
    """First hits (N, 3) of unit rays, and which rays hit."""
    b = rays @ origin
    closest = origin - b[:, None] * rays
    t = -b - np.sqrt(np.maximum(1.0 - np.einsum("ij,ij->i", closest, closest), 0.0))
    for _ in range(14):
        r = subject.radius(_unit(origin + t[:, None] * rays))
        gap2 = np.einsum("ij,ij->i", closest, closest)
        t = 0.5 * t + 0.5 * (-b - np.sqrt(np.maximum(r**2 - gap2, 0.0)))
    x = origin + t[:, None] * rays
    hit = np.abs(np.linalg.norm(x, axis=1) - subject.radius(_unit(x))) < 2e-4
    return x, hit


def render(subject: Subject, shot: Shot) -> Rendered:
    """Photograph of a subject with its exact segmentation and positions."""
    height, width = shot.size
    rotation, translation, focal, centre = _camera(shot)
    origin = -rotation.T @ translation
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    local = np.concatenate([(pixels - centre) / focal, np.ones((len(pixels), 1))], axis=1)
    rays = _unit(local @ rotation)
    b = rays @ origin
    near = np.flatnonzero(origin @ origin - b**2 < 1.3**2)
    hits, hit = _cast(subject, origin, rays[near])
    index = near[hit]
    positions = np.full((height * width, 3), np.nan)
    positions[index] = hits[hit]
    image = _background(shot).reshape(-1, 3)
    u = _unit(positions[index])
    normals = _normals(subject, u)
    shade = 0.35 + 0.65 * np.clip(normals @ _unit(np.array(shot.light)), 0, 1)
    image[index] = subject.tone * (shade * (1.0 + subject.albedo(u.astype(np.float32))))[:, None]
    image = image.reshape(height, width, 3)
    hair, colour = _hair(subject, shot)
    image = image * (1 - hair[..., None]) + colour * hair[..., None]
    rng = np.random.default_rng([shot.noise_seed, 5])
    image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.6)
    image = np.clip(image + rng.normal(0, 2.0, image.shape), 0, 255).astype(np.uint8)
    return Rendered(
        image,
        _segmentation(positions.reshape(height, width, 3), hair, shot),
        positions.reshape(height, width, 3),
        shot,
        subject,
    )


def _background(shot: Shot) -> np.ndarray:
    height, width = shot.size
    rng = np.random.default_rng([shot.background_seed, 2])
    picture = np.full((height, width), 120.0)
    for sigma in (1.5, 4.0, 12.0):
        noise = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), sigma)
        picture += shot.background_contrast * noise / noise.std()
    return np.repeat(picture[..., None], 3, axis=2)


def _hair(subject: Subject, shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    """Hair fraction (H, W) and its colour; strands lie on the head, combed by `comb_deg`."""
    height, width = shot.size
    canvas = np.zeros((2 * height, 2 * width), np.uint8)
    if shot.hairs:
        rng = np.random.default_rng([shot.hair_seed, 3])
        roots = _unit(rng.normal(0, 1, (3 * shot.hairs, 3)) + np.array([0, 0, 0.5]))
        roots = roots[roots[:, 2] > 0.1][: shot.hairs]
        angle = np.radians(shot.comb_deg) + rng.normal(0, 0.5, len(roots))
        direction = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
        curl = rng.normal(0, 0.6, (len(roots), 1))
        path = [roots]
        for _ in range(6):
            u = path[-1]
            side = np.cross(u, direction)
            direction = _unit(
                direction - (direction * u).sum(1, keepdims=True) * u + curl * side / 6
            )
            path.append(_unit(u + direction * shot.hair_length / 6))
        strands = np.stack(path, axis=1)
        seen = render_points(subject, shot, strands.reshape(-1, 3)).reshape(len(roots), -1, 2)
        seen = seen[np.isfinite(seen).all(axis=(1, 2))]
        curves = [np.round((2 * s + 0.5) * 16).astype(np.int32) for s in seen]
        cv2.polylines(canvas, curves, False, 255, 2, cv2.LINE_AA, 4)
    fraction = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA) / 255.0
    return fraction.astype(np.float32), np.array([45.0, 35.0, 30.0])


def render_points(subject: Subject, shot: Shot, u: np.ndarray) -> np.ndarray:
    rotation, translation, focal, centre = _camera(shot)
    local = (u * subject.radius(u)[:, None] * 1.01) @ rotation.T + translation
    points = local[:, :2] / local[:, 2:] * focal + centre
    points[np.einsum("ij,ij->i", u @ rotation.T, -local) < 0.1] = np.nan
    return points


def _segmentation(positions: np.ndarray, hair: np.ndarray, shot: Shot) -> Segmentation:
    height, width = shot.size
    on_head = np.isfinite(positions[..., 0])
    u = _unit(np.where(on_head[..., None], positions, 1.0))
    # The forehead is a strip at the front (negative y) below the hairline.
    scalp = on_head & ~(u[..., 1] < -0.75)
    classes = np.full((height, width), RegionClass.BACKGROUND, np.uint8)
    classes[on_head] = RegionClass.OTHER_SKIN
    classes[scalp] = RegionClass.SCALP_SKIN
    classes[hair > 0.5] = RegionClass.HAIR
    return Segmentation(
        grid=Grid(0.0, 0.0, 1.0, width, height),
        photograph_shape=(height, width),
        hair_fraction=hair,
        classes=classes,
        scalp=scalp,
        incidence_cosine=np.ones((height, width), np.float32),
        glare=np.zeros((height, width), bool),
        method="synthetic truth",
    )


def true_points(reference: Rendered, moving: Rendered, count: int = 600, seed: int = 0):
    """Corresponding points (N, 2) of the scalp seen in both, from the exact positions."""
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(reference.segmentation.scalp)
    chosen = rng.choice(len(rows), min(count, len(rows)), replace=False)
    rows, columns = rows[chosen], columns[chosen]
    positions = reference.positions[rows, columns]
    here = np.stack([columns, rows], axis=1).astype(float)
    facing = reference.project(positions)
    there = moving.project(positions)
    good = np.isfinite(there[:, 0]) & np.isfinite(facing[:, 0])
    return here[good], there[good]


def with_pose(shot: Shot, rotation_deg: tuple[float, float, float]) -> Shot:
    return replace(shot, rotation_deg=rotation_deg)
