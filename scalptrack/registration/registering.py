"""Register two photographs: align, put every gate, refuse or return a transform."""

from __future__ import annotations

import numpy as np

from scalptrack.records import FloatArray, Gate, Reason, Registration, Tier
from scalptrack.registration.align import Alignment, align, outline_only, pairings
from scalptrack.registration.features import HeadFeatures
from scalptrack.registration.gates import (
    agreement_gates,
    feature_gates,
    geometry_gates,
    pose_gates,
    refusal,
    residual_px,
    scalp_overlap,
)
from scalptrack.registration.matching import mirrored_features
from scalptrack.registration.refine import N_POSE, POSE, refine, resample
from scalptrack.registration.transform import HeadTransform

MIN_POINT_PAIRS = 4

MAX_POINT_RESIDUAL_PERCENT = 4.0
"""RMS that hand-set points may leave, % of the head's width: people set points to about 1-2 %
(3 mm on a head of 15 cm), and a wrong pair leaves far more."""

_CENTRE = np.array([N_POSE + 2, N_POSE + 3])
"""Parameters of the head's centre in the reference: points tell it better than a poor outline."""


def identity(features: HeadFeatures) -> HeadTransform:
    """The transform of a photograph with itself."""
    return HeadTransform.identity(features.camera, features.outline.shape)


def register(
    reference: HeadFeatures, moving: HeadFeatures, *, seed: int, resamples: int = 12
) -> Registration:
    """Align the moving photograph with its reference, or say why that isn't possible.

    Parameters
    ----------
    reference, moving : HeadFeatures
        From `extract_features`.
    seed : int
        Of every random choice; the same seed gives the same result.
    resamples : int
        Number of refits to resampled inliers.

    Returns
    -------
    Registration
        Tier A, or C with its reason.
    """
    best: tuple[Alignment | None, list[Gate], float] = (None, [], 0.0)
    for with_hair in (False, True):
        rng = np.random.default_rng([seed, int(with_hair)])
        pairs = pairings(reference, moving, with_hair=with_hair)
        found = align(reference, moving, pairs, rng)
        gates, overlap = _all_gates(reference, moving, found, rng)
        if all(gate.passed for gate in gates) and found is not None:
            return _accepted(moving, found, gates, overlap, resamples=resamples, rng=rng)
        if best[0] is None or (found is not None and len(found.inliers) > len(best[0].inliers)):
            best = (found, gates, overlap)
    return _refused(reference, moving, best, seed)


def _all_gates(
    reference: HeadFeatures,
    moving: HeadFeatures,
    found: Alignment | None,
    rng: np.random.Generator,
) -> tuple[list[Gate], float]:
    gates = feature_gates(reference, moving)
    if found is None:
        return [*gates, *agreement_gates(found)], 0.0
    more, overlap = geometry_gates(reference, moving, found, rng)
    alike = next(gate.value for gate in more if gate.name == "correlation")
    return [*gates, *agreement_gates(found, alike=alike), *more], overlap


def _accepted(
    moving: HeadFeatures,
    found: Alignment,
    gates: list[Gate],
    overlap: float,
    *,
    resamples: int,
    rng: np.random.Generator,
) -> Registration:
    inliers = found.inliers
    count = len(inliers)
    weights = rng.multinomial(count, np.full(count, 1.0 / count), size=resamples)
    refits = resample(
        found.fit, inliers.reference_points, inliers.moving_points, weights.astype(np.float64)
    )
    return Registration(
        tier=Tier.A,
        transform=found.transform,
        resampled=tuple(refits),
        residual_px=residual_px(found, moving),
        inliers=count,
        overlap=overlap,
        gates=tuple(gates),
    )


def _refused(
    reference: HeadFeatures,
    moving: HeadFeatures,
    best: tuple[Alignment | None, list[Gate], float],
    seed: int,
) -> Registration:
    found, gates, overlap = best
    reason = refusal(gates, mirrored=_agrees_mirrored(reference, moving, found, seed))
    return Registration(
        tier=Tier.C,
        transform=None,
        resampled=(),
        residual_px=float("nan") if found is None else residual_px(found, moving),
        inliers=0 if found is None else len(found.inliers),
        overlap=overlap,
        gates=tuple(gates),
        reason=reason,
    )


def _agrees_mirrored(
    reference: HeadFeatures, moving: HeadFeatures, found: Alignment | None, seed: int
) -> bool:
    """Whether the flipped moving photograph agrees, and clearly better than as it is."""
    flipped = mirrored_features(moving)
    rng = np.random.default_rng([seed, 2])
    mirrored = align(reference, flipped, pairings(reference, flipped, with_hair=False), rng)
    if mirrored is None or not all(gate.passed for gate in agreement_gates(mirrored)):
        return False
    return len(mirrored.inliers) > 2 * (0 if found is None else len(found.inliers))


def register_points(
    reference: HeadFeatures,
    moving: HeadFeatures,
    reference_points: FloatArray,
    moving_points: FloatArray,
    *,
    seed: int = 0,
    resamples: int = 12,
) -> Registration:
    """Align two photographs by points that a person has set on both.

    Parameters
    ----------
    reference_points, moving_points : float (N, 2)
        At least `MIN_POINT_PAIRS` pairs on the head.

    Returns
    -------
    Registration
        Tier B, or C when the points contradict each other or don't lie on the head.
    """
    before = np.asarray(reference_points, dtype=np.float64).reshape(-1, 2)
    after = np.asarray(moving_points, dtype=np.float64).reshape(-1, 2)
    prior = outline_only(reference, moving)
    seen = np.isfinite(prior.start.map_points(before)[:, 0]) if len(before) else np.zeros(0, bool)
    before, after = before[seen], after[seen]
    points_gate = Gate(
        "point_pairs", float(len(before)), float(MIN_POINT_PAIRS), len(before) >= MIN_POINT_PAIRS
    )
    if not points_gate.passed:
        message = (
            f"could not be aligned with the baseline: {len(before)} pairs of points lie on the "
            f"head, at least {MIN_POINT_PAIRS} are needed. Set more points on the scalp."
        )
        return _refused_points((points_gate,), Reason("too_few_points", message))
    active = POSE if len(before) < 6 else np.concatenate([POSE, _CENTRE])
    fit = refine(prior, before, after, active=active, steps=40)
    rms = float(np.sqrt(np.mean(np.minimum(fit.distances_px, 1e6) ** 2)))
    percent = 100.0 * rms / moving.head_width_px
    gates = [
        points_gate,
        Gate(
            "point_residual_percent",
            percent,
            MAX_POINT_RESIDUAL_PERCENT,
            percent <= MAX_POINT_RESIDUAL_PERCENT,
        ),
        *pose_gates(reference, moving, fit.transform),
    ]
    reason = _points_reason(gates)
    if reason is not None:
        return _refused_points(tuple(gates), reason, rms)
    rng = np.random.default_rng([seed, 3])
    count = len(before)
    refits = []
    for _ in range(resamples):
        # With so few points resampling would leave degenerate sets: perturb them instead.
        noise = rng.normal(0.0, max(rms, 0.005 * moving.head_width_px) / np.sqrt(2.0), (count, 2))
        again = refine(prior, before, after + noise, active=active, start=fit.parameters, steps=4)
        refits.append(again.transform)
    return Registration(
        tier=Tier.B,
        transform=fit.transform,
        resampled=tuple(refits),
        residual_px=rms,
        inliers=count,
        overlap=scalp_overlap(reference, moving, fit.transform),
        gates=tuple(gates),
        method="points",
    )


def _points_reason(gates: list[Gate]) -> Reason | None:
    failed = {gate.name: gate for gate in gates if not gate.passed}
    if "point_residual_percent" in failed:
        gate = failed["point_residual_percent"]
        message = (
            "could not be aligned with the baseline: the points set by hand disagree by "
            f"{gate.value:.1f} % of the head's width, at most {gate.limit:.1f} % is accepted. "
            "Check that each pair marks the same spot, and that all of them lie on the scalp."
        )
        return Reason("points_disagree", message)
    return refusal(gates, mirrored=False)


def _refused_points(
    gates: tuple[Gate, ...], reason: Reason, residual: float = float("nan")
) -> Registration:
    return Registration(
        tier=Tier.C,
        transform=None,
        resampled=(),
        residual_px=residual,
        inliers=0,
        overlap=0.0,
        gates=gates,
        reason=reason,
    )
