"""Two photographs aligned by pairs of points that a person has set on both.

A few points with errors of a few millimetres determine a pose only together with the outlines, so
the outlines stay in the fit. Whether both photographs show the same person the points can't tell:
a person has said so by setting them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scalptrack.records import BoolArray, FloatArray, Gate, Reason, Registration, Tier
from scalptrack.registration.align import outline_only
from scalptrack.registration.features import HeadFeatures
from scalptrack.registration.gates import (
    MIN_OUTLINE_OVERLAP,
    MIN_OVERLAP,
    at_least,
    at_most,
    outline_overlap,
    pose_gates,
    scalp_overlap,
)
from scalptrack.registration.refine import ALL, Fit, drawn, refine
from scalptrack.registration.refusals import not_aligned, refusal
from scalptrack.translation import marked, tr

MIN_POINT_PAIRS = 4

# Origin of the numbers below: lab/benchmarks/points.py, see docs/registration.md.
HAND_SD_FRACTION = 0.01
"""Scatter of a point set by hand, along each axis (share of the head's width)."""

MAX_RESIDUAL_PERCENT = 4.0
MAX_LEFT_OUT_PERCENT = 8.0
MIN_SPREAD_PERCENT = 6.0

_SAME_POINT_FRACTION = 0.02
"""Points of the reference nearer to each other than this (share of its head's width) count once."""


def register_by_points(
    reference: HeadFeatures,
    moving: HeadFeatures,
    pairs: FloatArray,
    *,
    seed: int = 0,
    resamples: int = 12,
) -> Registration:
    """Align two photographs by pairs of points.

    Parameters
    ----------
    reference, moving : HeadFeatures
        From `extract_features`.
    pairs : float (N, 4)
        One pair a row: x and y in the reference, x and y in the moving photograph, in pixels of
        the upright photographs. At least `MIN_POINT_PAIRS` must lie on the head in both.
    seed : int
        Of the resampled transforms.
    resamples : int
        Number of transforms that the points allow as well.

    Returns
    -------
    Registration
        Tier B with ``method`` ``"points"``, or C with its reason: too few points, points close
        together or in one line, points that contradict each other, or a pose that can't be.
        `inliers` is the number of pairs, `residual_px` the RMS distance that they leave.
    """
    before, after = on_both_heads(reference, moving, pairs)
    gates = [
        at_least("point_pairs", _distinct(before, reference), MIN_POINT_PAIRS),
        at_least("point_spread_percent", spread_percent(before, reference), MIN_SPREAD_PERCENT),
    ]
    reason = _points_reason(gates)
    if reason is not None:
        return _refused(gates, reason)
    prior = replace(outline_only(reference, moving), sigma_fraction=HAND_SD_FRACTION)
    fit = refine(prior, before, after, active=ALL, steps=40)
    width = moving.head_width_px
    rms = rms_px(fit.distances_px, width)
    gates += [
        at_most("point_residual_percent", 100.0 * rms / width, MAX_RESIDUAL_PERCENT),
        at_most(
            "point_left_out_percent",
            100.0 * rms_px(left_out_px(fit, before, after), width) / width,
            MAX_LEFT_OUT_PERCENT,
        ),
        *pose_gates(reference, moving, fit.transform),
        at_least("overlap", scalp_overlap(reference, moving, fit.transform), MIN_OVERLAP),
        at_least(
            "outline_overlap",
            outline_overlap(reference, moving, fit.transform),
            MIN_OUTLINE_OVERLAP,
        ),
    ]
    reason = _points_reason(gates)
    if reason is not None:
        return _refused(gates, reason, rms)
    rng = np.random.default_rng([seed, 3])
    scale = max(1.0, scatter_px(rms, len(before)) / prior.sigma_px)
    return Registration(
        tier=Tier.B,
        transform=fit.transform,
        resampled=tuple(drawn(fit, before, after, rng=rng, count=resamples, scale=scale)),
        residual_px=rms,
        inliers=len(before),
        overlap=scalp_overlap(reference, moving, fit.transform),
        gates=tuple(gates),
        method="points",
    )


def on_both_heads(
    reference: HeadFeatures, moving: HeadFeatures, pairs: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The pairs whose points lie inside both outlines, as (N, 2) each."""
    listed = np.asarray(pairs, dtype=np.float64).reshape(-1, 4)
    listed = listed[np.isfinite(listed).all(axis=1)]
    before, after = listed[:, :2], listed[:, 2:]
    seen = _on_head(reference, before) & _on_head(moving, after)
    return before[seen], after[seen]


def _on_head(features: HeadFeatures, points: FloatArray) -> BoolArray:
    m11, m12, m22 = features.outline.shape.outline
    x, y = (points - np.array(features.outline.shape.centre_px)).T
    return np.asarray(np.hypot(m11 * x + m12 * y, m22 * y) < 1.0)


def _distinct(points: FloatArray, features: HeadFeatures) -> int:
    """How many points (N, 2) are left when those close to an earlier one don't count."""
    kept: list[FloatArray] = []
    for point in points:
        gaps = [float(np.hypot(*(point - other))) for other in kept]
        if all(gap > _SAME_POINT_FRACTION * features.head_width_px for gap in gaps):
            kept.append(point)
    return len(kept)


def spread_percent(points: FloatArray, features: HeadFeatures) -> float:
    """SD of the points across the line that fits them best, % of the head's width."""
    if len(points) < 2:
        return 0.0
    values = np.linalg.eigvalsh(np.cov(points.T, bias=True))
    return 100.0 * float(np.sqrt(max(values[0], 0.0))) / features.head_width_px


def rms_px(distances_px: FloatArray, width_px: float) -> float:
    """RMS of distances (N,); a point that isn't visible counts as a whole head's width."""
    capped = np.minimum(np.nan_to_num(distances_px, nan=width_px), width_px)
    return float(np.sqrt(np.mean(capped**2)))


def left_out_px(fit: Fit, before: FloatArray, after: FloatArray) -> FloatArray:
    """Distance (N,) of each pair of points (N, 2) from the fit to all others; NaN where unseen."""
    gaps = []
    for left_out in range(len(before)):
        others = np.arange(len(before)) != left_out
        again = refine(
            fit.prior,
            before[others],
            after[others],
            active=ALL,
            start=fit.parameters,
            steps=20,
        )
        mapped = again.transform.map_points(before[left_out : left_out + 1])
        gaps.append(np.linalg.norm(mapped - after[left_out], axis=1)[0])
    return np.array(gaps)


def scatter_px(rms_px: float, count: int) -> float:
    """SD along each axis of points that leave `rms_px` after a pose was fitted to them."""
    return rms_px * float(np.sqrt(count / max(2 * count - 6, 2)))


def _points_reason(gates: list[Gate]) -> Reason | None:
    """The reason for the first gate that failed."""
    for gate in gates:
        if gate.passed:
            continue
        if gate.name not in _SENTENCES:
            return refusal([gate], mirrored=False)
        code, sentence = _SENTENCES[gate.name]
        return not_aligned(code, tr(sentence, value=gate.value, limit=gate.limit))
    return None


_SENTENCES = {
    "point_pairs": (
        "too_few_points",
        marked(
            "{value:.0f} pairs of points lie on the head in both "
            "photographs, at least {limit:.0f} are needed. Set more points "
            "on the scalp."
        ),
    ),
    "point_spread_percent": (
        "points_too_close",
        marked(
            "the points spread by {value:.1f} % of the head's width across "
            "the line through them, at least {limit:.1f} % is needed. Set "
            "points far from each other, on both sides of the head and in "
            "front and behind."
        ),
    ),
    "point_residual_percent": (
        "points_disagree",
        marked(
            "the points set by hand disagree by {value:.1f} % of the "
            "head's width, at most {limit:.1f} % is accepted. Check that "
            "each pair marks the same spot, and that all of them lie on "
            "the scalp."
        ),
    ),
    "point_left_out_percent": (
        "points_disagree",
        marked(
            "pairs of points set by hand lie {value:.1f} % of the head's "
            "width from where the other pairs expect them, at most "
            "{limit:.1f} % is accepted. Check that each pair marks the "
            "same spot, or set more pairs."
        ),
    ),
}


def _refused(gates: list[Gate], reason: Reason, residual_px: float = float("nan")) -> Registration:
    return Registration(
        tier=Tier.C,
        transform=None,
        resampled=(),
        residual_px=residual_px,
        inliers=0,
        overlap=0.0,
        gates=tuple(gates),
        reason=reason,
    )
