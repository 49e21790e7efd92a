"""Two photographs aligned by points that a person set, with the gates that nonsense fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scalptrack.records import FloatArray, Gate, Reason, Registration, Tier
from scalptrack.registration.features import HeadFeatures
from scalptrack.registration.gates import MIN_OVERLAP, at_least, outline_overlap, scalp_overlap
from scalptrack.registration.registering import register_points
from scalptrack.registration.transform import HeadTransform

# Provisional, until lab/benchmarks/hand_points.py was run at length: see docs/design.md.
MIN_POINT_SPREAD = 0.08
"""Standard deviation of the points along their narrow direction, in widths of the head: points in
one spot or on one line say nothing about the turn of the head."""

MIN_HAND_OUTLINE_OVERLAP = 0.65
"""The same limit as for an alignment by features."""


def register_by_hand(
    reference: HeadFeatures,
    moving: HeadFeatures,
    reference_points: FloatArray,
    moving_points: FloatArray,
    *,
    seed: int = 0,
    resamples: int = 12,
) -> Registration:
    """Align by points that a person has set on both photographs, or say why they can't be used.

    Beside what `register_points` demands (enough pairs on the head, agreeing with one pose that two
    photographs of one view can have), the points have to be spread over the head, and the heads
    have to lie on each other where they put them.

    Parameters
    ----------
    reference, moving : HeadFeatures
        From `extract_features`.
    reference_points, moving_points : float (N, 2)
        In pixels of the photographs.
    seed : int
        Of the resampled transforms.
    resamples : int
        How many of them.

    Returns
    -------
    Registration
        Tier B with ``method`` ``"points"``, or C with its reason.
    """
    spreads = [
        at_least("reference_point_spread", _spread(reference_points, reference), MIN_POINT_SPREAD),
        at_least("moving_point_spread", _spread(moving_points, moving), MIN_POINT_SPREAD),
    ]
    found = register_points(
        reference, moving, reference_points, moving_points, seed=seed, resamples=resamples
    )
    gates = [*found.gates, *spreads]
    transform = found.transform
    if isinstance(transform, HeadTransform):
        gates += [
            at_least("overlap", scalp_overlap(reference, moving, transform), MIN_OVERLAP),
            at_least(
                "outline_overlap",
                outline_overlap(reference, moving, transform),
                MIN_HAND_OUTLINE_OVERLAP,
            ),
        ]
    reason = _reason(gates) if found.reason is None else found.reason
    if reason is None:
        return replace(found, gates=tuple(gates))
    return replace(
        found,
        tier=Tier.C,
        transform=None,
        resampled=(),
        inliers=0,
        gates=tuple(gates),
        reason=reason,
        method="points",
    )


def _spread(points: FloatArray, features: HeadFeatures) -> float:
    """Standard deviation of points (N, 2) along their narrow direction, in widths of the head."""
    centred = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if len(centred) < 2:
        return 0.0
    centred = centred - centred.mean(axis=0)
    narrow = np.linalg.svd(centred, compute_uv=False)[-1] / np.sqrt(len(centred))
    return float(narrow / features.head_width_px)


_SENTENCES = {
    "reference_point_spread": (
        "points_too_close",
        "the points set by hand lie too close together, or on one line (they spread over "
        "{value:.0%} of the head's width, at least {limit:.0%} is needed). Set them over the whole "
        "scalp.",
    ),
    "overlap": (
        "points_disagree",
        "where the points set by hand put it, the two photographs share only {value:.0%} of the "
        "scalp, at least {limit:.0%} is needed. Check that each pair marks the same spot.",
    ),
    "outline_overlap": (
        "points_disagree",
        "where the points set by hand put it, the outlines of the heads agree by {value:.0%}, at "
        "least {limit:.0%} is needed. Check that each pair marks the same spot.",
    ),
}
_SENTENCES["moving_point_spread"] = _SENTENCES["reference_point_spread"]


def _reason(gates: list[Gate]) -> Reason | None:
    """Reason of the first gate that failed."""
    for gate in gates:
        if not gate.passed:
            code, sentence = _SENTENCES[gate.name]
            text = sentence.format(value=gate.value, limit=gate.limit)
            return Reason(code, f"could not be aligned with the baseline: {text}")
    return None
