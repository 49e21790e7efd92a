"""What the network is asked to get right."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lab.training.network import DOUBT

_CLASS_WEIGHTS = (0.8, 1.2, 1.0, 1.2, 0.8)
_PATCH_PX = 16
_DOUBT_PATCH_PX = 64
_DOUBT_FLOOR = 0.01

SMALLEST_SCALP_PX = 400
"""Visible scalp below which the coverage of a picture is not asked for."""

TERMS = (
    "classes", "fraction", "coverage", "patches", "region", "cosine", "consistency", "coarse",
    "doubt",
)  # fmt: skip
"""Names of what `losses` returns, in order."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Truth of a batch: classes (N, H, W) int64; the others (N, H, W) float32."""

    classes: Tensor
    fraction: Tensor
    region: Tensor
    cosine: Tensor


def _masked_mean(value: Tensor, mask: Tensor) -> Tensor:
    return (value * mask).sum() / (mask.sum() + 1)


def coverage_error(fraction: Tensor, targets: Targets) -> Tensor:
    """Mean over pictures of |predicted - true coverage| of the visible scalp."""
    area = targets.region.sum((1, 2))
    gap = ((fraction - targets.fraction) * targets.region).sum((1, 2)) / (area + 1)
    seen = (area > SMALLEST_SCALP_PX).float()
    return (gap.abs() * seen).sum() / seen.sum().clamp(min=1)


def _patch_error(fraction: Tensor, targets: Targets) -> Tensor:
    """The same within small patches, so that errors can't cancel across the head."""
    gap = ((fraction - targets.fraction) * targets.region)[:, None]
    mean = functional.avg_pool2d(gap, _PATCH_PX)
    share = functional.avg_pool2d(targets.region[:, None], _PATCH_PX)
    return mean.abs().sum() / (share.sum() + 1)


def _consistency(fraction: Tensor, targets: Targets, pairs: int) -> Tensor:
    """The same scene in two photographs must give the same fraction in small patches."""
    if not pairs:
        return fraction.sum() * 0
    region = targets.region[:pairs, None]
    gap = (fraction[:pairs] - fraction[-pairs:])[:, None] * region
    share = functional.avg_pool2d(region, 8).sum()
    return functional.avg_pool2d(gap, 8).abs().sum() / (share + 1)


def _coarse(answers: list[Tensor], targets: Targets) -> Tensor:
    """Class, fraction and region shares of the large cells of the deep layers, coarsest first."""
    shares = functional.one_hot(targets.classes, 5).permute(0, 3, 1, 2).float()
    want = torch.cat([shares, targets.fraction[:, None], targets.region[:, None]], 1)
    errors = []
    for answer in reversed(answers):
        want = functional.avg_pool2d(want, want.shape[-1] // answer.shape[-1])
        errors.append(functional.cross_entropy(answer[:, :5], want[:, :5]))
        errors.append(functional.binary_cross_entropy_with_logits(answer[:, 5:], want[:, 5:]))
    return torch.stack(errors).sum()


def _doubt(doubt: Tensor, fraction: Tensor, targets: Targets) -> Tensor:
    """How well the doubt foretells the error of the coverage, of patches and of the whole scalp.

    Each error is taken as drawn from a Laplace distribution whose mean size is the mean doubt
    there; the error itself is not lowered by this term.
    """
    region = targets.region[:, None]
    gap = (fraction.detach() - targets.fraction)[:, None] * region
    terms = []
    for side in (_DOUBT_PATCH_PX, region.shape[-1]):
        share = functional.avg_pool2d(region, side)
        enough = (share * side**2 > SMALLEST_SCALP_PX).float()
        error = functional.avg_pool2d(gap, side).abs() / share.clamp(min=1e-6)
        expected = functional.avg_pool2d(doubt[:, None] * region, side) / share.clamp(min=1e-6)
        expected = expected * (1 - _DOUBT_FLOOR) + _DOUBT_FLOOR
        terms.append(_masked_mean(expected.log() + error / expected, enough))
    return torch.stack(terms).sum()


def losses(raw: Tensor, coarse: list[Tensor], targets: Targets, pairs: int) -> Tensor:
    """Weighted terms of the loss, in the order of `TERMS`; their sum is what training lowers.

    The fraction is fitted with cross-entropy against the exact fraction, whose minimum is
    the *mean*: an absolute error would give the median, which is biased where strands are
    narrower than a pixel.

    Parameters
    ----------
    raw : Tensor, shape (N, 9, H, W)
        Answer of the network before activation.
    coarse : list of Tensor, each of shape (N, 7, h, w)
        Answers of its deeper layers.
    targets : Targets
        The truth.
    pairs : int
        The last so many pictures show the scenes of the first ones.

    Returns
    -------
    Tensor, shape (9,)
        The terms.
    """
    classes = functional.cross_entropy(
        raw[:, :5], targets.classes, weight=torch.tensor(_CLASS_WEIGHTS)
    )
    cross = functional.binary_cross_entropy_with_logits(
        raw[:, 5], targets.fraction, reduction="none"
    )
    focus = torch.maximum(targets.region, (targets.fraction > 0).float())
    fraction = torch.sigmoid(raw[:, 5])
    seen_from = (torch.sigmoid(raw[:, 7]) - targets.cosine).abs()
    return torch.stack(
        [
            classes,
            _masked_mean(cross, focus) + 0.3 * _masked_mean(cross, 1 - focus),
            coverage_error(fraction, targets),
            0.8 * _patch_error(fraction, targets),
            functional.binary_cross_entropy_with_logits(raw[:, 6], targets.region),
            0.5 * _masked_mean(seen_from, targets.region),
            0.5 * _consistency(fraction, targets, pairs),
            0.3 * _coarse(coarse, targets),
            0.05 * _doubt(torch.sigmoid(raw[:, DOUBT]), fraction, targets),
        ]
    )
