from functools import cache

import cv2
import numpy as np
import pytest

from scalptrack.errors import HeadNotFoundError
from scalptrack.records import RegionClass
from scalptrack.segmentation.classical import HEAD_WIDTH_PX, ClassicalSegmenter, segment_classical
from scalptrack.segmentation.classical_head import find_head
from tests.segmentation.strand_patch import smooth_noise, strand_patch

cached_patch = cache(strand_patch)


def head_from_above(skin="light", hair="brown", wall=(120, 140, 150), seed=2, clutter=True):
    """A hairy ellipse above a clothed one, before a patterned wall; and the head's mask."""
    rng = np.random.default_rng(seed)
    size = 320
    wall = np.array(wall) + 10 * smooth_noise(rng, size, 40)[..., None]
    picture = wall.copy()
    if clutter:
        picture[::32] -= 18
        picture[:, ::32] -= 18
    cv2.ellipse(picture, (160, 325), (131, 75), 0, 0, 360, (30, 60, 110), -1)
    patch = cached_patch(skin, hair, coverage=0.6, seed=seed, size=size)
    mask = np.zeros((size, size), np.uint8)
    cv2.ellipse(mask, (160, 156), (81, 100), 0, 0, 360, 1, -1)
    image = np.where(mask[..., None] > 0, patch.image, np.clip(picture, 0, 255)).astype(np.uint8)
    return image, mask > 0, patch.hair_fraction


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


def on_photograph(segmentation, mask):
    """A mask of the grid on the photograph."""
    height, width = segmentation.photograph_shape
    y, x = np.mgrid[:height, :width]
    points = np.stack([x.ravel(), y.ravel()], 1).astype(float)
    u, v = np.rint(segmentation.grid.from_photograph(points)).astype(int).T
    inside = (u >= 0) & (v >= 0) & (u < segmentation.grid.width) & (v < segmentation.grid.height)
    whole = np.zeros(height * width, bool)
    whole[inside] = mask[v[inside], u[inside]]
    return whole.reshape(height, width)


@pytest.mark.parametrize(
    ("skin", "hair", "wall"),
    [
        ("light", "brown", (120, 140, 150)),
        ("dark", "white", (170, 150, 140)),
        ("tan", "black", (60, 90, 60)),
    ],
)
def test_a_head_is_found_where_it_is(skin, hair, wall):
    image, _, _ = head_from_above(skin, hair, wall)
    head = find_head(image, seed=1)
    assert head.centre == pytest.approx((160, 156), abs=9)
    assert sorted(head.semi_axes) == pytest.approx([81, 100], abs=11)


def test_the_segmentation_lies_on_the_head_in_photograph_coordinates():
    image, mask, _ = head_from_above()
    segmentation = segment_classical(image, seed=1)
    assert overlap(on_photograph(segmentation, segmentation.scalp), mask) > 0.88
    assert segmentation.photograph_shape == (320, 320)
    assert segmentation.hair_fraction.shape == (segmentation.grid.height, segmentation.grid.width)
    head_px = 162 / segmentation.grid.step_px
    assert head_px == pytest.approx(HEAD_WIDTH_PX, rel=0.1)


def test_coverage_does_not_depend_on_the_photographs_size():
    image, _, _ = head_from_above()
    large = cv2.resize(image, (640, 640), interpolation=cv2.INTER_CUBIC)
    coverages = []
    for picture in (image, large):
        segmentation = segment_classical(picture, seed=1)
        coverages.append(segmentation.hair_fraction[segmentation.scalp].mean())
    assert coverages[0] == pytest.approx(coverages[1], abs=0.05)


def test_hair_is_hair_and_the_wall_is_background():
    image, _, _ = head_from_above()
    segmentation = segment_classical(image, seed=1)
    hair = segmentation.classes == RegionClass.HAIR
    assert (segmentation.hair_fraction[hair] >= 0.5).all()
    assert hair.any()
    assert segmentation.classes[0, 0] == RegionClass.BACKGROUND
    centre = segmentation.grid.height // 2
    assert segmentation.incidence_cosine[centre, centre] > 0.95
    assert not segmentation.incidence_cosine[0, 0]


def test_glare_is_marked():
    image, _, _ = head_from_above()
    image[144:162, 150:175] = 255
    segmentation = segment_classical(image, seed=1)
    u, v = segmentation.grid.from_photograph(np.array([[162.0, 153.0]]))[0].astype(int)
    assert segmentation.glare[v, u]
    assert segmentation.glare.mean() < 0.05


def test_a_rerun_gives_the_same_bytes_and_perturbations_a_scatter():
    image, _, _ = head_from_above()
    segmenter = ClassicalSegmenter(seed=1)
    first = segmenter.segment(image, perturbations=2)
    second = segmenter.segment(image, perturbations=2)
    assert np.array_equal(first.hair_fraction, second.hair_fraction)
    assert first.coverage_sd_fraction == second.coverage_sd_fraction
    assert 0 < first.coverage_sd_fraction < 0.1
    assert segmenter.segment(image).coverage_sd_fraction == 0


def test_pictures_without_a_head_are_refused():
    rng = np.random.default_rng(1)
    flat = np.full((300, 400, 3), 90, np.uint8)
    with pytest.raises(HeadNotFoundError, match="single colour"):
        segment_classical(flat, seed=1)
    wall = np.clip(128 + 6 * rng.standard_normal((300, 400, 3)), 0, 255).astype(np.uint8)
    with pytest.raises(HeadNotFoundError, match="No head was found"):
        segment_classical(wall, seed=1)
    beam = flat.copy()
    beam[100:140, 60:340] = (200, 60, 40)
    with pytest.raises(HeadNotFoundError, match="No head was found"):
        segment_classical(beam, seed=1)


@pytest.mark.parametrize("shape", [(1, 1), (8, 64), (64, 64), (40, 2000)])
def test_odd_sizes_are_refused_not_crashed(shape):
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(np.uint8)
    with pytest.raises(HeadNotFoundError):
        segment_classical(image, seed=1)
