"""Two photographs aligned by the markers of a printed headband that both show.

Where hair hides the scalp, the band stands for it: its markers are points that lie on the head at
the same place in both photographs, as far as a person can put a band on again. That is a matter of
millimetres, and nothing in the pictures tells them: it makes most of the error, and the interval
holds it. Whose head is beneath the band the markers can't tell either.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scalptrack.records import (
    FloatArray,
    Gate,
    Reason,
    Registration,
    StripMarkers,
    SurfaceTransform,
    Tier,
)
from scalptrack.registration.align import outline_only
from scalptrack.registration.by_outline import turned
from scalptrack.registration.by_points import (
    left_out_px,
    on_both_heads,
    rms_px,
    scatter_px,
    spread_percent,
)
from scalptrack.registration.features import HeadFeatures
from scalptrack.registration.gates import (
    MIN_OVERLAP,
    at_least,
    at_most,
    outline_overlap,
    pose_gates,
    scalp_overlap,
)
from scalptrack.registration.refine import ALL, Fit, drawn, refine
from scalptrack.registration.refusals import reason_of
from scalptrack.translation import marked, tr

# Origin of the numbers below: lab/benchmarks/strip.py, see docs/registration.md.
MIN_MARKERS = 4
MIN_SPREAD_PERCENT = 1.5
MAX_RESIDUAL_PERCENT = 3.0
MAX_LEFT_OUT_PERCENT = 6.0
MIN_OUTLINE_AGREEMENT = 0.80

MARKER_SD_FRACTION = 0.01
"""Scatter of a marker (share of the head's width): paper stands off the head, and heads are no
ellipsoids."""

TURN_SD_DEG = 5.0
"""How far the head may be turned otherwise than its band says, about each axis (SD). A band that is
put on again lies beside, assumed 3 mm along and up and 1.5 degrees tilted (SD); with what the fit
adds 3.5 were measured (RMS, 12 pairs), and people may be less careful."""

MAX_MARKER_TURN_DEG = 90.0
"""Markers turned farther than this in the picture belong to a band that is upside down."""


def register_by_strip(
    reference: HeadFeatures,
    moving: HeadFeatures,
    strips: tuple[StripMarkers, StripMarkers],
    refused: Registration,
    *,
    seed: int,
    resamples: int = 12,
) -> Registration:
    """Align by a printed headband what features could not align.

    Another person who wears the same band passes as well: only a person who knows whose
    photographs these are may ask for this. What agrees only after being flipped stays refused.

    Parameters
    ----------
    reference, moving : HeadFeatures
        From `extract_features`.
    strips : tuple of StripMarkers
        The markers in the reference and in the moving photograph.
    refused : Registration
        What `register` said of the pair.
    seed : int
        Of the resampled transforms.
    resamples : int
        Number of transforms that the markers, and a band put on again, allow as well.

    Returns
    -------
    Registration
        Tier B with ``method`` ``"strip"``, or `refused` with the gates of this attempt added, and
        what the band lacks in its reason. `inliers` is the number of markers, `residual_px` the RMS
        distance that they leave.
    """
    if refused.reason is None or refused.reason.code == "mirrored":
        return refused
    gates = _marker_gates(strips)
    if not all(gate.passed for gate in gates):
        return _still_refused(refused, gates)
    before, after = on_both_heads(reference, moving, _common_centres(strips))
    gates += [
        at_least("strip_on_head", len(before), MIN_MARKERS),
        at_least("strip_spread_percent", spread_percent(before, reference), MIN_SPREAD_PERCENT),
    ]
    if not all(gate.passed for gate in gates):
        return _still_refused(refused, gates)
    fit = fit_by_strip(reference, moving, before, after, roll_rad=_marker_turn(strips))
    gates += _fit_gates(reference, moving, fit, before, after)
    if not all(gate.passed for gate in gates):
        return _still_refused(refused, gates)
    return Registration(
        tier=Tier.B,
        transform=fit.transform,
        resampled=_resampled(fit, before, after, np.random.default_rng([seed, 5]), resamples),
        residual_px=rms_px(_seen(fit.distances_px), moving.head_width_px),
        inliers=len(before),
        overlap=scalp_overlap(reference, moving, fit.transform),
        gates=(*refused.gates, *gates),
        method="strip",
    )


def fit_by_strip(
    reference: HeadFeatures,
    moving: HeadFeatures,
    before: FloatArray,
    after: FloatArray,
    *,
    roll_rad: float,
) -> Fit:
    """The pose and surface that markers at (N, 2) each, and both outlines, agree with best.

    `roll_rad` is how far the head seems to be turned in the picture: there the search begins.
    """
    prior = outline_only(reference, moving)
    pose = replace(prior.start.pose, rotation=(0.0, 0.0, roll_rad))
    start = replace(prior.start, pose=pose)
    prior = replace(prior, start=start, sigma_fraction=MARKER_SD_FRACTION)
    return refine(prior, before, after, active=ALL, steps=40)


def _marker_gates(strips: tuple[StripMarkers, StripMarkers]) -> list[Gate]:
    """What the markers say before anything is fitted to them."""
    common = len(set(strips[0].ids) & set(strips[1].ids))
    gates = [
        at_most("strip_mirrored_markers", max(each.mirrored for each in strips), MIN_MARKERS - 1),
        at_least("strip_markers", common, MIN_MARKERS),
    ]
    if common:
        turn_deg = abs(float(np.degrees(_marker_turn(strips))))
        gates.append(at_most("strip_marker_turn_deg", turn_deg, MAX_MARKER_TURN_DEG))
    return gates


def _common(strips: tuple[StripMarkers, StripMarkers]) -> tuple[FloatArray, FloatArray]:
    """Corners (N, 4, 2) in both photographs of the markers that both show."""
    both = sorted(set(strips[0].ids) & set(strips[1].ids))
    rows = [[each.ids.index(number) for number in both] for each in strips]
    return strips[0].corners[rows[0]], strips[1].corners[rows[1]]


def _marker_turn(strips: tuple[StripMarkers, StripMarkers]) -> float:
    """Clockwise turn in radians of the markers in the picture, from the reference to the other."""
    upright = []
    for corners in _common(strips):
        down = corners[:, 2:].sum(axis=1) - corners[:, :2].sum(axis=1)
        upright.append(down[:, 0] + 1j * down[:, 1])
    turn = upright[1] * np.conj(upright[0])
    return float(np.angle((turn / np.abs(turn)).sum()))


def _common_centres(strips: tuple[StripMarkers, StripMarkers]) -> FloatArray:
    """Centres (N, 4) of the common markers: x, y in the reference, x, y in the moving one."""
    return np.hstack([_centres(corners) for corners in _common(strips)])


def _centres(corners: FloatArray) -> FloatArray:
    """Where the diagonals (N, 4, 2) of squares meet: their centres in perspective, too."""
    first, second = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    between = corners[:, 1] - corners[:, 0]
    cross = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    share = (between[:, 0] * second[:, 1] - between[:, 1] * second[:, 0]) / cross
    return np.asarray(corners[:, 0] + share[:, np.newaxis] * first)


def _fit_gates(
    reference: HeadFeatures,
    moving: HeadFeatures,
    fit: Fit,
    before: FloatArray,
    after: FloatArray,
) -> list[Gate]:
    """Whether the markers agree with each other, and their pose with the heads."""
    percent = 100.0 / moving.head_width_px
    rms = rms_px(_seen(fit.distances_px), moving.head_width_px)
    left_out = rms_px(_seen(left_out_px(fit, before, after)), moving.head_width_px)
    overlap = scalp_overlap(reference, moving, fit.transform)
    agreement = outline_overlap(reference, moving, fit.transform)
    gates = [
        at_most("residual_percent", percent * rms, MAX_RESIDUAL_PERCENT),
        at_most("left_out_percent", percent * left_out, MAX_LEFT_OUT_PERCENT),
        *pose_gates(reference, moving, fit.transform),
        at_least("overlap", overlap, MIN_OVERLAP),
        at_least("outline_overlap", agreement, MIN_OUTLINE_AGREEMENT),
    ]
    # The features' own attempt has gates of the same names.
    return [replace(gate, name=f"strip_{gate.name}") for gate in gates]


def _seen(distances_px: FloatArray) -> FloatArray:
    """Distances (N,) of the markers that the surface shows; infinite when those are too few.

    The fit moves the rim of the head, and a marker beside it may come to lie behind.
    """
    seen = distances_px[np.isfinite(distances_px)]
    return seen if len(seen) >= MIN_MARKERS else np.array([np.inf])


def _resampled(
    fit: Fit, before: FloatArray, after: FloatArray, rng: np.random.Generator, count: int
) -> tuple[SurfaceTransform, ...]:
    """Transforms that the markers allow as well, each with the band put on otherwise."""
    rms = rms_px(_seen(fit.distances_px), fit.prior.moving_width_px)
    scale = max(1.0, scatter_px(rms, len(before)) / fit.prior.sigma_px)
    found = drawn(fit, before, after, rng=rng, count=count, scale=scale)
    return tuple(turned(each, rng, 1, sd_deg=TURN_SD_DEG)[0] for each in found)


def _still_refused(refused: Registration, gates: list[Gate]) -> Registration:
    """The refusal with the gates of the band, and what it lacks."""
    assert refused.reason is not None
    failed = next(gate for gate in gates if not gate.passed)
    reason = Reason(refused.reason.code, f"{refused.reason.message} {_sentence(failed)}")
    return replace(refused, gates=(*refused.gates, *gates), reason=reason)


def _sentence(gate: Gate) -> str:
    words = _SENTENCES.get(gate.name)
    if words is not None:
        return tr(words, value=gate.value, limit=gate.limit)
    found = reason_of(replace(gate, name=gate.name.removeprefix("strip_")))
    return tr("By the headband it {refusal}", refusal=found.message)


_SENTENCES = {
    "strip_mirrored_markers": marked(
        "The headband is mirrored in one of the photographs: "
        "{value:.0f} of its markers can be read only after flipping it "
        "left to right. Check whether the camera app saves mirrored "
        "pictures."
    ),
    "strip_markers": marked(
        "Both photographs show {value:.0f} markers of the headband, at "
        "least {limit:.0f} are needed. Wear it in the same way, flat, "
        "lit, and not covered by hair."
    ),
    "strip_marker_turn_deg": marked(
        "The headband is upside down in one of the photographs: its "
        "markers are turned by {value:.0f}°, at most {limit:.0f}° is "
        "accepted."
    ),
    "strip_on_head": marked(
        "Only {value:.0f} markers of the headband lie on the head in "
        "both photographs, at least {limit:.0f} are needed."
    ),
    "strip_spread_percent": marked(
        "The markers of the headband spread by {value:.1f} % of the "
        "head's width across the line through them, at least "
        "{limit:.1f} % is needed. Photograph the head from farther "
        "above or below the band."
    ),
    "strip_residual_percent": marked(
        "The markers of the headband disagree by {value:.1f} % of the "
        "head's width, at most {limit:.1f} % is accepted. Check that "
        "it is the same band, put on flat and at the same place."
    ),
    "strip_left_out_percent": marked(
        "Markers of the headband lie {value:.1f} % of the head's width "
        "from where the others expect them, at most {limit:.1f} % is "
        "accepted. Check that it is the same band, put on flat and at "
        "the same place."
    ),
}
