"""Where the head is looked for, with looks that are made up."""

import numpy as np
import pytest

from scalptrack.errors import HeadNotFoundError
from scalptrack.records import RegionClass
from scalptrack.segmentation import heads
from scalptrack.segmentation.crops import INPUT_PX, Crop, whole_crop
from scalptrack.segmentation.heads import WIDER, Place, find_head, require_support
from scalptrack.segmentation.maps import SCALP_CHANNEL

CENTRE, RADIUS_PX = (620.0, 400.0), 120.0
IMAGE = np.zeros((800, 1200, 3), np.uint8)
CROP = Crop(460, 240, 320)


def _seen(crop, probability):
    """Maps of a crop: a round scalp of this probability, background around it."""
    grid = crop.grid()
    x = grid.x0_px + np.arange(INPUT_PX) * grid.step_px - CENTRE[0]
    y = grid.y0_px + np.arange(INPUT_PX) * grid.step_px - CENTRE[1]
    inside = np.hypot(x[np.newaxis], y[:, np.newaxis]) < RADIUS_PX
    maps = np.zeros((9, INPUT_PX, INPUT_PX), np.float32)
    maps[SCALP_CHANNEL] = np.where(inside, probability, 0.02)
    maps[RegionClass.BACKGROUND] = 0.9
    return maps


def test_a_head_that_is_one_from_near_and_from_farther_is_found() -> None:
    place = find_head(lambda crop: _seen(crop, 0.95 if crop.side_px < 500 else 0.9), IMAGE)
    assert place.crop.left_px + place.crop.side_px / 2 == pytest.approx(CENTRE[0], abs=3)
    assert place.score == pytest.approx(0.95 * 0.9, abs=0.02)
    assert place.farther[SCALP_CHANNEL].max() == pytest.approx(0.9)


@pytest.mark.parametrize(("farther", "afar", "limit"), [(0.9, 0.06, "0.10"), (0.3, 0.3, "0.40")])
def test_what_is_scalp_from_near_alone_is_refused(farther, afar, limit) -> None:
    head = Place(CROP, _seen(CROP, 0.95), 0.8, _seen(CROP.zoomed(1 / WIDER), farther))
    whole = whole_crop(IMAGE.shape[:2])
    with pytest.raises(HeadNotFoundError, match=rf"from farther away.*least {limit}"):
        require_support(head, _seen(whole, afar), whole, IMAGE.shape[:2])


@pytest.mark.parametrize(("farther", "afar"), [(0.9, 0.2), (0.1, 0.9)])
def test_one_of_the_looks_from_farther_away_is_enough(farther, afar) -> None:
    head = Place(CROP, _seen(CROP, 0.95), 0.8, _seen(CROP.zoomed(1 / WIDER), farther))
    whole = whole_crop(IMAGE.shape[:2])
    assert require_support(head, _seen(whole, afar), whole, IMAGE.shape[:2]) is None


def test_the_search_asks_for_support_of_what_it_found(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(heads, "require_support", lambda head, *_: asked.append(head))
    assert [find_head(lambda crop: _seen(crop, 0.95), IMAGE)] == asked
