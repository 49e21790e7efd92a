"""Fits the coefficients by which `scalptrack.quality.view` tells views, and writes them.

    python -m lab.training.views [--count 3000]

The average head of `scalptrack.zones.anatomy`, with its proportions and the border of its scalp
varied, is seen by cameras all around it: with ears, jaw, neck and shoulders, clothes, long hair and
things in front of it. Only small maps of what is where are made, two milliseconds each. No picture
of a renderer takes part, so that both renderers can judge what comes out
(``lab/benchmarks/views.py``).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from lab.strands.views import CENTRES, view_seen_from
from scalptrack.filenames import VIEWS
from scalptrack.quality.polar import PolarMap, polar_map
from scalptrack.quality.view import MODEL_FILE, fourier, view_features
from scalptrack.records import Grid, RegionClass, Segmentation
from scalptrack.zones.anatomy import HALF_AXES_CM, above_border_deg
from scalptrack.zones.frame import Sight, camera_rays, sight

Floats = NDArray[np.float64]

STREAM = 31_007
SIDE_PX = 48
MIN_SCALP_SHARE = 0.03
LONG_HAIR_SHARE = 0.4
COVER_SHARE = 0.15

TURNS_DEG = (0.0, 15.0, -15.0)
"""By how much each sample is also turned: people hold phones askew."""

RIDGE = 2e-4

EAR, JAW, NECK, SHOULDERS = range(1, 5)
PARTS = (
    (EAR, (7.9, -1.5, -1.6), (1.3, 1.7, 3.0)),
    (EAR, (-7.9, -1.5, -1.6), (1.3, 1.7, 3.0)),
    (JAW, (0.0, 3.2, -6.5), (6.2, 6.3, 6.5)),
    (NECK, (0.0, -2.5, -12.0), (5.7, 5.5, 9.0)),
    (SHOULDERS, (0.0, -3.5, -27.0), (22.0, 10.0, 10.0)),
)
"""What belongs to the person beside the skull: where it is, and its half axes in centimetres."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What is seen around many scalps, and which views those are.

    Attributes
    ----------
    waves : complex (N, C, W)
        See `scalptrack.quality.view.fourier`.
    views : list of str
        True view of each.
    """

    waves: NDArray[np.complex128]
    views: list[str]


def draw(count: int) -> Samples:
    """Draw what cameras all around a head see."""
    waves, views = [], []
    number = 0
    while len(waves) < count:
        rng = np.random.default_rng([number, STREAM])
        number += 1
        camera = _camera(rng)
        seen = _seen(rng, camera)
        if seen is not None:
            waves.append(fourier(seen))
            views.append(view_seen_from(-camera[2]))
    return Samples(np.array(waves), views)


def _camera(rng: np.random.Generator) -> Floats:
    """Axes (3, 3) of a camera: right, down and forward in the head's frame."""
    if rng.random() < 0.7:
        view = VIEWS[rng.integers(len(VIEWS))]
        centres = CENTRES[view]
        towards = np.array(centres[rng.integers(len(centres))])
        towards = towards / np.linalg.norm(towards) + rng.normal(0, 0.2, 3)
    else:
        height = rng.uniform(-0.1, 1)
        azimuth = rng.uniform(-np.pi, np.pi)
        flat = np.sqrt(1 - height**2)
        towards = np.array([flat * np.sin(azimuth), flat * np.cos(azimuth), height])
    forward = -towards / np.linalg.norm(towards)
    up = np.array([0.0, 0.0, 1.0])
    if forward[2] < -0.85:
        up = np.array([rng.normal(0, 0.3), rng.choice([-1.0, 1.0]), 0.05])
    right = np.cross(forward, up)
    right = right / np.linalg.norm(right)
    axes = np.stack([right, np.cross(forward, right), forward])
    roll = rng.uniform(-180, 180) if rng.random() < 0.08 else rng.normal(0, 10)
    return np.asarray(Rotation.from_euler("z", roll, degrees=True).as_matrix() @ axes)


def _seen(rng: np.random.Generator, camera: Floats) -> PolarMap | None:
    """What lies around the scalp; None where too little of it is seen."""
    span = rng.uniform(0.5, 0.8) if rng.random() < 0.7 else np.exp(rng.uniform(-1.2, 0.2))
    distance = float(np.exp(rng.uniform(np.log(32), np.log(150))))
    focal = span * SIDE_PX * distance / 17.2
    centre = np.array([0.0, 0.0, distance])
    centre[:2] += rng.uniform(-0.5, 0.5, 2) * max(0.1, 1 - span) * SIDE_PX * distance / focal
    u, v = np.meshgrid(np.arange(SIDE_PX), np.arange(SIDE_PX))
    points = np.stack([u.ravel(), v.ravel()], axis=1).astype(float)
    rays = camera_rays(points, (SIDE_PX, SIDE_PX), focal)
    axes = np.asarray(HALF_AXES_CM) * np.exp(rng.normal(0, 0.04, 3))
    skull = sight(rays, camera, centre, axes)
    hit = skull.nearness < 1
    front, side = rng.normal(0, 5, 2)
    border = above_border_deg(skull.directions) + rng.normal(0, 4) + front * skull.directions[:, 1]
    border += side * np.abs(skull.directions[:, 0])
    scalp = hit & (border > 0)
    label, depth = _parts(rng, rays, camera, centre, skull)
    scalp &= label == 0
    places = (rays / np.linalg.norm(rays, axis=1, keepdims=True) * depth[:, None] - centre) @ camera
    classes = np.where((hit & ~scalp) | (label > 0), RegionClass.OTHER_SKIN, 0).astype(np.uint8)
    classes[scalp] = RegionClass.SCALP_SKIN
    _dress(rng, label, places, classes)
    _grow(rng, places, classes, scalp)
    _cover(rng, points, classes, scalp)
    if scalp.sum() < MIN_SCALP_SHARE * scalp.size:
        return None
    shape = (SIDE_PX, SIDE_PX)
    cosine = np.where(scalp, np.clip(skull.cosine, 0, 1), 0).astype(np.float32)
    nothing = np.zeros(shape, dtype=np.bool_)
    return polar_map(
        Segmentation(
            grid=Grid(0.0, 0.0, 1.0, SIDE_PX, SIDE_PX),
            photograph_shape=shape,
            hair_fraction=nothing.astype(np.float32),
            classes=classes.reshape(shape),
            scalp=scalp.reshape(shape),
            incidence_cosine=cosine.reshape(shape),
            glare=nothing,
            method="",
        ),
        min_scalp_px=1,
    )


def _parts(
    rng: np.random.Generator, rays: Floats, camera: Floats, centre: Floats, skull: Sight
) -> tuple[NDArray[np.uint8], Floats]:
    """Which part hides the skull in each pixel (0: none does), and the depth of what is seen."""
    label = np.zeros(len(rays), np.uint8)
    depth = np.where(skull.nearness < 1, skull.distance_cm, 1e3)
    for part, at_cm, half_cm in PARTS:
        varied = np.asarray(half_cm) * np.exp(rng.normal(0, 0.1, 3))
        moved = centre + camera @ (np.asarray(at_cm) + rng.normal(0, 0.4, 3))
        seen = sight(rays, camera, moved, varied)
        nearer = (seen.nearness < 1) & (seen.distance_cm < depth)
        label[nearer], depth[nearer] = part, seen.distance_cm[nearer]
    return label, depth


def _dress(
    rng: np.random.Generator,
    label: NDArray[np.uint8],
    places: Floats,
    classes: NDArray[np.uint8],
) -> None:
    """Clothes on the shoulders, mostly; sometimes up the neck, or taken for the background."""
    kind = rng.random()
    if kind < 0.1:
        return
    classes[label == SHOULDERS] = RegionClass.BACKGROUND if kind < 0.3 else RegionClass.OBJECT
    if rng.random() < 0.4:
        classes[(label == NECK) & (places[:, 2] < rng.uniform(-15, -9))] = RegionClass.OBJECT


def _grow(
    rng: np.random.Generator,
    places: Floats,
    classes: NDArray[np.uint8],
    scalp: NDArray[np.bool_],
) -> None:
    """Long hair over ears, neck and shoulders, and beyond the head's outline; often none."""
    hair = np.zeros_like(scalp)
    reach = int(rng.integers(0, 2))
    if rng.random() < LONG_HAIR_SHARE:
        azimuth = np.degrees(np.arctan2(np.abs(places[:, 0]), places[:, 1]))
        hair = (azimuth > rng.uniform(55, 110)) & (classes >= RegionClass.OTHER_SKIN)
        hair &= (places[:, 2] > rng.uniform(-18, 0)) & (classes != RegionClass.BACKGROUND)
        classes[hair] = RegionClass.HAIR
        reach = int(rng.integers(1, 4))
    kernel = np.ones((2 * reach + 1,) * 2, np.uint8)
    mask = (scalp | hair).astype(np.uint8).reshape(SIDE_PX, SIDE_PX)
    grown = cv2.dilate(mask, kernel).ravel() > 0
    classes[grown & (classes == RegionClass.BACKGROUND)] = RegionClass.HAIR


def _cover(
    rng: np.random.Generator,
    points: Floats,
    classes: NDArray[np.uint8],
    scalp: NDArray[np.bool_],
) -> None:
    """Now and then a hand or a thing in front of the head, as a disc."""
    if rng.random() >= COVER_SHARE:
        return
    middle, radius = rng.uniform(0, SIDE_PX, 2), SIDE_PX * rng.uniform(0.05, 0.2)
    hidden = np.linalg.norm(points - middle, axis=1) < radius
    classes[hidden] = rng.choice([RegionClass.OTHER_SKIN, RegionClass.OBJECT])
    scalp &= ~hidden


def turned(waves: NDArray[np.complex128], degrees: float) -> NDArray[np.complex128]:
    """Waves (..., W) of pictures that are turned clockwise."""
    return np.asarray(waves * np.exp(1j * np.radians(degrees) * np.arange(waves.shape[-1])))


def mirrored(waves: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Waves (..., W) of pictures seen in a mirror."""
    return np.asarray(np.conj(waves) * (-1.0) ** np.arange(waves.shape[-1]))


def other_side(view: str) -> str:
    """The view of a mirrored picture."""
    sides = {"left-temporal": "right-temporal", "right-temporal": "left-temporal"}
    return sides.get(view, view)


def fit_views(samples: Samples, rng: np.random.Generator) -> dict[str, Any]:
    """Coefficients of the softmax."""
    rows, labels = [], []
    for each, view in zip(samples.waves, samples.views, strict=True):
        for turn in TURNS_DEG:
            copy = turned(each, turn + rng.normal(0, 5) if turn else 0.0)
            rows += [view_features(copy), view_features(mirrored(copy))]
            labels += [VIEWS.index(view), VIEWS.index(other_side(view))]
    features = np.array(rows)
    mean, sd = features.mean(0), features.std(0) + 1e-6
    weights, offset = _softmax((features - mean) / sd, np.array(labels))
    return {
        "views": list(VIEWS),
        "mean": _rounded(mean),
        "sd": _rounded(sd),
        "weights": [_rounded(row) for row in weights],
        "offset": _rounded(offset),
    }


def _softmax(features: Floats, labels: NDArray[np.int_]) -> tuple[Floats, Floats]:
    """Weights (N, V) and offsets (V,) of a ridge softmax regression."""
    wanted = np.eye(len(VIEWS))[labels]
    shape = (features.shape[1] + 1, len(VIEWS))

    def loss(flat: Floats) -> tuple[float, Floats]:
        both = flat.reshape(shape)
        score = features @ both[:-1] + both[-1]
        score -= score.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(score).sum(axis=1, keepdims=True))
        excess = (np.exp(score - log_sum) - wanted) / len(labels)
        slope = np.vstack([features.T @ excess + 2 * RIDGE * both[:-1], excess.sum(axis=0)])
        value = -((score - log_sum) * wanted).sum() / len(labels)
        return float(value + RIDGE * (both[:-1] ** 2).sum()), slope.ravel()

    best = minimize(loss, np.zeros(np.prod(shape)), jac=True, method="L-BFGS-B",
                    options={"maxiter": 150})  # fmt: skip
    found = best.x.reshape(shape)
    return found[:-1], found[-1]


def _rounded(values: NDArray[Any]) -> list[float]:
    return [round(float(each), 4) for each in values]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=3000)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    samples = draw(options.count)
    model = fit_views(samples, np.random.default_rng(STREAM))
    text = json.dumps(model, separators=(",", ":"))
    MODEL_FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
