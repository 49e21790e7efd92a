"""Hair as polylines: follicles grow strands that fall, cling together and are combed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lab.phantom.head import FloatArray, RadiusTable, unit
from lab.phantom.subject import Follicles, Subject, stream
from lab.phantom.visit import Visit, nominal_rotation

COIL_RADIUS_CM = {"straight": 0.0, "wavy": 0.06, "curly": 0.16, "coily": 0.11}
COIL_TURNS_PER_CM = {"straight": 0.0, "wavy": 0.35, "curly": 0.8, "coily": 2.2}


@dataclass(frozen=True, slots=True)
class Strands:
    """N strands of K points.

    Attributes
    ----------
    points
        (N, K, 3) cm in the head's frame, root first.
    radius_cm
        (N, K) half of the diameter.
    melanin, redness
        (N,) colour parameters.
    follicle
        (N,) index of the follicle.
    """

    points: NDArray[np.float32]
    radius_cm: NDArray[np.float32]
    melanin: FloatArray
    redness: FloatArray
    follicle: NDArray[np.int64]


def carries_hair(subject: Subject, visit: Visit, follicles: Follicles) -> NDArray[np.bool_]:
    """Which follicles carry a hair at this visit, (N,) bool."""
    severity = subject.severity + visit.severity_change
    keep = np.clip(1.0 - severity * follicles.affected, 0.0, 1.0)
    return np.asarray(follicles.rank < keep * (1.0 - visit.density_change))


def grow(
    subject: Subject, visit: Visit, follicles: Follicles, *, facing: FloatArray | None = None
) -> Strands:
    """Grow the hair of one visit.

    Parameters
    ----------
    facing
        Unit direction to the camera: short hair that points away from it is left out.
    """
    alive = carries_hair(subject, visit, follicles)
    if facing is not None and visit.length_cm < 6.0:
        alive &= follicles.normal @ facing > -0.35
    index = np.flatnonzero(alive)
    table = RadiusTable.of(subject.shape)
    rng = stream(visit.seed, "hair")
    length = visit.length_cm * follicles.growth[index]
    turns = COIL_TURNS_PER_CM[subject.curl] * visit.length_cm
    count = int(np.clip(5 + 1.6 * visit.length_cm + 6.0 * turns, 5, 34))
    guide = _lock_guides(rng, follicles.position[index], visit)
    points = _grow_points(subject, visit, follicles, index, length, count, guide, table, rng)
    share = np.linspace(0.0, 1.0, count)
    points = _cling(points, guide, share, visit)
    points = _coil(points, subject, follicles.jitter[index], length, share, rng)
    points = _outside(points, table, 0.004)
    points[:, 0] = follicles.position[index] - 0.02 * follicles.normal[index]
    taper = 1.0 - 0.35 * share**3
    radius = 0.5 * follicles.calibre_cm[index][:, None] * taper
    return Strands(
        points=points.astype(np.float32),
        radius_cm=radius.astype(np.float32),
        melanin=follicles.melanin[index],
        redness=follicles.redness[index],
        follicle=index,
    )


def _lock_guides(rng: np.random.Generator, position: FloatArray, visit: Visit) -> NDArray[np.int64]:
    """Index of the strand that leads each strand's lock, (N,)."""
    if not len(position):
        return np.zeros(0, dtype=np.int64)
    lock_cm = 0.25 + 0.12 * min(visit.length_cm, 10.0)
    count = max(1, int(len(position) / (60.0 * lock_cm**2)))
    leaders = rng.choice(len(position), count, replace=False)
    blurred = position + rng.normal(0.0, 0.25 * lock_cm, position.shape)
    return np.asarray(leaders[cKDTree(position[leaders]).query(blurred)[1]])


def flow(subject: Subject, visit: Visit, positions: FloatArray) -> FloatArray:
    """Direction (N, 3), tangential to the head, in which hair lies at `positions`."""
    direction = unit(positions)
    whorl = np.asarray(subject.whorl)
    away = direction - whorl * np.sum(direction * whorl, axis=1, keepdims=True)
    distance = np.linalg.norm(away, axis=1, keepdims=True)
    away = away / np.maximum(distance, 1e-6)
    spiral = np.radians(50.0) * subject.whorl_sense * np.exp(-distance / 0.35)
    around = np.cross(whorl, away)
    natural = np.cos(spiral) * away + np.sin(spiral) * around
    angle = np.radians(visit.comb_degrees)
    comb = np.broadcast_to([np.sin(angle), np.cos(angle), -0.15], direction.shape).copy()
    if np.isfinite(visit.parting):
        side = np.tanh((direction[:, 0] - visit.parting) / 0.05)
        comb = np.stack([side, np.full_like(side, 0.25), np.full_like(side, -0.2)], axis=1)
    top = np.clip((direction[:, 2:] - 0.1) / 0.5, 0.0, 1.0)
    mixed = natural + visit.comb_strength * 2.5 * comb * top
    mixed -= direction * np.sum(mixed * direction, axis=1, keepdims=True)
    return unit(mixed)


def _grow_points(
    subject: Subject,
    visit: Visit,
    follicles: Follicles,
    index: NDArray[np.int64],
    length: FloatArray,
    count: int,
    guide: NDArray[np.int64],
    table: RadiusTable,
    rng: np.random.Generator,
) -> FloatArray:
    """March each strand from its root, bending towards the flow and the ground."""
    position, normal = follicles.position[index], follicles.normal[index]
    jitter = follicles.jitter[index]
    down = nominal_rotation(visit.view)[1]
    gravity = unit(0.65 * np.array([0.0, 0.0, -1.0]) + 0.35 * down)
    disorder = 0.22 if subject.curl in ("straight", "wavy") else 0.4
    wobble = rng.normal(0.0, 0.6 * disorder, (len(index), 3))[guide] if len(index) else 0.0
    wobble = wobble + disorder * jitter[:, :3] + rng.normal(0.0, 0.1, (len(index), 3))
    lift = np.radians(np.clip(40.0 - 3.0 * visit.length_cm + 9.0 * jitter[:, 3:], 8.0, 75.0))
    lie = unit(flow(subject, visit, position) + wobble)
    heading = unit(np.sin(lift) * normal + np.cos(lift) * lie)
    step = (length / (count - 1))[:, None]
    layer = 0.03 + 0.05 * np.abs(jitter[:, :1]) * min(visit.length_cm, 6.0)
    points = np.empty((len(index), count, 3))
    points[:, 0] = position
    bend = np.clip(0.55 * step, 0.0, 0.6)
    weight = min(0.05 * visit.length_cm, 0.55)
    for k in range(1, count):
        current = points[:, k - 1]
        target = (1.0 - weight) * unit(flow(subject, visit, current) + wobble) + weight * gravity
        heading = unit((1.0 - bend) * heading + bend * unit(target))
        moved = current + heading * step
        out = np.minimum(layer, 0.5 * step * k)
        distance = np.linalg.norm(moved, axis=1, keepdims=True)
        floor = table(moved / distance)[:, None] + out
        points[:, k] = moved * np.maximum(1.0, floor / distance)
    return points


def _cling(
    points: FloatArray, guide: NDArray[np.int64], share: FloatArray, visit: Visit
) -> FloatArray:
    strength = visit.lock_strength * min(1.0, visit.length_cm / 3.0)
    weight = strength * share[None, :, None] ** 1.5
    return np.asarray(points + weight * (points[guide] - points))


def _coil(
    points: FloatArray,
    subject: Subject,
    jitter: FloatArray,
    length: FloatArray,
    share: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Wind each strand around its own course."""
    radius = COIL_RADIUS_CM[subject.curl]
    if radius == 0.0 or not len(points):
        return points
    along = unit(points[:, -1] - points[:, 0] + 1e-9)
    e1 = unit(np.cross(along, unit(points[:, 0])) + 1e-9)
    e2 = np.cross(along, e1)
    turns = COIL_TURNS_PER_CM[subject.curl] * np.exp(0.15 * jitter[:, 3])
    angle = 2.0 * np.pi * turns[:, None] * length[:, None] * share + rng.uniform(
        0.0, 2.0 * np.pi, (len(points), 1)
    )
    grown = length[:, None] * share
    size = (radius * np.minimum(1.0, grown / 0.4) * np.exp(0.2 * jitter[:, :1]))[..., None]
    offset = np.cos(angle)[..., None] * e1[:, None] + np.sin(angle)[..., None] * e2[:, None]
    return np.asarray(points + size * offset)


def _outside(points: FloatArray, table: RadiusTable, clearance_cm: float) -> FloatArray:
    flat = points.reshape(-1, 3)
    distance = np.linalg.norm(flat, axis=1, keepdims=True)
    floor = table(flat / np.maximum(distance, 1e-9))[:, None] + clearance_cm
    return np.asarray((flat * np.maximum(1.0, floor / distance)).reshape(points.shape))
