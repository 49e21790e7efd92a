"""What the network's maps of a crop say: where the scalp is, and whether to trust that."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scalptrack.errors import HeadNotFoundError
from scalptrack.records import BoolArray, RegionClass
from scalptrack.translation import tr

MIN_SCALP_SHARE = 0.02
"""Smallest share of the crop that counts as scalp; below it no head was found."""

MIN_SCALP_CONFIDENCE = 0.75
"""Mean probability over the scalp region, and over the looks, below which it isn't trusted: what is
no head looks like scalp in one look and not in the next."""

MAX_SKIN_AROUND = 0.78
"""Share of the scalp's border along which face or neck may lie. 99 % of 264 rendered heads of all
views are below (lab/benchmarks/border.py); a chin or a cheek that is taken for a scalp has more."""

CLASS_CHANNELS = slice(0, 5)

FRACTION_CHANNEL = 5

SCALP_CHANNEL = 6

COSINE_CHANNEL = 7

DOUBT_CHANNEL = 8

Maps = NDArray[np.float32]


def scalp_confidence(maps: Maps, inside: BoolArray) -> float:
    """Mean probability over the largest thing that looks like scalp; 0 without any.

    What has skin all around is a chin rather than a scalp, and counts half.
    """
    scalp = likely_scalp(maps, inside)
    if not scalp.any():
        return 0.0
    mean = float(maps[SCALP_CHANNEL][scalp].mean())
    return 0.5 * mean if _skin_around(maps, scalp, inside) > MAX_SKIN_AROUND else mean


def _skin_around(maps: Maps, scalp: BoolArray, inside: BoolArray) -> float:
    return skin_around_share(np.argmax(maps[CLASS_CHANNELS], axis=0), scalp, inside)


def skin_around_share(classes: NDArray[Any], scalp: BoolArray, inside: BoolArray) -> float:
    """Share of the border of a scalp, within the frame, along which other skin lies.

    Parameters
    ----------
    classes : integers (H, W)
        Codes of `RegionClass`.
    scalp, inside : bool (H, W)
        The scalp, and the pixels that lie in the photograph.

    Returns
    -------
    float
        In [0, 1]; 0 where no border is in the frame.
    """
    reach = max(2, round(0.03 * float(np.sqrt(scalp.sum()))))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    ring = (cv2.dilate(scalp.astype(np.uint8), kernel) > 0) & ~scalp & inside
    if not ring.any():
        return 0.0
    return float(np.mean(classes[ring] == RegionClass.OTHER_SKIN))


def likely_person(maps: Maps, inside: BoolArray) -> BoolArray:
    """The largest thing in the frame that is hair or skin."""
    classes = np.argmax(maps[CLASS_CHANNELS], axis=0)
    of_person = (RegionClass.SCALP_SKIN, RegionClass.HAIR, RegionClass.OTHER_SKIN)
    return _largest_component(np.isin(classes, of_person) & inside)


def likely_scalp(maps: Maps, inside: BoolArray) -> BoolArray:
    """The largest thing in the frame that is scalp more likely than not."""
    return _largest_component((maps[SCALP_CHANNEL] > 0.5) & inside)


def _largest_component(mask: BoolArray) -> BoolArray:
    """The largest 8-connected component of a mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(labels == largest)


def scalp_mask(maps: Maps, inside: BoolArray) -> BoolArray:
    """Anatomical scalp: the largest component of the scalp channel, its small holes filled."""
    scalp = likely_scalp(maps, inside)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    closed = cv2.morphologyEx(scalp.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return (closed > 0) & inside


def require_scalp(maps: Maps, scalp: BoolArray, inside: BoolArray) -> None:
    """Raise `HeadNotFoundError` when the scalp is too small or too doubtful to measure."""
    share = float(scalp.mean())
    if share < MIN_SCALP_SHARE:
        raise not_found(share)
    confidence = float(maps[SCALP_CHANNEL][scalp].mean())
    if confidence < MIN_SCALP_CONFIDENCE:
        raise doubtful(confidence, MIN_SCALP_CONFIDENCE)
    around = _skin_around(maps, scalp, inside)
    if around > MAX_SKIN_AROUND:
        message = tr(
            "What looks like scalp in this photograph has skin along "
            "{around:.0f} % of its border (at most {max_skin_around:.0f} % "
            "is accepted): it may be a chin or a cheek. Photograph the "
            "head from above or from the side of the hair.",
            around=100 * around,
            max_skin_around=100 * MAX_SKIN_AROUND,
        )
        raise HeadNotFoundError(message)


def doubtful(confidence: float, limit: float) -> HeadNotFoundError:
    """The error where something may be scalp, and may be not."""
    return HeadNotFoundError(
        tr(
            "It is not certain what is scalp in this photograph "
            "(confidence {confidence:.2f}, at least {limit:.2f} is "
            "needed). Take it closer, with the whole head in the frame and "
            "before a plain background.",
            confidence=confidence,
            limit=limit,
        )
    )


def not_found(share: float) -> HeadNotFoundError:
    """The error where nothing looks like scalp."""
    return HeadNotFoundError(
        tr(
            "No head was found in this photograph: scalp fills {share:.2f} "
            "% of the searched area. Photograph the head from nearby, with "
            "all of it in the frame.",
            share=100 * share,
        )
    )


def not_a_head(support: float, limit: float) -> HeadNotFoundError:
    """The error where what looks like scalp from near doesn't from farther away."""
    return HeadNotFoundError(
        tr(
            "What looks like scalp from near does not from farther away "
            "(confidence {support:.2f}, at least {limit:.2f} is needed): "
            "it may be a beard, a shadow or cloth. Photograph the head "
            "from above or from the side of the hair, before a plain "
            "background.",
            support=support,
            limit=limit,
        )
    )
