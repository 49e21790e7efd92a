"""Where the head is in a photograph: looking at the whole, at parts, from near and from farther."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from scalptrack.records import BoolArray, ImageArray
from scalptrack.segmentation.crops import (
    MIN_SIDE_PX,
    Crop,
    crop_around,
    inside_frame,
    nearly_equal,
    resampled,
    whole_crop,
)
from scalptrack.segmentation.maps import (
    SCALP_CHANNEL,
    Maps,
    doubtful,
    likely_scalp,
    not_a_head,
    not_found,
    require_scalp,
    scalp_confidence,
)

Look = Callable[[Crop], Maps]

HEAD_SHARE = 0.75
"""Share of the crop's side that the head fills, as in training (lab/training)."""

SURE_SCALP = 0.75
"""Probability above which scalp seen in the whole photograph decides where to look closer: what
surrounds a small head often has a lower one."""

MIN_CANDIDATE_SHARE = 0.003
"""Smallest share of the whole photograph (as a square) that is looked at from near: a head that is
a sixteenth of it wide. What is smaller has too few pixels to measure."""

MAX_CANDIDATES = 3
"""How many things that look like scalp from afar are looked at from near."""

TILE_SHARE = 0.5
"""Side of the squares that are searched for a small head, relative to the whole photograph."""

WIDER = 2.2
"""How much larger than the head's crop the look at its surroundings is."""

SURE_PLACE_SCORE = 0.85
"""Probability of scalp from near, times that from farther, above which no other place is looked
for."""

MIN_PLACE_SCORE = 0.6
"""The same product below which no place is taken for a head. On 45 portraits of the fast renderer
(not those that are reported; lab/benchmarks/portraits.py) all right places had more than 0.65 and
all wrong ones but two less than 0.4, as had 15 pictures of nobody but one (0.43); every photograph
of the validation people has more than 0.9. With 0.45 a few more portraits are found, and coverages
of other people get worse by more than it is worth (lab/benchmarks/people.py: 10.9 instead of 10.2
points)."""

MIN_SUPPORT = 0.4
MIN_SUPPORT_AFAR = 0.1
"""Probability of scalp, over what is scalp in the final crop, that one of the looks from farther
away (at the surroundings, at the whole photograph) must give, and that the whole photograph must
give in any case. From near, a shadow, a beard or a curtain may look like hair on a scalp. All of 62
heads of the fast renderer that were found rightly pass the first limit and all but one the second;
of 12 places that were found in 28 pictures with real people, which were looked at for this and are
not kept, they refuse three of five wrong ones and none of seven right ones (with a script that is
not kept either)."""

MIN_PLACE_SHARE = 0.02
"""Share of the near look that must be scalp for the place to count."""

FIRST_SHARE = 0.6
"""Share that the sure scalp shall fill in the first closer look; the whole head is larger."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A crop that may hold a head, what is seen in it, and how much it looks like a scalp.

    Attributes
    ----------
    crop : Crop
        Where it is.
    maps : float32 (9, S, S)
        What the network sees in it.
    score : float
        In [0, 1]: probability of scalp from near, times that from farther.
    farther : float32 (9, S, S)
        What the network sees in `around`, on that crop's grid.
    """

    crop: Crop
    maps: Maps
    score: float
    farther: Maps

    @property
    def around(self) -> Crop:
        """The crop and what surrounds it, `WIDER` times as large."""
        return around(self.crop)


def around(crop: Crop) -> Crop:
    """A crop with its surroundings, `WIDER` times as large."""
    return crop.zoomed(1 / WIDER)


def find_head(look: Look, image: ImageArray) -> Place:
    """The crop around the head and what is seen in it.

    The head is searched in the whole photograph, and in parts of it when nothing there is
    scalp for sure. Each place is looked at from near and from a little farther, where a chin
    is seen to be below a face; the place that looks most like a scalp from both is taken. Then
    the crop is corrected once or twice.

    Parameters
    ----------
    look : callable
        Gives what the network sees in a `Crop` of this photograph.
    image : uint8 (H, W, 3)
        The photograph.

    Returns
    -------
    Place
        The head.

    Raises
    ------
    HeadNotFoundError
        When nothing looks like a scalp.
    """
    shape = image.shape[:2]
    whole = whole_crop(shape)
    seen = look(whole)
    places = [_place(look, shape, crop, look(crop)) for crop in _candidates(seen, whole, shape)]
    if max((place.score for place in places), default=0.0) < SURE_PLACE_SCORE:
        parts = (*_tiles(shape), *(place.around for place in places))
        found = [each for part in parts for each in _search(look, shape, part)]
        places += [_place(look, shape, crop, look(crop)) for crop in found]
    if not places:
        raise not_found(float((seen[SCALP_CHANNEL] > 0.5).mean()))
    best = max(places, key=lambda place: place.score)
    if best.score < MIN_PLACE_SCORE:
        inside = inside_frame(shape, best.crop)
        require_scalp(best.maps, likely_scalp(best.maps, inside), inside)
        raise doubtful(best.score, MIN_PLACE_SCORE)
    crop, maps = best.crop, best.maps
    for _ in range(2):
        scalp = likely_scalp(maps, inside_frame(shape, crop))
        tighter = crop_around(scalp, crop, HEAD_SHARE)
        if nearly_equal(tighter, crop):
            break
        crop, maps = tighter, look(tighter)
    head = best if crop is best.crop else _place(look, shape, crop, maps)
    require_support(head, seen, whole, shape)
    return head


def require_support(head: Place, seen: Maps, whole: Crop, shape: tuple[int, ...]) -> None:
    """Raise `HeadNotFoundError` when what is scalp from near is something else from farther."""
    scalp = likely_scalp(head.maps, inside_frame(shape, head.crop))
    afar = _support(seen, whole, head.crop, scalp)
    farther = _support(head.farther, head.around, head.crop, scalp)
    if afar < MIN_SUPPORT_AFAR:
        raise not_a_head(afar, MIN_SUPPORT_AFAR)
    if max(afar, farther) < MIN_SUPPORT:
        raise not_a_head(max(afar, farther), MIN_SUPPORT)


def _support(maps: Maps, seen_in: Crop, crop: Crop, scalp: BoolArray) -> float:
    """Mean probability of scalp, in the maps of a larger crop, over the scalp of a crop."""
    if not scalp.any():
        return 0.0
    probability = resampled(maps[[SCALP_CHANNEL]], seen_in.grid(), crop.grid())[0]
    return float(probability[scalp].mean())


def _search(look: Look, shape: tuple[int, ...], part: Crop) -> list[Crop]:
    """The likeliest head of a part of the photograph, if any."""
    return _candidates(look(part), part, shape)[:1]


def _place(look: Look, shape: tuple[int, ...], crop: Crop, maps: Maps) -> Place:
    """How much what is seen in a crop looks like a scalp, from near and from farther."""
    inside = inside_frame(shape, crop)
    wide = around(crop)
    farther = look(wide)
    scalp = likely_scalp(maps, inside)
    if scalp.mean() < MIN_PLACE_SHARE:
        return Place(crop, maps, 0.0, farther)
    score = scalp_confidence(maps, inside) * _support(farther, wide, crop, scalp)
    return Place(crop, maps, score, farther)


def _candidates(maps: Maps, crop: Crop, shape: tuple[int, ...]) -> list[Crop]:
    """Closer crops around what may be the scalp, the largest first; none where nothing is."""
    inside = inside_frame(shape, crop)
    smallest = MIN_CANDIDATE_SHARE * inside.size
    for level, share in ((SURE_SCALP, FIRST_SHARE), (0.5, HEAD_SHARE)):
        scalp = (maps[SCALP_CHANNEL] > level) & inside
        _, labels, stats, _ = cv2.connectedComponentsWithStats(scalp.astype(np.uint8))
        area = stats[1:, cv2.CC_STAT_AREA]
        large = [1 + int(k) for k in np.argsort(-area, kind="stable") if area[k] >= smallest]
        if large:
            return [crop_around(labels == k, crop, share) for k in large[:MAX_CANDIDATES]]
    return []


def _tiles(shape: tuple[int, ...]) -> list[Crop]:
    """Overlapping squares that cover a photograph, row by row."""
    side = max(round(TILE_SHARE * max(shape)), MIN_SIDE_PX)
    corners = [
        [round(float(at)) for at in np.linspace(0, length - side, 3)]
        if length > side
        else [(length - side) // 2]
        for length in shape[:2]
    ]
    return [Crop(left, top, side) for top in corners[0] for left in corners[1]]
