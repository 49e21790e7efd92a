"""The likely cause of a refusal, from what both photographs show apart from the points that agree.

Lens: where both files state the focal length. Another person or another view: the outlines of two
heads seen from the same side agree for nearly all people, and hardly ever from another side
(lab/benchmarks/outline.py: 275 of 313 pairs of one view pass the outline's gates, 0 of 32 pairs of
the same person in another view, 76 of 474 pairs of other people in another view).
"""

from __future__ import annotations

import numpy as np

from scalptrack.records import Gate, Reason
from scalptrack.registration.by_outline import fit_by_outline, outline_gates
from scalptrack.registration.camera import FILM_DIAGONAL_MM
from scalptrack.registration.features import HeadFeatures
from scalptrack.translation import marked, tr

MAX_LENS_RATIO = 1.25
"""Focal lengths that differ by less are one lens: phones round them, and crop a little."""

EXPLAINED = frozenset(
    {"no_agreement", "implausible_pose", "outline_mismatch", "overlap_too_small", "unstable"}
)
"""Codes of refusals that don't name their cause themselves."""

_QUALITY_OF_OUTLINE = ("outline_arc_fraction", "outline_scatter", "outline_cut_fraction")


def with_cause(reason: Reason, reference: HeadFeatures, moving: HeadFeatures) -> Reason:
    """The reason with a sentence on its likely cause, where that can be told."""
    if reason.code not in EXPLAINED:
        return reason
    sentences = [sentence for sentence in (lens_cause(reference, moving),) if sentence]
    if reason.code in ("no_agreement", "implausible_pose", "outline_mismatch"):
        sentences += [sentence for sentence in (side_cause(reference, moving),) if sentence]
    return Reason(reason.code, " ".join([reason.message, *sentences]))


def lens_cause(reference: HeadFeatures, moving: HeadFeatures) -> str:
    """A sentence where the files state lenses that differ; empty otherwise."""
    if not (reference.focal_known and moving.focal_known):
        return ""
    before, after = focal_35mm(reference), focal_35mm(moving)
    if abs(float(np.log(after / before))) <= float(np.log(MAX_LENS_RATIO)):
        return ""
    return tr(
        "The zoom or the lens changed: {after:.0f} mm now, {before:.0f} mm at the baseline (35 mm "
        "equivalent). Use the same lens, without zoom.",
        after=after,
        before=before,
    )


def focal_35mm(features: HeadFeatures) -> float:
    """Focal length in mm, equivalent on the diagonal of 35 mm film."""
    diagonal = float(np.hypot(*features.photograph_shape))
    return features.camera.focal_px * FILM_DIAGONAL_MM / diagonal


def side_cause(reference: HeadFeatures, moving: HeadFeatures) -> str:
    """Whether another person or another view is likelier; empty where outlines can't tell."""
    gates = outline_gates(reference, moving, fit_by_outline(reference, moving))
    if any(not gate.passed for gate in gates if gate.name in _QUALITY_OF_OUTLINE):
        return ""
    failed = [gate for gate in gates if not gate.passed]
    if not failed:
        return tr(
            "The outlines of both heads agree, so another person, or skin that looks different "
            "now, is likelier than another view."
        )
    measured = _measured(failed[0])
    return tr(
        "The outlines of the heads differ ({measured}): likely another view.", measured=measured
    )


def _measured(gate: Gate) -> str:
    """What an outline gate measured, in words."""
    words = {
        "outline_shape_difference": marked(
            "their proportions by a factor of {factor:.2f}, at most {factor_limit:.2f} is expected"
        ),
        "outline_agreement": marked(
            "the scalps cover each other by {value:.0%}, at least {limit:.0%} is expected"
        ),
        "outline_shared": marked(
            "{value:.0%} of the scalp is shared, at least {limit:.0%} is expected"
        ),
    }[gate.name]
    return tr(
        words,
        value=gate.value,
        limit=gate.limit,
        factor=float(np.exp(gate.value)),
        factor_limit=float(np.exp(gate.limit)),
    )
