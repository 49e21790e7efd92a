"""Close-ups: photographs that a square of scalp fills, with no outline to start from.

The same features as on heads (the picture without thin hair first, then as it is) are matched over
the whole frame, and a quadratic transform is fitted in place of the pose of a head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.errors import HeadNotFoundError
from scalptrack.records import (
    BoolArray,
    FloatArray,
    Gate,
    Grid,
    ImageArray,
    Registration,
    Tier,
)
from scalptrack.registration.features import Keypoints, detect, resample_grey
from scalptrack.registration.gates import (
    MIN_ABOVE_CHANCE,
    MIN_INLIERS,
    MIN_OVERLAP,
    MIN_SPREAD,
    at_least,
    at_most,
    correlation_gates,
    scalp_overlap,
    spread_of,
)
from scalptrack.registration.matching import (
    Matches,
    Pairing,
    joined,
    match_near,
    mirrored_keypoints,
)
from scalptrack.registration.quadratic import (
    N_TERMS,
    QuadraticTransform,
    from_unit,
    half_side_px,
    terms_of,
    to_unit,
)
from scalptrack.registration.refusals import close_up_refusal
from scalptrack.registration.suppression import fill, flatten, skin_weight, to_bytes
from scalptrack.translation import tr

WORKING_PX = 640
"""Mean side of the frame at which features are detected, as for the width of a head."""

MIN_SIDE_PX = 200
"""Shorter side below which a close-up is refused."""

# Origin of the limits that are not those of heads: lab/benchmarks/close_up.py.
MAX_ROTATION_DEG = 45.0
MAX_LOG_SCALE = 0.6
MAX_STRETCH = 0.35
MAX_CURVATURE = 0.15
MAX_SPLIT_HALF_PERCENT = 1.0

_HYPOTHESES = 1500
_COARSE, _REACHES, _INLIER = 0.03, (0.05, 0.025, 0.012), 0.008
_BEND_SD = 0.04
"""Quadratic terms to expect (standard deviation)."""

_SIGMA = 0.0025
_SMALL_STEP = 3.0
_SPLITS = 4


@dataclass(frozen=True, slots=True, eq=False)
class CloseUpFeatures:
    """What registration uses of a close-up; fields as in `HeadFeatures`, the scalp is the frame."""

    photograph_shape: tuple[int, int]
    skin: Keypoints
    fine: Keypoints
    grid: Grid
    picture: NDArray[np.float32]
    support: NDArray[np.float32]
    scalp: BoolArray
    hidden: BoolArray

    @property
    def head_width_px(self) -> float:
        """What lengths are relative to: the mean side of the frame stands for the head's width."""
        return 2.0 * half_side_px(self.photograph_shape)


def extract_close_up(image: ImageArray) -> CloseUpFeatures:
    """Features of a photograph (H, W, 3) that is scalp all over.

    Raises
    ------
    HeadNotFoundError
        When the photograph has too few pixels.
    """
    shape = (int(image.shape[0]), int(image.shape[1]))
    if min(shape) < MIN_SIDE_PX:
        message = tr(
            "a close-up of {width} x {height} pixels is too small: the shorter side needs at least "
            "{side}. Use the original photograph.",
            width=shape[1],
            height=shape[0],
            side=MIN_SIDE_PX,
        )
        raise HeadNotFoundError(message)
    step = max(2.0 * half_side_px(shape) / WORKING_PX, 1.0)
    work = Grid(0.0, 0.0, step, int((shape[1] - 1) // step) + 1, int((shape[0] - 1) // step) + 1)
    grey = resample_grey(image, work)
    everywhere = np.ones(grey.shape, dtype=bool)
    weight = skin_weight(grey, np.zeros_like(grey), everywhere)
    filled, support = fill(grey, weight)
    flat = flatten(filled, np.maximum(support, 0.02))
    raw = flatten(grey, np.ones_like(grey))
    size = (max(2, round(work.width / _SMALL_STEP)), max(2, round(work.height / _SMALL_STEP)))
    small_step = step * work.width / size[0]
    shift = 0.5 * (small_step - step)
    small_shape = (size[1], size[0])
    return CloseUpFeatures(
        photograph_shape=shape,
        skin=detect(to_bytes(flat), everywhere, work),
        fine=detect(to_bytes(raw), everywhere, work),
        grid=Grid(shift, shift, small_step, *size),
        picture=np.asarray(cv2.resize(flat, size, interpolation=cv2.INTER_AREA), np.float32),
        support=np.asarray(cv2.resize(support, size, interpolation=cv2.INTER_AREA), np.float32),
        scalp=np.ones(small_shape, dtype=bool),
        hidden=np.zeros(small_shape, dtype=bool),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """A transform with the matches that agree with it, and how many would by chance."""

    transform: QuadraticTransform
    inliers: Matches
    chance: float
    residual_px: float


def register_close_ups(
    reference: CloseUpFeatures, moving: CloseUpFeatures, *, seed: int, resamples: int = 12
) -> Registration:
    """Align two close-ups of the same patch of scalp, or say why that isn't possible.

    Parameters
    ----------
    reference, moving : CloseUpFeatures
        From `extract_close_up`.
    seed : int
        Of every random choice.
    resamples : int
        Number of refits to resampled inliers.

    Returns
    -------
    Registration
        Tier A with a `QuadraticTransform`, or C with its reason.
    """
    best: tuple[_Fitted | None, list[Gate]] = (None, [])
    for number, names in enumerate((("skin",), ("skin", "fine"))):
        rng = np.random.default_rng([seed, 10 + number])
        pairs = [Pairing.of(getattr(reference, name), getattr(moving, name)) for name in names]
        found = _align(reference, moving, pairs, rng)
        gates = _gates(reference, moving, found, rng)
        if found is not None and all(gate.passed for gate in gates):
            return _accepted(reference, moving, found, gates, rng=rng, resamples=resamples)
        if best[0] is None or (found and len(found.inliers) > len(best[0].inliers)):
            best = (found, gates)
    found, gates = best
    mirrored = _agrees_mirrored(reference, moving, found, seed)
    return Registration(
        tier=Tier.C,
        transform=None,
        resampled=(),
        residual_px=float("nan") if found is None else found.residual_px,
        inliers=0 if found is None else len(found.inliers),
        overlap=0.0 if found is None else scalp_overlap(reference, moving, found.transform),
        gates=tuple(gates),
        reason=close_up_refusal(gates, mirrored=mirrored),
        method="close-up",
    )


def _accepted(
    reference: CloseUpFeatures,
    moving: CloseUpFeatures,
    found: _Fitted,
    gates: list[Gate],
    *,
    rng: np.random.Generator,
    resamples: int,
) -> Registration:
    count = len(found.inliers)
    weights = rng.multinomial(count, np.full(count, 1.0 / count), size=resamples)
    refits = [_fit(reference, moving, found.inliers, row.astype(np.float64)) for row in weights]
    return Registration(
        tier=Tier.A,
        transform=found.transform,
        resampled=tuple(refits),
        residual_px=found.residual_px,
        inliers=count,
        overlap=scalp_overlap(reference, moving, found.transform),
        gates=tuple(gates),
        method="close-up",
    )


def _align(
    reference: CloseUpFeatures,
    moving: CloseUpFeatures,
    pairs: list[Pairing],
    rng: np.random.Generator,
) -> _Fitted | None:
    """Similarity from pairs of matches, then guided matches and the quadratic fit."""
    everywhere = joined([_first_matches(reference, moving, pair) for pair in pairs])
    transform = _best_similarity(reference, moving, everywhere, rng)
    if transform is None:
        return None
    width = moving.head_width_px
    for reach in _REACHES:
        matches = joined([_guided(transform, moving, pair, reach) for pair in pairs])
        if len(matches) < 2 * N_TERMS:
            return None
        transform = _fit(reference, moving, matches, np.ones(len(matches)))
    gaps = _distances(transform, matches)
    near = gaps < _INLIER * width
    if int(near.sum()) < 2 * N_TERMS:
        return None
    angles = 2.0 * np.pi * np.arange(8) / 8
    shifts = 0.07 * width * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    chance = np.mean(
        [sum(len(_guided(transform, moving, p, _INLIER, shift)) for p in pairs) for shift in shifts]
    )
    rms = float(np.sqrt(np.mean(gaps[near] ** 2)))
    return _Fitted(transform, matches.chosen(near), float(chance), rms)


def _first_matches(reference: CloseUpFeatures, moving: CloseUpFeatures, pair: Pairing) -> Matches:
    """Matches over the whole frame."""
    ratio = moving.head_width_px / reference.head_width_px
    unit = to_unit(pair.reference.points.astype(np.float64), reference.photograph_shape)
    return match_near(
        pair,
        from_unit(unit, moving.photograph_shape),
        radius_px=0.7 * moving.head_width_px,
        size_ratio=ratio,
        roll_rad=0.0,
        roll_tolerance_rad=np.radians(50.0),
        min_similarity=0.8,
        separation_px=0.02 * moving.head_width_px,
    )


def _guided(
    transform: QuadraticTransform,
    moving: CloseUpFeatures,
    pair: Pairing,
    reach: float,
    shift: FloatArray | None = None,
) -> Matches:
    """Matches within `reach` (share of the frame) of where the transform expects them."""
    width = moving.head_width_px
    predicted = transform.map_points(pair.reference.points)
    ratio = float(np.exp(max(transform.log_scale, -2.0)))
    ratio *= half_side_px(transform.moving_shape) / half_side_px(transform.reference_shape)
    return match_near(
        pair,
        predicted if shift is None else predicted + shift,
        radius_px=reach * width,
        size_ratio=ratio,
        roll_rad=np.full(len(predicted), np.radians(transform.rotation_deg)),
        roll_tolerance_rad=np.radians(25.0),
        min_similarity=0.75,
        separation_px=0.008 * width,
    )


def _best_similarity(
    reference: CloseUpFeatures,
    moving: CloseUpFeatures,
    matches: Matches,
    rng: np.random.Generator,
) -> QuadraticTransform | None:
    """The similarity with which most matches agree, of those that pairs of matches suggest."""
    if len(matches) < N_TERMS:
        return None
    before = to_unit(matches.reference_points, reference.photograph_shape) @ (1.0, 1.0j)
    after = to_unit(matches.moving_points, moving.photograph_shape) @ (1.0, 1.0j)
    first, second = rng.integers(0, len(before), (2, 6 * _HYPOTHESES))
    far = np.abs(before[first] - before[second]) > 0.3
    first, second = first[far], second[far]
    factor = (after[first] - after[second]) / (before[first] - before[second])
    plausible = np.abs(np.log(np.maximum(np.abs(factor), 1e-9))) < MAX_LOG_SCALE
    plausible &= np.abs(np.angle(factor, deg=True)) < MAX_ROTATION_DEG
    first, factor = first[plausible][:_HYPOTHESES], factor[plausible][:_HYPOTHESES]
    if not len(factor):
        return None
    offset = after[first] - factor * before[first]
    gaps = np.abs(factor[:, None] * before + offset[:, None] - after) / (2.0 * _COARSE)
    best = int(np.argmax(np.maximum(0.0, 1.0 - gaps**2).sum(axis=1)))
    a, b = factor[best], offset[best]
    terms = np.array(
        [
            [b.real, a.real, -a.imag, 0.0, 0.0, 0.0],
            [b.imag, a.imag, a.real, 0.0, 0.0, 0.0],
        ]
    )
    return QuadraticTransform.from_terms(terms, reference.photograph_shape, moving.photograph_shape)


def _fit(
    reference: CloseUpFeatures, moving: CloseUpFeatures, matches: Matches, weights: FloatArray
) -> QuadraticTransform:
    """Cauchy-weighted least squares with a prior on what bends."""
    design = terms_of(to_unit(matches.reference_points, reference.photograph_shape))
    target = to_unit(matches.moving_points, moving.photograph_shape)
    sigma = 2.0 * _SIGMA
    prior = np.diag([0.0, 0.0, 0.0, *([_BEND_SD**-2] * 3)])
    robust = np.ones(len(target))
    terms: FloatArray = np.zeros((2, N_TERMS))
    for _ in range(8):
        weight = (weights * robust / sigma**2)[:, None]
        normal = design.T @ (weight * design) + prior + 1e-9 * np.eye(N_TERMS)
        terms = np.linalg.solve(normal, design.T @ (weight * target)).T
        gaps = np.linalg.norm(design @ terms.T - target, axis=1) / sigma
        robust = 1.0 / (1.0 + (gaps / 2.0) ** 2)
    return QuadraticTransform.from_terms(terms, reference.photograph_shape, moving.photograph_shape)


def _distances(transform: QuadraticTransform, matches: Matches) -> FloatArray:
    """Distances (N,) in the moving photograph; infinite outside the frames."""
    gaps = np.linalg.norm(
        transform.map_points(matches.reference_points) - matches.moving_points, axis=1
    )
    return np.where(np.isfinite(gaps), gaps, np.inf)


def _gates(
    reference: CloseUpFeatures,
    moving: CloseUpFeatures,
    found: _Fitted | None,
    rng: np.random.Generator,
) -> list[Gate]:
    inliers = 0 if found is None else len(found.inliers)
    chance = 1.0 if found is None else max(found.chance, 1.0)
    gates = [
        at_least("inliers", inliers, MIN_INLIERS),
        at_least("inliers_above_chance", inliers / chance, MIN_ABOVE_CHANCE),
    ]
    if found is None:
        return gates
    transform = found.transform
    shown = np.isfinite(transform.map_points(reference.grid.photograph_points())[:, 0])
    points = reference.grid.photograph_points()[shown]
    return [
        *gates,
        at_most("rotation_deg", abs(transform.rotation_deg), MAX_ROTATION_DEG),
        at_most("log_scale", abs(transform.log_scale), MAX_LOG_SCALE),
        at_most("stretch", transform.log_stretch, MAX_STRETCH),
        at_most("curvature", transform.curvature, MAX_CURVATURE),
        at_least("overlap", float(shown.mean()), MIN_OVERLAP),
        at_least("spread", spread_of(found.inliers.reference_points, points), MIN_SPREAD),
        at_most(
            "split_half_percent",
            _split_half(reference, moving, found, points, rng),
            MAX_SPLIT_HALF_PERCENT,
        ),
        *correlation_gates(reference, moving, transform),
    ]


def _split_half(
    reference: CloseUpFeatures,
    moving: CloseUpFeatures,
    found: _Fitted,
    points: FloatArray,
    rng: np.random.Generator,
) -> float:
    """Median over splits of the RMS disagreement of two half fits, % of the frame's mean side."""
    count = len(found.inliers)
    gaps = []
    for _ in range(_SPLITS):
        order = rng.permutation(count)
        halves = [
            _fit(reference, moving, found.inliers.chosen(part), np.ones(len(part)))
            for part in (order[: count // 2], order[count // 2 :])
        ]
        first, second = (half.map_points(points[::7]) for half in halves)
        gap = np.linalg.norm(first - second, axis=1)
        gap = gap[np.isfinite(gap)]
        gaps.append(float(np.sqrt(np.mean(gap**2))) if len(gap) else float("inf"))
    return 100.0 * float(np.median(gaps)) / moving.head_width_px


def _agrees_mirrored(
    reference: CloseUpFeatures, moving: CloseUpFeatures, found: _Fitted | None, seed: int
) -> bool:
    """Whether the flipped photograph agrees, and clearly better than as it is."""
    width = moving.photograph_shape[1]
    flipped = replace(moving, skin=mirrored_keypoints(moving.skin, width))
    pairs = [Pairing.of(reference.skin, flipped.skin)]
    other = _align(reference, flipped, pairs, np.random.default_rng([seed, 12]))
    if other is None or len(other.inliers) < MIN_INLIERS:
        return False
    enough = len(other.inliers) >= MIN_ABOVE_CHANCE * max(other.chance, 1.0)
    return enough and len(other.inliers) > 2 * (0 if found is None else len(found.inliers))
