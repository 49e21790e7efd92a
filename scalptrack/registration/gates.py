"""The tests that an alignment has to pass, and the sentence for the one that it fails.

A wrong transform that looks right is the worst that registration can do, so each gate alone can
refuse, and the limits lie well on the safe side of what impostors (other people, other views,
mirrored photographs, the same wall behind another head) reach.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.records import BoolArray, FloatArray, Gate, SurfaceTransform
from scalptrack.registration.align import INLIER_FRACTION, Alignment
from scalptrack.registration.features import HeadFeatures, Pictured
from scalptrack.registration.refine import resample
from scalptrack.registration.transform import HeadTransform

# Origin of the limits: lab/benchmarks/registration.py. Segmented by the network, 28 genuine pairs
# against 42 impostors (other people, other views, mirrored): inliers >= 79, <= 145; above chance
# >= 3.3, <= 2.9; correlation >= 0.33, <= 0.11; its margin >= 0.32, <= 0.04. With true segmentation,
# 40 genuine pairs against 65 impostors: inliers >= 63, <= 174; above chance >= 2.7, <= 3.4;
# correlation >= 0.29, <= 0.11; split half <= 0.6 %, 0.2 to 1.9 %; outline overlap >= 0.90, 0.38 to
# 1.0 (0.76 on a genuine frontal pair segmented by the network); spread >= 0.68, >= 0.46.
# Correlation alone separates them all; the others each catch another way of being wrong.
MIN_INLIERS = 40
MIN_ABOVE_CHANCE = 2.0
MIN_ABOVE_CHANCE_ALIKE = 1.5
ALIKE_CORRELATION = 0.30
"""From this correlation of the bare scalps on, fewer agreeing points are enough: 29 impostor and
mirrored pairs reached 0.08 at most, 20 genuine ones that were right 0.33 at least (development
renders)."""
MIN_SPREAD = 0.35
MAX_SPLIT_HALF_PERCENT = 1.0
MAX_REVERSE_PERCENT = 1.2
MIN_OUTLINE_OVERLAP = 0.65
MAX_ROTATION_DEG = 35.0
MAX_SIZE_ERROR = 0.25
MIN_OVERLAP = 0.40
MIN_CORRELATION = 0.20
MIN_CORRELATION_MARGIN = 0.12
MIN_BARE_FRACTION = 0.08
MAX_CUT_FRACTION = 0.35

HAIRY_FRACTION = 0.25
"""Bare share of the scalp below which hair is named as the likely cause of too little agreement:
all genuine pairs that were seen with 0.34 or more could be aligned."""

_MIN_COMPARED = 0.04
"""Share of the reference's scalp that both photographs must show bare to be correlated."""

_DISPLACED_FRACTION = 0.04
"""How far the comparison is displaced to see what a wrong pose would give; the flattened picture
has no structure that wide."""

_SPLITS = 4
_SPREAD_CELLS = 5


def agreement_gates(alignment: Alignment | None, *, alike: float = 0.0) -> list[Gate]:
    """How many points agree, and how much more than a wrong pose would give.

    Parameters
    ----------
    alignment : Alignment or None
        The best pose.
    alike : float
        Correlation of the bare scalps under that pose, an evidence of its own.
    """
    limit = MIN_ABOVE_CHANCE_ALIKE if alike >= ALIKE_CORRELATION else MIN_ABOVE_CHANCE
    inliers = 0 if alignment is None else len(alignment.inliers)
    chance = 1.0 if alignment is None else max(alignment.chance, 1.0)
    return [
        at_least("inliers", inliers, MIN_INLIERS),
        at_least("inliers_above_chance", inliers / chance, limit),
    ]


def feature_gates(reference: HeadFeatures, moving: HeadFeatures) -> list[Gate]:
    """What the two photographs show at all."""
    cut = max(reference.outline.cut_fraction, moving.outline.cut_fraction)
    return [
        at_least(
            "bare_skin_fraction",
            min(reference.bare_fraction, moving.bare_fraction),
            MIN_BARE_FRACTION,
        ),
        at_most("cut_off_fraction", cut, MAX_CUT_FRACTION),
    ]


def geometry_gates(
    reference: HeadFeatures,
    moving: HeadFeatures,
    alignment: Alignment,
    rng: np.random.Generator,
) -> tuple[list[Gate], float]:
    """All gates on an aligned pair, and the overlap of the scalps."""
    transform = alignment.transform
    points, mapped = _scalp_points(reference, transform)
    shown = _shown(moving, mapped)
    overlap = float(shown.mean()) if len(shown) else 0.0
    gates = [
        *pose_gates(reference, moving, transform),
        at_least("overlap", overlap, MIN_OVERLAP),
        at_least(
            "outline_overlap", outline_overlap(reference, moving, transform), MIN_OUTLINE_OVERLAP
        ),
        at_least(
            "spread", spread_of(alignment.inliers.reference_points, points[shown]), MIN_SPREAD
        ),
        at_most(
            "split_half_percent",
            _split_half(moving, alignment, points[shown], rng),
            MAX_SPLIT_HALF_PERCENT,
        ),
        *correlation_gates(reference, moving, transform),
    ]
    return gates, overlap


def pose_gates(
    reference: HeadFeatures, moving: HeadFeatures, transform: HeadTransform
) -> list[Gate]:
    """Whether two photographs of one view can differ like that."""
    turn = float(np.degrees(np.linalg.norm(transform.pose.rotation)))
    focal = transform.moving_camera.focal_px / transform.reference_camera.focal_px
    predicted = focal / transform.pose.distance
    measured = moving.head_width_px / reference.head_width_px
    return [
        at_most("rotation_deg", turn, MAX_ROTATION_DEG),
        at_most("size_error", abs(float(np.log(predicted / measured))), MAX_SIZE_ERROR),
    ]


def scalp_overlap(reference: Pictured, moving: Pictured, transform: SurfaceTransform) -> float:
    """Share of the reference's scalp that the moving photograph shows, 0 to 1."""
    _, mapped = _scalp_points(reference, transform)
    return float(_shown(moving, mapped).mean()) if len(mapped) else 0.0


def outline_overlap(
    reference: HeadFeatures, moving: HeadFeatures, transform: HeadTransform
) -> float:
    """Intersection over union of the two scalps, where both photographs could show them.

    Both photographs' scalps are sampled: the reference's is carried to the moving photograph and
    the other way round, so neither can hide inside the other.
    """
    _, mapped = _scalp_points(reference, transform)
    inside = _looked_up(moving, moving.scalp, mapped)
    possible = _in_picture(moving, mapped) & ~_looked_up(moving, moving.hidden, mapped)
    there = _grid_points(moving, moving.scalp)
    back = transform.inverse_points(there)
    back_inside = _looked_up(reference, reference.scalp, back)
    back_possible = _in_picture(reference, back)
    back_possible &= ~_looked_up(reference, reference.hidden, back)
    if not possible.any() or not back_possible.any():
        return 0.0
    forward = float(inside[possible].mean())
    backward = float(back_inside[back_possible].mean())
    if forward + backward == 0.0:
        return 0.0
    # With shares f = |A∩B|/|A| and b = |A∩B|/|B|, the union is |A∩B| (1/f + 1/b - 1).
    return 1.0 / (1.0 / max(forward, 1e-6) + 1.0 / max(backward, 1e-6) - 1.0)


def correlation_gates(
    reference: Pictured, moving: Pictured, transform: SurfaceTransform
) -> list[Gate]:
    """Whether the bare skin looks alike where the pose puts it, and only there."""
    mapped = transform.map_points(reference.grid.photograph_points())
    here = correlation(reference, moving, mapped)
    reach = _DISPLACED_FRACTION * moving.head_width_px
    shifts = reach * np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    elsewhere = max(correlation(reference, moving, mapped + shift) for shift in shifts)
    return [
        at_least("correlation", here, MIN_CORRELATION),
        at_least("correlation_margin", here - max(elsewhere, 0.0), MIN_CORRELATION_MARGIN),
    ]


def correlation(reference: Pictured, moving: Pictured, mapped: FloatArray) -> float:
    """Mean local correlation of the hair-suppressed pictures where both show bare scalp.

    Parameters
    ----------
    mapped : float (N, 2)
        Moving points of all pixels of the reference's small grid, row by row.

    Returns
    -------
    float
        0 when both show less than `_MIN_COMPARED` of the scalp bare: a handful of pixels
        correlates by accident.
    """
    there = moving.grid.from_photograph(mapped).astype(np.float32)
    shape = reference.picture.shape
    there[~np.isfinite(there)] = -1e4
    mx, my = there[:, 0].reshape(shape), there[:, 1].reshape(shape)
    picture = cv2.remap(moving.picture, mx, my, cv2.INTER_LINEAR)
    support = cv2.remap(moving.support, mx, my, cv2.INTER_LINEAR)
    weight = np.minimum(reference.support, support) * reference.scalp
    weight = np.where(weight > 0.1, weight, 0.0).astype(np.float32)
    if float((weight > 0).sum()) < max(300.0, _MIN_COMPARED * float(reference.scalp.sum())):
        return 0.0

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        total = cv2.GaussianBlur(values * weight, (0, 0), 5.0)
        return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), 5.0), 1e-3))

    a, b = reference.picture, np.asarray(picture, dtype=np.float32)
    mean_a, mean_b = mean(a), mean(b)
    covariance = mean(a * b) - mean_a * mean_b
    power_a = np.maximum(mean(a * a) - mean_a**2, 1e-2)
    power_b = np.maximum(mean(b * b) - mean_b**2, 1e-2)
    local = covariance / np.sqrt(power_a * power_b)
    return float((local * weight).sum() / weight.sum())


def at_least(name: str, value: float, limit: float) -> Gate:
    """A gate that a value passes from the limit on."""
    return Gate(name, float(value), float(limit), bool(value >= limit))


def at_most(name: str, value: float, limit: float) -> Gate:
    """A gate that a value passes up to the limit."""
    return Gate(name, float(value), float(limit), bool(value <= limit))


def _grid_points(features: Pictured, mask: BoolArray, *, step: int = 4) -> FloatArray:
    """Photograph points (N, 2) of every `step`-th small-grid pixel of `mask`."""
    rows, columns = np.nonzero(mask[::step, ::step])
    return features.grid.to_photograph(np.stack([columns, rows], axis=1) * float(step))


def _scalp_points(
    reference: Pictured, transform: SurfaceTransform
) -> tuple[FloatArray, FloatArray]:
    """Points (N, 2) of the reference's scalp, and where they lie in the moving photograph."""
    points = _grid_points(reference, reference.scalp)
    return points, transform.map_points(points)


def _in_picture(features: Pictured, points: FloatArray) -> BoolArray:
    height, width = features.photograph_shape
    with np.errstate(invalid="ignore"):
        inside = (points >= 0.0) & (points <= [width - 1, height - 1])
    return np.asarray(inside.all(axis=1))


def _looked_up(features: Pictured, mask: BoolArray, points: FloatArray) -> BoolArray:
    """The small grid's mask (N,) at photograph points (N, 2); False outside and at NaN."""
    cells = features.grid.from_photograph(np.nan_to_num(points, nan=-1e9))
    columns, rows = np.round(cells).clip(-1, 10**6).astype(int).T
    inside = (rows >= 0) & (columns >= 0) & (rows < mask.shape[0]) & (columns < mask.shape[1])
    found = np.zeros(len(points), dtype=bool)
    found[inside] = mask[rows[inside], columns[inside]]
    return found


def _shown(moving: Pictured, mapped: FloatArray) -> BoolArray:
    return _in_picture(moving, mapped) & ~_looked_up(moving, moving.hidden, mapped)


def spread_of(agreeing: FloatArray, shown: FloatArray) -> float:
    """Share of the cells of the shown scalp in which points agree, weighted by their area.

    Parameters
    ----------
    agreeing : float (N, 2)
        Points of the reference that agree.
    shown : float (M, 2)
        Points of the reference's scalp that both photographs show.
    """
    if not len(shown):
        return 0.0
    low, high = shown.min(axis=0), shown.max(axis=0) + 1e-6

    def cells(points: FloatArray) -> NDArray[np.int64]:
        index = np.floor((points - low) / (high - low) * _SPREAD_CELLS).astype(np.int64)
        inside = ((index >= 0) & (index < _SPREAD_CELLS)).all(axis=1)
        return np.asarray(index[inside, 1] * _SPREAD_CELLS + index[inside, 0])

    area = np.bincount(cells(shown), minlength=_SPREAD_CELLS**2)
    filled = np.bincount(cells(agreeing), minlength=_SPREAD_CELLS**2)
    return float(area[filled > 0].sum() / area.sum())


def _split_half(
    moving: HeadFeatures, alignment: Alignment, shown: FloatArray, rng: np.random.Generator
) -> float:
    """Median over splits of the RMS disagreement of two half fits, % of the head's width."""
    count = len(alignment.inliers)
    if count < 8 or not len(shown):
        return float("inf")
    weights = np.zeros((2 * _SPLITS, count))
    for split in range(_SPLITS):
        order = rng.permutation(count)
        weights[2 * split, order[: count // 2]] = 1.0
        weights[2 * split + 1, order[count // 2 :]] = 1.0
    inliers = alignment.inliers
    fits = resample(alignment.fit, inliers.reference_points, inliers.moving_points, weights)
    mapped = [fit.map_points(shown) for fit in fits]
    gaps = []
    for split in range(_SPLITS):
        gap = np.linalg.norm(mapped[2 * split] - mapped[2 * split + 1], axis=1)
        gap = gap[np.isfinite(gap)]
        gaps.append(float(np.sqrt(np.mean(gap**2))) if len(gap) else float("inf"))
    return 100.0 * float(np.median(gaps)) / moving.head_width_px


def reverse_gate(
    reference: HeadFeatures, moving: HeadFeatures, there: Alignment, back: Alignment
) -> Gate:
    """Whether the way back, found on its own, leads to where the way there began.

    Parameters
    ----------
    there : Alignment
        Of the moving photograph with its reference.
    back : Alignment
        Of the reference with the moving photograph.
    """
    points, mapped = _scalp_points(reference, there.transform)
    seen = _shown(moving, mapped)
    away = np.linalg.norm(back.transform.map_points(mapped[seen]) - points[seen], axis=1)
    away = away[np.isfinite(away)]
    gap = float(np.median(away)) if len(away) else float("inf")
    percent = 100.0 * gap / reference.head_width_px
    return at_most("reverse_percent", percent, MAX_REVERSE_PERCENT)


def residual_px(alignment: Alignment, moving: HeadFeatures) -> float:
    """RMS distance of the inliers in pixels of the moving photograph."""
    distances = alignment.fit.distances_px
    near = distances[distances < INLIER_FRACTION * moving.head_width_px]
    return float(np.sqrt(np.mean(near**2))) if len(near) else float("nan")
