"""A photograph that can't be aligned with the reference, aligned through one that can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scalptrack.records import FloatArray, Registration, Tier
from scalptrack.registration.transform import HeadTransform


@dataclass(frozen=True, slots=True)
class ChainedTransform:
    """moving_from_reference through a third photograph of the same head.

    Attributes
    ----------
    first : HeadTransform
        between_from_reference.
    second : HeadTransform
        moving_from_between.
    """

    first: HeadTransform
    second: HeadTransform

    def map_points(self, reference_points: FloatArray) -> FloatArray:
        """Moving points (N, 2) of reference points (N, 2); NaN where not visible in all three."""
        return _where_finite(self.second.map_points, self.first.map_points(reference_points))

    def inverse_points(self, moving_points: FloatArray) -> FloatArray:
        """Reference points (N, 2) of moving points (N, 2); NaN where not visible in all three."""
        return _where_finite(self.first.inverse_points, self.second.inverse_points(moving_points))

    def incidence_cosine(self, reference_points: FloatArray) -> FloatArray:
        """Cosine (N,) of the incidence angle in the moving photograph; NaN if not visible."""
        between = self.first.map_points(reference_points)
        seen = np.isfinite(between).all(axis=1)
        cosine = np.full(len(between), np.nan)
        cosine[seen] = self.second.incidence_cosine(between[seen])
        return cosine

    def as_dict(self) -> dict[str, Any]:
        """Both links as plain JSON values."""
        return {
            "type": "chain",
            "first": self.first.as_dict(),
            "second": self.second.as_dict(),
        }


def _where_finite(function: Any, points: FloatArray) -> FloatArray:
    """`function` of the points that are finite, NaN for the others."""
    seen = np.isfinite(points).all(axis=1)
    found = np.full(points.shape, np.nan)
    found[seen] = function(points[seen])
    return found


def chain(first: Registration, second: Registration) -> Registration | None:
    """Registration of the second's moving photograph with the first's reference.

    Both links have passed all gates on their own. The resampled transforms of both are chained, so
    that the error of the chain is the error of both links.

    Parameters
    ----------
    first : Registration
        Of the photograph in between, with the reference.
    second : Registration
        Of the moving photograph, with the one in between.

    Returns
    -------
    Registration or None
        None when one of the links is refused or is itself a chain.
    """
    if not (first.registered and second.registered):
        return None
    links = (first.transform, second.transform)
    if not isinstance(links[0], HeadTransform) or not isinstance(links[1], HeadTransform):
        return None
    resampled = tuple(
        ChainedTransform(one, two)
        for one, two in zip(first.resampled, second.resampled, strict=False)
        if isinstance(one, HeadTransform) and isinstance(two, HeadTransform)
    )
    return Registration(
        tier=Tier.B if Tier.B in (first.tier, second.tier) else Tier.A,
        transform=ChainedTransform(links[0], links[1]),
        resampled=resampled,
        residual_px=float(np.hypot(first.residual_px, second.residual_px)),
        inliers=min(first.inliers, second.inliers),
        overlap=first.overlap * second.overlap,
        gates=second.gates,
    )
