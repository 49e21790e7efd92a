"""What changes between two photographs of one subject: hair, pose, camera, light, wall."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from lab.phantom.head import FloatArray, unit
from lab.phantom.subject import stream

LIGHTS = ("room", "window", "flash", "overcast")
BACKGROUNDS = ("wall", "wallpaper", "wood", "tiles", "towel", "clothes", "brick")

# Direction from the head to the camera and "up" in the picture, in the head's frame.
VIEWS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "vertex": ((0.0, -0.42, 0.91), (0.0, 1.0, 0.35)),
    "mid-pattern": ((0.0, 0.05, 1.0), (0.0, 1.0, 0.0)),
    "frontal": ((0.0, 0.70, 0.72), (0.0, 0.0, 1.0)),
    "left-temporal": ((-0.96, 0.10, 0.26), (0.0, 0.0, 1.0)),
    "right-temporal": ((0.96, 0.10, 0.26), (0.0, 0.0, 1.0)),
    "occipital": ((0.0, -0.96, 0.28), (0.0, 0.0, 1.0)),
}
# The point of the head (cm) that the camera looks at.
VIEW_TARGETS: dict[str, tuple[float, float, float]] = {
    "vertex": (0.0, -1.0, 2.0),
    "mid-pattern": (0.0, 0.0, 2.0),
    "frontal": (0.0, 1.5, 2.2),
    "left-temporal": (0.0, 0.0, -0.5),
    "right-temporal": (0.0, 0.0, -0.5),
    "occipital": (0.0, 0.0, -1.0),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One photograph's circumstances, fixed by one seed and the overrides.

    Attributes
    ----------
    seed
        Root of the random streams of this visit.
    date
        ISO date of the photograph.
    view
        Key of VIEWS.
    severity_change
        Added to the subject's severity: negative where hair regrew.
    density_change
        Share of all hairs, whatever the pattern, lost since baseline (negative: gained).
    length_cm
        Median length of the hair.
    comb_degrees, comb_strength
        Direction in which the hair is combed (0 forward, 90 to the subject's right,
        180 back) and how far it obeys, 0-1.
    parting
        Sideways position of a parting as a share of the head's width, or NaN for none.
    lock_strength
        How strongly neighbouring hairs cling together, 0-1; wet or oily hair more.
    grease
        Gloss of the skin, 0-1.
    rotation_deg
        Turn of the camera about the head: about the picture's x, y and z axes.
    shift_cm
        Sideways and vertical displacement of the aim.
    distance_cm, focal_35mm
        Camera to target; focal length equivalent by the diagonal of 43.27 mm.
    light, light_azimuth_deg, warmth, exposure_ev
        Kind of light (LIGHTS), where the main light stands, colour, exposure offset.
    background, background_seed
        Kind of background (BACKGROUNDS) and its seed; equal seeds give equal walls.
    noise, jpeg_quality, blur_px, motion_px
        Camera: sensor noise at mid-grey (share of full scale), compression, defocus
        (standard deviation) and length of a motion smear in pixels.
    orientation
        EXIF orientation of the stored file: 1, 6 or 8.
    """

    seed: int
    date: str = "2024-01-10"
    view: str = "vertex"
    severity_change: float = 0.0
    density_change: float = 0.0
    length_cm: float = 1.5
    comb_degrees: float = 0.0
    comb_strength: float = 0.3
    parting: float = float("nan")
    lock_strength: float = 0.3
    grease: float = 0.3
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift_cm: tuple[float, float] = (0.0, 0.0)
    distance_cm: float = 44.0
    focal_35mm: float = 50.0
    light: str = "room"
    light_azimuth_deg: float = 40.0
    warmth: float = 0.0
    exposure_ev: float = 0.0
    background: str = "wall"
    background_seed: int = 1
    noise: float = 0.008
    jpeg_quality: int = 90
    blur_px: float = 0.5
    motion_px: float = 0.0
    orientation: int = 1

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("view", self.view, tuple(VIEWS)),
            ("light", self.light, LIGHTS),
            ("background", self.background, BACKGROUNDS),
            ("orientation", self.orientation, (1, 6, 8)),
        ):
            if value not in allowed:
                message = f"{name} is {value!r}; it must be one of {allowed}"
                raise ValueError(message)


def sample_visit(
    seed: int, overrides: dict[str, Any] | None = None, *, pose_sd_deg: float = 4.0
) -> Visit:
    """Draw the visit of `seed`; angles are normal, cut at two standard deviations."""
    rng = stream(seed, "visit")
    angles = np.clip(rng.normal(0.0, pose_sd_deg, 3), -2.0 * pose_sd_deg, 2.0 * pose_sd_deg)
    visit = Visit(
        seed=seed,
        comb_degrees=float(rng.normal(0.0, 25.0)),
        comb_strength=float(rng.uniform(0.2, 0.5)),
        lock_strength=float(rng.uniform(0.1, 0.5)),
        grease=float(rng.uniform(0.1, 0.6)),
        rotation_deg=(float(angles[0]), float(angles[1]), float(angles[2])),
        shift_cm=(float(rng.normal(0.0, 0.4)), float(rng.normal(0.0, 0.4))),
        distance_cm=float(44.0 * rng.uniform(0.93, 1.07)),
        light=str(rng.choice(LIGHTS[:2])),
        light_azimuth_deg=float(rng.uniform(-70.0, 70.0)),
        warmth=float(rng.normal(0.0, 0.5)),
        exposure_ev=float(rng.normal(0.0, 0.15)),
        background=str(rng.choice(BACKGROUNDS)),
        background_seed=int(rng.integers(1, 1000)),
        noise=float(rng.uniform(0.004, 0.012)),
        jpeg_quality=int(rng.integers(82, 95)),
        blur_px=float(rng.uniform(0.3, 0.7)),
    )
    unknown = set(overrides or {}) - {field.name for field in fields(Visit)}
    if unknown:
        message = f"unknown visit fields {sorted(unknown)}"
        raise ValueError(message)
    values = dict(overrides or {})
    for name in ("rotation_deg", "shift_cm"):
        if name in values:
            values[name] = tuple(float(v) for v in values[name])
    return replace(visit, **values)


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole: `camera = rotation @ head + translation`, x right, y down, z into the scene.

    Attributes
    ----------
    rotation, translation
        (3, 3) and (3,) in cm: `camera_from_head`.
    focal_px, cx, cy
        Intrinsics for pixel centres at integers.
    width, height
        Size of the upright picture in pixels.
    """

    rotation: FloatArray
    translation: FloatArray
    focal_px: float
    cx: float
    cy: float
    width: int
    height: int

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixels (N, 2) as (x, y) and depths (N,) in cm of head-frame `points` (N, 3)."""
        local = points @ self.rotation.T + self.translation
        depth = local[:, 2]
        xy = local[:, :2] / depth[:, None] * self.focal_px + [self.cx, self.cy]
        return np.asarray(xy), np.asarray(depth)

    @property
    def position(self) -> FloatArray:
        """Centre of the camera in the head's frame, cm."""
        return np.asarray(-self.rotation.T @ self.translation)


def rotation_from_degrees(degrees: tuple[float, float, float]) -> FloatArray:
    """Rotation matrix (3, 3): about x, then y, then z."""
    x, y, z = np.radians(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return np.asarray(rz @ ry @ rx)


def nominal_rotation(view: str) -> FloatArray:
    """`camera_from_head` rotation (3, 3) of the textbook pose of `view`."""
    towards, up = (np.asarray(v) for v in VIEWS[view])
    z = -unit(towards)
    y = -unit(up - (up @ z) * z)
    return np.stack([np.cross(y, z), y, z])


def camera_of(visit: Visit, *, width: int, height: int) -> Camera:
    """The camera of a visit for a picture of `width` x `height` pixels."""
    rotation = rotation_from_degrees(visit.rotation_deg) @ nominal_rotation(visit.view)
    target = np.asarray(VIEW_TARGETS[visit.view])
    translation = -rotation @ target + [visit.shift_cm[0], visit.shift_cm[1], visit.distance_cm]
    return Camera(
        rotation=rotation,
        translation=np.asarray(translation),
        focal_px=visit.focal_35mm * float(np.hypot(width, height)) / 43.27,
        cx=(width - 1) / 2.0,
        cy=(height - 1) / 2.0,
        width=width,
        height=height,
    )
