"""The sentence for the gate that an alignment fails: what was measured, and what to try."""

from __future__ import annotations

import numpy as np

from scalptrack.records import Gate, Reason
from scalptrack.registration.gates import HAIRY_FRACTION
from scalptrack.translation import marked, tr


def refusal(gates: list[Gate], *, mirrored: bool) -> Reason | None:
    """The reason for the gate that says most about the cause; None when all have passed."""
    failed = {gate.name: gate for gate in gates if not gate.passed}
    if not failed:
        return None
    if mirrored:
        return mirrored_reason()
    bare = next((gate for gate in gates if gate.name == "bare_skin_fraction"), None)
    for name in _ORDER:
        if name in failed:
            if name in _AGREEMENT and bare is not None and bare.value < HAIRY_FRACTION:
                return _hair_reason(failed[name], bare)
            return reason_of(failed[name])
    gate = next(iter(failed.values()))
    return not_aligned("unstable", f"{gate.name}.")


_ORDER = (
    "bare_skin_fraction",
    "cut_off_fraction",
    "inliers",
    "inliers_above_chance",
    "rotation_deg",
    "size_error",
    "overlap",
    "outline_overlap",
    "spread",
    "split_half_percent",
    "correlation",
    "reverse_percent",
)

_AGREEMENT = {
    "inliers": marked("inliers"),
    "inliers_above_chance": marked("inliers above chance"),
    "correlation": marked("correlation"),
    "correlation_margin": marked("correlation margin"),
}


def _hair_reason(gate: Gate, bare: Gate) -> Reason:
    """Too little agreement, and so much hair that this is the likely cause."""
    words = tr(
        "{gate} is {value:.2g}, at least {limit:.2g} is needed. Hair covers all but {bare:.0%} of "
        "the scalp, which is the likely cause. Part or cut the hair the same way at each visit, "
        "and check that both photographs show the same view of the same person.",
        gate=tr(_AGREEMENT[gate.name]),
        value=gate.value,
        limit=gate.limit,
        bare=bare.value,
    )
    return not_aligned("hair_covers_scalp", words)


_SENTENCES: dict[str, tuple[str, str]] = {
    "bare_skin_fraction": (
        "hair_covers_scalp",
        marked(
            "only {value:.0%} of the scalp shows bare skin, at least "
            "{limit:.0%} is needed. Part or cut the hair the same way at "
            "each visit, or photograph it closer."
        ),
    ),
    "cut_off_fraction": (
        "head_cut_off",
        marked(
            "{value:.0%} of the scalp's border is cut off by the edge of "
            "the photograph, at most {limit:.0%} is accepted. Step back "
            "until the whole head is in the picture."
        ),
    ),
    "inliers": (
        "no_agreement",
        marked(
            "only {value:.0f} points of the scalp agree, at least "
            "{limit:.0f} are needed. Check that both photographs show the "
            "same view of the same person."
        ),
    ),
    "inliers_above_chance": (
        "no_agreement",
        marked(
            "the points that agree are only {value:.1f} times what chance "
            "would give, at least {limit:.1f} times are needed. Check that "
            "both photographs show the same view of the same person."
        ),
    ),
    "rotation_deg": (
        "implausible_pose",
        marked(
            "the head would be turned by {value:.0f}°, at most "
            "{limit:.0f}° is accepted. Check that both photographs show "
            "the same view."
        ),
    ),
    "size_error": (
        "implausible_pose",
        marked(
            "the size of the head and the points of the scalp contradict "
            "each other by a factor of {factor:.2f}, at most "
            "{factor_limit:.2f} is accepted. Check that both photographs "
            "show the same person and were taken without zoom."
        ),
    ),
    "overlap": (
        "overlap_too_small",
        marked(
            "the two photographs share only {value:.0%} of the scalp, at "
            "least {limit:.0%} is needed. Take the photograph from the "
            "same side as the baseline."
        ),
    ),
    "outline_overlap": (
        "outline_mismatch",
        marked(
            "the outlines of the heads agree by {value:.0%}, at least "
            "{limit:.0%} is needed. Check that both photographs show the "
            "same person before a plain background."
        ),
    ),
    "spread": (
        "unstable",
        marked(
            "the points that agree cover only {value:.0%} of the scalp, at "
            "least {limit:.0%} is needed. Check focus and light, and that "
            "the hair is combed as at baseline."
        ),
    ),
    "split_half_percent": (
        "unstable",
        marked(
            "two halves of the points disagree by {value:.1f} % of the "
            "head's width, at most {limit:.1f} % is accepted. Check focus "
            "and light, and that the hair is combed as at baseline."
        ),
    ),
    "reverse_percent": (
        "unstable",
        marked(
            "aligned the other way round, the two photographs disagree by "
            "{value:.1f} % of the head's width, at most {limit:.1f} % is "
            "accepted. Check focus and light, and that the hair is combed "
            "as at baseline."
        ),
    ),
    "correlation_margin": (
        "no_agreement",
        marked(
            "the skin correlates better by only {value:.2f} than at "
            "displaced places, at least {limit:.2f} is needed. Check that "
            "both photographs show the same view of the same person."
        ),
    ),
    "correlation": (
        "no_agreement",
        marked(
            "the skin of the two photographs correlates by {value:.2f}, at "
            "least {limit:.2f} is needed. Check that both photographs show "
            "the same view of the same person."
        ),
    ),
}


def reason_of(gate: Gate) -> Reason:
    """Code and sentence of a gate that failed."""
    code, sentence = _SENTENCES[gate.name]
    text = tr(
        sentence,
        value=gate.value,
        limit=gate.limit,
        factor=float(np.exp(min(gate.value, 5.0))),
        factor_limit=float(np.exp(gate.limit)),
    )
    return not_aligned(code, text)


def not_aligned(code: str, cause: str) -> Reason:
    """The reason of a refusal with its cause in words."""
    return Reason(code, tr("could not be aligned with the baseline: {cause}", cause=cause))


def mirrored_reason() -> Reason:
    """The reason where a photograph agrees only after being flipped."""
    return Reason(
        "mirrored",
        tr(
            "could not be aligned with the baseline: it agrees with the baseline only after being "
            "flipped left to right. Check whether the camera app saves mirrored pictures."
        ),
    )


_CLOSE_UP_SENTENCES = {
    "log_scale": marked(
        "the scalp would be {factor:.2f} times as large, at most "
        "{factor_limit:.2f} is accepted. Photograph it from the same "
        "distance."
    ),
    "stretch": marked(
        "the patch would be stretched by a factor of {factor:.2f}, at "
        "most {factor_limit:.2f} is accepted. Hold the camera at the "
        "same angle."
    ),
    "curvature": marked(
        "the patch would be bent by {value:.2f} of its half side, at "
        "most {limit:.2f} is accepted. Check that both photographs "
        "show the same patch of scalp."
    ),
    "rotation_deg": marked(
        "the photograph would be turned by {value:.0f}°, at most "
        "{limit:.0f}° is accepted. Hold the camera as at baseline."
    ),
}


def close_up_refusal(gates: list[Gate], *, mirrored: bool) -> Reason:
    """The reason for the first gate that failed."""
    failed = next(gate for gate in gates if not gate.passed)
    if mirrored:
        return mirrored_reason()
    if failed.name in _CLOSE_UP_SENTENCES:
        text = tr(
            _CLOSE_UP_SENTENCES[failed.name],
            value=failed.value,
            limit=failed.limit,
            factor=float(np.exp(min(failed.value, 5.0))),
            factor_limit=float(np.exp(failed.limit)),
        )
        return not_aligned("implausible_pose", text)
    return reason_of(failed)
