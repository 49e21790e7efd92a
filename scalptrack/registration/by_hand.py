"""Two photographs aligned by points that a person set, with the gates that nonsense fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scalptrack.records import FloatArray, Gate, Reason, Registration, SurfaceTransform, Tier
from scalptrack.registration.features import HeadFeatures
from scalptrack.registration.gates import MIN_OVERLAP, at_least, outline_overlap, scalp_overlap
from scalptrack.registration.registering import register_points
from scalptrack.registration.transform import HeadTransform

# Seen on two rendered heads so far (lab/benchmarks/hand_points.py, docs/design.md): provisional.
MIN_POINT_SPREAD = 0.08
"""Standard deviation of the points along their narrow direction, in widths of the head: points in
one spot or on one line say nothing about the turn of the head."""

HAND_ERROR_FRACTION = 0.015
"""How far a pair is off at least (RMS, share of the head's width), however well few pairs agree:
people set points to 1 to 2 %."""

MIN_STABLE_FITS = 0.5
"""Share of fits to perturbed points that must pass the gates as well: where most don't, the points
say too little, and the few that are left would make the interval too narrow."""

_POSE_PARAMETERS = 6
"""What a fit takes out of the disagreement of the points."""

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
        reference, moving, reference_points, moving_points, seed=seed, resamples=0
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
        pairs = (reference_points, moving_points)
        again = _perturbed((reference, moving), pairs, found, seed=seed, count=resamples)
        if resamples:
            gates.append(at_least("stable_fits", len(again) / resamples, MIN_STABLE_FITS))
            reason = _reason(gates)
        found = replace(found, resampled=again)
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


def _perturbed(
    features: tuple[HeadFeatures, HeadFeatures],
    pairs: tuple[FloatArray, FloatArray],
    found: Registration,
    *,
    seed: int,
    count: int,
) -> tuple[SurfaceTransform, ...]:
    """Fits to points that are off as the hand's may be: what the transform might as well be.

    Four pairs agree with almost any pose: their disagreement is raised by what the fit took out.
    """
    reference, moving = features
    after = np.asarray(pairs[1], dtype=np.float64).reshape(-1, 2)
    left = max(2 * found.inliers - _POSE_PARAMETERS, 1)
    rms = found.residual_px * float(np.sqrt(2 * found.inliers / left))
    rms = max(rms, HAND_ERROR_FRACTION * moving.head_width_px)
    rng = np.random.default_rng([seed, 5])
    fits = [
        register_points(
            reference,
            moving,
            pairs[0],
            after + rng.normal(0.0, rms / np.sqrt(2.0), after.shape),
            seed=seed,
            resamples=0,
        ).transform
        for _ in range(count)
    ]
    return tuple(fit for fit in fits if fit is not None)


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
    "stable_fits": (
        "points_uncertain",
        "the points set by hand say too little about how the head is turned: of fits to points "
        "that are moved by what a hand errs, {value:.0%} could be used, at least {limit:.0%} are "
        "needed. Set more points, spread over the whole scalp.",
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
