import dataclasses

import numpy as np
import pytest
from builders import disc, segmentation_of

from scalptrack.faces import COVER_LEVEL, FaceOutcome, covered, face_cover
from scalptrack.records import Grid, RegionClass

SIZE = 200
SHAPE = (SIZE, SIZE)


def frontal(*, face=True, hairline=80, flipped=False, grid=None, leak=False):
    """A head of width 120 at (100, 100): scalp above the hairline, face below it, chin at 160."""
    head = disc(SIZE, 60)
    rows = np.arange(SIZE)[:, np.newaxis] * np.ones(SIZE, int)
    scalp = head & (rows < hairline)
    if leak:
        scalp |= head & (rows < 120) & (np.arange(SIZE) < 100)
    segmentation = segmentation_of(np.zeros(SHAPE), scalp, grid=grid)
    classes = segmentation.classes.copy()
    if face:
        classes[head & ~scalp] = RegionClass.OTHER_SKIN
    if flipped:
        scalp, classes = scalp[::-1], classes[::-1]
    return dataclasses.replace(segmentation, classes=classes, scalp=scalp)


def test_everything_from_the_top_of_the_face_down_is_covered():
    cover = face_cover(frontal(), "frontal", SHAPE)
    assert cover.outcome is FaceOutcome.COVERED
    first = int(np.argmax(cover.mask.any(axis=1)))
    assert 78 <= first <= 82
    assert cover.mask[first:].all()
    assert not cover.mask[:first].any()


def test_a_forehead_that_is_partly_taken_for_scalp_is_covered_all_the_same():
    whole, leaking = (face_cover(frontal(leak=leak), "frontal", SHAPE).mask for leak in (0, 1))
    assert abs(int(whole.sum()) - int(leaking.sum())) <= 2 * SIZE
    # Where the left half of the forehead leaks down to the eyes, the right half still tells.
    assert leaking[85:].all()


def test_the_cover_begins_at_the_latest_below_three_quarters_of_a_head_width():
    cover = face_cover(frontal(hairline=145), "frontal", SHAPE)
    first = int(np.argmax(cover.mask.any(axis=1)))
    assert cover.outcome is FaceOutcome.COVERED
    # The head's top is at 40 and it is 120 wide: 40 + 0.75 * 120 = 130 at most.
    assert 115 <= first <= 130


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [
        (None, "no head"),
        (frontal(face=False), "no face"),
        (frontal(flipped=True), "upside down"),
    ],
)
def test_what_cannot_be_covered_says_why(segmentation, words):
    cover = face_cover(segmentation, "frontal", SHAPE)
    assert cover.outcome is FaceOutcome.NOT_COVERED
    assert words in cover.reason
    assert not cover.mask.any()


@pytest.mark.parametrize("quarters", [1, 3])
@pytest.mark.parametrize("sinks", [0, 30])
def test_a_picture_on_its_side_is_not_called_covered(quarters, sinks):
    upright = frontal()
    turned = dataclasses.replace(
        upright,
        scalp=np.rot90(upright.scalp, quarters),
        # Some skin of the neck or of an ear lies lower than the scalp: still no upright face.
        classes=np.roll(np.rot90(upright.classes, quarters), sinks, axis=0),
    )
    cover = face_cover(turned, "frontal", SHAPE)
    assert cover.outcome is FaceOutcome.NOT_COVERED
    assert "on its side" in cover.reason
    tilted = dataclasses.replace(
        upright,
        scalp=np.roll(upright.scalp, 25, axis=1),
    )
    assert face_cover(tilted, "frontal", SHAPE).outcome is FaceOutcome.COVERED


@pytest.mark.parametrize("view", ["vertex", "occipital"])
def test_views_without_a_face_stay_as_they_are_unless_there_is_one(view):
    assert face_cover(frontal(face=False), view, SHAPE).outcome is FaceOutcome.NOT_NEEDED
    cover = face_cover(frontal(), view, SHAPE)
    assert cover.outcome is FaceOutcome.SKIN_COVERED
    assert cover.mask[85:155, 100].all()


@pytest.mark.parametrize("view", ["left-temporal", "mid-pattern", "unspecified", "donor area"])
def test_other_views_lose_all_skin_that_is_no_scalp(view):
    segmentation = frontal()
    cover = face_cover(segmentation, view, SHAPE)
    assert cover.outcome is FaceOutcome.SKIN_COVERED
    skin = segmentation.classes == RegionClass.OTHER_SKIN
    assert cover.mask[skin].all()
    assert cover.mask.sum() > 1.05 * skin.sum()
    assert not cover.mask[:60].any()
    assert face_cover(frontal(face=False), view, SHAPE).outcome is FaceOutcome.NOT_COVERED


def test_holes_in_the_face_are_covered_too():
    segmentation = frontal()
    classes = segmentation.classes.copy()
    classes[100:110, 80:90] = RegionClass.BACKGROUND  # an eye
    classes[110:125, 132:160] = RegionClass.BACKGROUND  # an eye in profile
    cover = face_cover(dataclasses.replace(segmentation, classes=classes), "unspecified", SHAPE)
    assert cover.mask[100:110, 80:90].all()
    assert cover.mask[110:125, 132:155].all()


def test_a_cover_goes_on_beyond_the_grid():
    grid = Grid(50.0, 30.0, 2.0, SIZE, SIZE)
    shape = (600, 700)
    cover = face_cover(frontal(grid=grid), "frontal", shape)
    first = int(np.argmax(cover.mask.any(axis=1)))
    assert abs(first - (30 + 2 * 80)) <= 4
    assert cover.mask.shape == shape
    assert cover.mask[first:].all()


def test_skin_at_the_edge_of_the_grid_is_covered_beyond_it():
    segmentation = frontal(face=False, grid=Grid(100.0, 0.0, 1.0, SIZE, SIZE))
    classes = segmentation.classes.copy()
    classes[100:150, 150:] = RegionClass.OTHER_SKIN
    segmentation = dataclasses.replace(segmentation, classes=classes)
    cover = face_cover(segmentation, "right-temporal", (SIZE, 500))
    assert cover.mask[100:150, 250:].all()
    assert not cover.mask[:, :240].any()
    assert not cover.mask[:90].any()


def test_covered_pixels_are_flat_and_the_original_stays():
    image = np.random.default_rng(1).integers(0, 100, (*SHAPE, 3), dtype=np.uint8)
    before = image.copy()
    cover = face_cover(frontal(), "frontal", SHAPE)
    copy = covered(image, cover)
    assert (copy[cover.mask] == COVER_LEVEL).all()
    assert (copy[~cover.mask] == image[~cover.mask]).all()
    assert (image == before).all()
