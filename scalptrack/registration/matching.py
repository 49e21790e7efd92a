"""Which feature of one photograph is which of the other, given where it may lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, FloatArray
from scalptrack.registration.camera import Camera
from scalptrack.registration.features import HeadFeatures, Keypoints
from scalptrack.registration.surface import HeadShape

MAX_ROLL_RAD = np.radians(45.0)
"""Photographs are upright (EXIF); nobody tilts a phone further without turning it on its side."""

MAX_LOG_SCALE = 0.6
"""Natural logarithm of the largest ratio of feature sizes, after the heads' widths are equal."""

RATIO = 0.92
"""Best over second-best descriptor distance. The second best is sought only where the first could
lie as well, so the usual 0.8 of an unrestricted search would be too strict."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """All features of two photographs and how alike they are.

    Attributes
    ----------
    reference, moving : Keypoints
        The features.
    similarity : float32 (N, M)
        Scalar product of the RootSIFT descriptors.
    """

    reference: Keypoints
    moving: Keypoints
    similarity: NDArray[np.float32]

    @classmethod
    def of(cls, reference: Keypoints, moving: Keypoints) -> Self:
        """Compare every feature with every other one."""
        return cls(reference, moving, reference.descriptors @ moving.descriptors.T)


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Corresponding points.

    Attributes
    ----------
    reference_points, moving_points : float64 (N, 2)
        Photograph coordinates.
    similarity : float32 (N,)
        How alike the features are.
    """

    reference_points: FloatArray
    moving_points: FloatArray
    similarity: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.reference_points)

    def chosen(self, index: NDArray[np.intp] | BoolArray) -> Matches:
        """A part of the matches."""
        return Matches(
            self.reference_points[index], self.moving_points[index], self.similarity[index]
        )


def joined(parts: list[Matches]) -> Matches:
    """Several sets of matches as one."""
    return Matches(
        np.concatenate([part.reference_points for part in parts]),
        np.concatenate([part.moving_points for part in parts]),
        np.concatenate([part.similarity for part in parts]),
    )


def match_near(
    pairing: Pairing,
    predicted_points: FloatArray,
    *,
    radius_px: float,
    size_ratio: float,
    roll_rad: FloatArray | float,
    roll_tolerance_rad: float,
    min_similarity: float,
    separation_px: float,
    ratio: float = RATIO,
) -> Matches:
    """Mutual best matches within `radius_px` of where the reference's features are expected.

    Parameters
    ----------
    predicted_points : float (N, 2)
        Where each feature of the reference should lie in the moving photograph; NaN: nowhere.
    size_ratio : float
        Expected size of a moving feature over its reference's.
    roll_rad : float or float (N,)
        Expected turn of a feature from the reference to the moving photograph.
    min_similarity : float
        Least scalar product of the descriptors.
    separation_px : float
        A second-best match closer than this to the best one is the same structure.
    """
    rows, columns = _candidates(predicted_points, pairing.moving.points, radius_px)
    moving = pairing.moving
    turn = moving.angles[columns] - pairing.reference.angles[rows]
    turn = turn - (roll_rad[rows] if isinstance(roll_rad, np.ndarray) else roll_rad)
    turn = np.abs((turn + np.pi) % (2.0 * np.pi) - np.pi)
    growth = np.log(moving.sizes[columns] / (pairing.reference.sizes[rows] * size_ratio))
    good = (turn < roll_tolerance_rad) & (np.abs(growth) < MAX_LOG_SCALE)
    rows, columns = rows[good], columns[good]
    return _mutual_best(
        pairing,
        rows,
        columns,
        min_similarity=min_similarity,
        separation_px=separation_px,
        ratio=ratio,
    )


def _candidates(
    predicted: FloatArray, points: NDArray[np.float32], radius_px: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of indices (row by row) of predicted and found points within `radius_px`."""
    order = np.argsort(points[:, 0], kind="stable")
    x = points[order, 0]
    known = np.flatnonzero(np.isfinite(predicted[:, 0]))
    low = np.searchsorted(x, predicted[known, 0] - radius_px)
    count = np.searchsorted(x, predicted[known, 0] + radius_px) - low
    rows = np.repeat(known, count)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    columns = order[np.repeat(low, count) + within]
    gap_x = points[columns, 0] - predicted[rows, 0]
    gap_y = points[columns, 1] - predicted[rows, 1]
    near = gap_x * gap_x + gap_y * gap_y < radius_px**2
    return rows[near], columns[near]


def _mutual_best(
    pairing: Pairing,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    *,
    min_similarity: float,
    separation_px: float,
    ratio: float,
) -> Matches:
    """Mutual best, distinctive pairs among the candidates (rows in ascending order)."""
    if not len(rows):
        nothing = np.zeros((0, 2))
        return Matches(nothing, nothing, np.zeros(0, np.float32))
    similarity = pairing.similarity[rows, columns]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    count = np.diff(starts, append=len(rows))
    best = np.maximum.reduceat(similarity, starts)
    chosen = _first_equal(similarity, np.repeat(best, count), starts)
    column_best = np.full(len(pairing.moving), -1.0, np.float32)
    np.maximum.at(column_best, columns, similarity)
    winner = columns[chosen]
    points = pairing.moving.points
    gap = points[columns] - np.repeat(points[winner], count, axis=0)
    far = gap[:, 0] ** 2 + gap[:, 1] ** 2 >= separation_px**2
    second = np.maximum.reduceat(np.where(far, similarity, 0.0), starts)
    keep = (best >= column_best[winner]) & (best > min_similarity)
    keep &= np.sqrt(1.0 - np.minimum(best, 1.0)) < ratio * np.sqrt(1.0 - np.minimum(second, 1.0))
    return Matches(
        pairing.reference.points[rows[starts[keep]]].astype(np.float64),
        points[winner[keep]].astype(np.float64),
        best[keep],
    )


def _first_equal(
    values: NDArray[np.float32], wanted: NDArray[np.float32], starts: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Index of the first value of each run that equals what is wanted."""
    index = np.where(values == wanted, np.arange(len(values)), len(values))
    return np.asarray(np.minimum.reduceat(index, starts))


# Mirroring a picture reverses the columns of SIFT's 4 x 4 cells (taken along the keypoint's own
# axes it is the rows) and the sense of its 8 directions.
_MIRRORED_ORDER = np.arange(128).reshape(4, 4, 8)[::-1][:, :, (-np.arange(8)) % 8].reshape(-1)


def mirrored_keypoints(keypoints: Keypoints, width: int) -> Keypoints:
    """The features of the photograph flipped left to right, `width` pixels wide."""
    points = keypoints.points.copy()
    points[:, 0] = width - 1 - points[:, 0]
    angles = np.asarray((np.pi - keypoints.angles) % (2.0 * np.pi), np.float32)
    return Keypoints(points, angles, keypoints.sizes, keypoints.descriptors[:, _MIRRORED_ORDER])


def mirrored_features(features: HeadFeatures) -> HeadFeatures:
    """What `extract_features` would say of the photograph flipped left to right."""
    width = features.photograph_shape[1]
    shape = features.outline.shape
    m11, m12, m22 = shape.outline
    flipped = HeadShape(
        (width - 1 - shape.centre_px[0], shape.centre_px[1]),
        (m11, -m12, m22),
        shape.depth,
        (-shape.shear[0], shape.shear[1]),
        shape.corrections,
    )
    grid = features.grid
    right = grid.x0_px + (grid.width - 1) * grid.step_px
    camera = features.camera
    return replace(
        features,
        camera=Camera(camera.focal_px, width - 1 - camera.cx, camera.cy),
        outline=replace(features.outline, shape=flipped),
        skin=mirrored_keypoints(features.skin, width),
        fine=mirrored_keypoints(features.fine, width),
        grid=replace(grid, x0_px=width - 1 - right),
        picture=features.picture[:, ::-1],
        support=features.support[:, ::-1],
        scalp=features.scalp[:, ::-1],
        hidden=features.hidden[:, ::-1],
    )
